#include "route/json_text.h"

#include <array>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace spangate {
namespace {

constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t highs = 0x8080808080808080;

constexpr std::uint64_t zero_bytes(std::uint64_t word) {
    return (word - ones) & ~word & highs;
}

// Nonzero when one of the eight bytes is a control character, a quote, a backslash or not ASCII.
constexpr std::uint64_t special_bytes(std::uint64_t word) {
    return ((word - ones * 0x20) & ~word & highs) | zero_bytes(word ^ (ones * '"')) |
           zero_bytes(word ^ (ones * '\\')) | (word & highs);
}

constexpr bool is_special(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

// Bytes at the start of `text` that stand as they are.
std::size_t plain_length(std::string_view text) {
    std::size_t at = 0;
    while (text.size() - at >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, 8);
        if (special_bytes(word) != 0) break;
        at += 8;
    }
    while (at < text.size() && !is_special(static_cast<unsigned char>(text[at])))
        ++at;
    return at;
}

void append_escape(std::string& out, unsigned char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            constexpr std::string_view digits = "0123456789abcdef";
            out += "\\u00";
            out += digits[c >> 4];
            out += digits[c & 15];
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t plain = plain_length(text);
        out.append(text.data(), plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        const auto c = static_cast<unsigned char>(text.front());
        if (c < 0x80) {
            append_escape(out, c);
            text.remove_prefix(1);
            continue;
        }
        std::size_t foreign = 0;
        while (foreign < text.size() && static_cast<unsigned char>(text[foreign]) >= 0x80)
            ++foreign;
        append_as_utf8(text.substr(0, foreign), out);
        text.remove_prefix(foreign);
    }
    out += '"';
}

void append_json_integer(std::string& out, std::int64_t value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_json_real(std::string& out, double value) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

}  // namespace spangate
