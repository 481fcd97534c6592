// Small text forms that several rooms write or read: hex, base64, RFC 3339, UTF-8 repair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace spangate {

// Lower-case hex; `out` has room for 2 × bytes.size().
void write_hex(std::span<const std::uint8_t> bytes, char* out);
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

// Hex of either case into `out`; false when the length is not 2 × out.size() or a digit is wrong.
[[nodiscard]] bool read_hex(std::string_view hex, std::span<std::uint8_t> out);

// Standard base64 with padding (RFC 4648 §4).
[[nodiscard]] constexpr std::size_t base64_size(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

void write_base64(std::string_view bytes, char* out);
[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

// RFC 3339 in UTC with nine digits and Z: 30 characters into `out`. Years 1970 to 2261.
inline constexpr std::size_t rfc3339_size = 30;
void write_rfc3339(WallNanos at, char* out);
[[nodiscard]] std::string to_rfc3339(WallNanos at);
[[nodiscard]] std::optional<WallNanos> from_rfc3339(std::string_view text);

// True when every byte is part of a well-formed UTF-8 sequence (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);

// Appends `text` to `out` with each ill-formed byte replaced by U+FFFD.
void append_as_utf8(std::string_view text, std::string& out);

// The longest prefix of at most `bytes_max` bytes that does not end inside a UTF-8 sequence.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

[[nodiscard]] constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] bool equals_ignore_case(std::string_view a, std::string_view b);

}  // namespace spangate
