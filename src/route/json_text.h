// Appending JSON (RFC 8259) to a string. Output is always well-formed: ill-formed UTF-8 becomes
// U+FFFD, control characters are escaped, so a value never holds a newline and a record is one
// line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spangate {

// `text` in quotes, escaped.
void append_json_string(std::string& out, std::string_view text);

void append_json_integer(std::string& out, std::int64_t value);

// The shortest form that reads back as the same double (ECMAScript's). Finite values only.
void append_json_real(std::string& out, double value);

}  // namespace spangate
