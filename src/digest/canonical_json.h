// RFC 8785 (JSON Canonicalization Scheme), so that two tellings of one value have one digest.
#pragma once

#include <string>
#include <string_view>

#include "model/span_view.h"

namespace spangate {

// The canonical form of `text` when it is a JSON text, else `text` itself. JSON inside a JSON
// string is unwrapped once. `out` is scratch that the result may point into; nesting beyond
// `depth_max` counts as text.
[[nodiscard]] std::string_view canonical_json(
    std::string_view text, std::string& out, std::uint32_t depth_max = 64
);

// The canonical JSON of an OTLP value (a string value goes through canonical_json above).
[[nodiscard]] std::string_view canonical_json(
    const Value& value, std::string& out, std::uint32_t depth_max = 64
);

// `canonical` with numbers, UUIDs and times replaced by placeholders (for args_shape_digest).
[[nodiscard]] std::string_view json_shape(std::string_view canonical, std::string& out);

}  // namespace spangate
