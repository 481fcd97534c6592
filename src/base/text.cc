#include "base/text.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace spangate {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Length of the well-formed sequence at the start of `text`, 0 when ill-formed (Unicode 15, table
// 3-7).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return static_cast<unsigned char>(text[i]);
    };
    const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = first == 0xED ? 0x9F : 0xBF;
        return continues(1, low, high) && continues(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const unsigned low = first == 0xF0 ? 0x90 : 0x80;
        const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
        return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

void write_digits(std::uint64_t value, int digits, char* out) {
    for (int i = digits - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

}  // namespace

void write_hex(std::span<const std::uint8_t> bytes, char* out) {
    for (const std::uint8_t byte : bytes) {
        *out++ = hex_digits[byte >> 4];
        *out++ = hex_digits[byte & 15];
    }
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    std::string text(bytes.size() * 2, '\0');
    write_hex(bytes, text.data());
    return text;
}

bool read_hex(std::string_view hex, std::span<std::uint8_t> out) {
    if (hex.size() != out.size() * 2) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_value(hex[2 * i]);
        const int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

void write_base64(std::string_view bytes, char* out) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
    };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        *out++ = base64_digits[group >> 18];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = i + 1 < bytes.size() ? base64_digits[group >> 6 & 63] : '=';
        *out++ = i + 2 < bytes.size() ? base64_digits[group & 63] : '=';
    }
}

std::string to_base64(std::string_view bytes) {
    std::string text(base64_size(bytes.size()), '\0');
    write_base64(bytes, text.data());
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    while (!text.empty() && text.back() == '=')
        text.remove_suffix(1);
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    int bits_count = 0;
    for (const char c : text) {
        const std::size_t value = base64_digits.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        bits_count += 6;
        if (bits_count >= 8) {
            bits_count -= 8;
            bytes.push_back(static_cast<char>(bits >> bits_count & 0xFF));
        }
    }
    return bytes;
}

void write_rfc3339(WallNanos at, char* out) {
    using namespace std::chrono;
    const sys_time<nanoseconds> time{nanoseconds{at}};
    const sys_days day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss<nanoseconds> clock{time - day};
    write_digits(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4, out);
    out[4] = '-';
    write_digits(static_cast<unsigned>(date.month()), 2, out + 5);
    out[7] = '-';
    write_digits(static_cast<unsigned>(date.day()), 2, out + 8);
    out[10] = 'T';
    write_digits(static_cast<std::uint64_t>(clock.hours().count()), 2, out + 11);
    out[13] = ':';
    write_digits(static_cast<std::uint64_t>(clock.minutes().count()), 2, out + 14);
    out[16] = ':';
    write_digits(static_cast<std::uint64_t>(clock.seconds().count()), 2, out + 17);
    out[19] = '.';
    write_digits(static_cast<std::uint64_t>(clock.subseconds().count()), 9, out + 20);
    out[29] = 'Z';
}

std::string to_rfc3339(WallNanos at) {
    std::string text(rfc3339_size, '\0');
    write_rfc3339(at, text.data());
    return text;
}

std::optional<WallNanos> from_rfc3339(std::string_view text) {
    const std::string copy(text);
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    int used = 0;
    if (std::sscanf(  // NOLINT(cert-err34-c): the count and the ranges are checked
            copy.c_str(),
            "%4d-%2u-%2uT%2u:%2u:%2u%n",
            &year,
            &month,
            &day,
            &hour,
            &minute,
            &second,
            &used
        ) != 6) {
        return std::nullopt;
    }
    std::string_view rest = text.substr(static_cast<std::size_t>(used));
    std::int64_t nanos = 0;
    if (!rest.empty() && rest.front() == '.') {
        rest.remove_prefix(1);
        std::int64_t scale = 100'000'000;
        while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
            nanos += (rest.front() - '0') * scale;
            scale /= 10;
            rest.remove_prefix(1);
        }
    }
    if (rest != "Z" && rest != "z" && rest != "+00:00") return std::nullopt;
    using namespace std::chrono;
    const year_month_day date{
        std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
    if (!date.ok() || year < 1970 || year > 2261 || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    const auto seconds = sys_days{date}.time_since_epoch() + hours{hour} + minutes{minute} +
                         std::chrono::seconds{second};
    return duration_cast<nanoseconds>(seconds).count() + nanos;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

void append_as_utf8(std::string_view text, std::string& out) {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
        } else {
            out.append(text.substr(0, length));
            text.remove_prefix(length);
        }
    }
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return text.substr(0, end);
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    }
    return true;
}

}  // namespace spangate
