// OTLP values as JSON text (contract §7: bytes in base64, integers beyond ±(2^53−1) as decimal
// strings, non-finite numbers as strings, empty values as null).
#pragma once

#include <cstddef>
#include <string>

#include "model/span_view.h"

namespace spangate {

void append_value_json(const Value& value, std::string& out);

// The text that stands for a value by itself: a string's own bytes, else its JSON.
[[nodiscard]] std::string_view value_text(const Value& value, std::string& scratch);

// Bytes of text in a value, with a few for each number: cheap, for limits and lengths.
[[nodiscard]] std::size_t value_bytes(const Value& value);

}  // namespace spangate
