// A text as a JSON string (RFC 8259), for the few values that are written by hand: heads of files,
// audit and key records. Hot paths have writers of their own (route/json_text.h).
#pragma once

#include <string>
#include <string_view>

namespace spangate {

// With its quotes. Ill-formed UTF-8 becomes U+FFFD; control characters are \u00XX.
[[nodiscard]] std::string json_quote(std::string_view text);

}  // namespace spangate
