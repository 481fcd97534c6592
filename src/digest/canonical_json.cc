#include "digest/canonical_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include <simdjson.h>

#include "base/text.h"

namespace spangate {
namespace {

namespace dom = simdjson::dom;

// Beyond this the parser's memory is given back after use.
constexpr std::size_t parser_bytes_kept_max = 1U << 20;

// U+E000…U+FFFF (lead bytes EE, EF) stand above the surrogate pairs of U+10000… (F0…F4) in UTF-16;
// in all else the order of UTF-8 bytes is that of UTF-16 code units.
constexpr unsigned utf16_rank(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE ? 0xF5U : byte == 0xEF ? 0xF6U : byte;
}

bool utf16_less(std::string_view a, std::string_view b) {
    const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (at_b == b.end()) return false;
    if (at_a == a.end()) return true;
    return utf16_rank(*at_a) < utf16_rank(*at_b);
}

void append_escape(char c, std::string& out) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += '\\';
    if (c == '"' || c == '\\') {
        out += c;
    } else if (c == '\b') {
        out += 'b';
    } else if (c == '\t') {
        out += 't';
    } else if (c == '\n') {
        out += 'n';
    } else if (c == '\f') {
        out += 'f';
    } else if (c == '\r') {
        out += 'r';
    } else {
        out += "u00";
        out += hex[byte >> 4];
        out += hex[byte & 15];
    }
}

void append_string(std::string_view text, std::string& out) {
    out += '"';
    std::size_t from = 0;  // what lies before is written
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text.data() + from, i - from);
        append_escape(c, out);
        from = i + 1;
    }
    out.append(text.data() + from, text.size() - from);
    out += '"';
}

// ECMA-262, Number::toString, from the shortest digits that round-trip: digits × 10^(point-n).
void append_number(double number, std::string& out) {
    if (std::isnan(number)) return append_string("NaN", out);
    if (std::isinf(number)) return append_string(number > 0 ? "Infinity" : "-Infinity", out);
    if (number == 0) {
        out += '0';
        return;
    }
    std::array<char, 32> text{};
    const auto written = std::to_chars(
        text.data(), text.data() + text.size(), number, std::chars_format::scientific
    );
    std::string_view form(text.data(), static_cast<std::size_t>(written.ptr - text.data()));
    if (form.front() == '-') {
        out += '-';
        form.remove_prefix(1);
    }
    const std::size_t e = form.find('e');
    int exponent = 0;
    const char* digits_of_exponent = form.data() + e + (form[e + 1] == '+' ? 2 : 1);
    std::from_chars(digits_of_exponent, form.data() + form.size(), exponent);
    std::string digits(1, form.front());
    if (e > 2) digits += form.substr(2, e - 2);
    const int count = static_cast<int>(digits.size());
    const int point = exponent + 1;  // the decimal point stands after this many digits
    if (point >= count && point <= 21) {
        out += digits;
        out.append(static_cast<std::size_t>(point - count), '0');
    } else if (point > 0 && point <= 21) {
        out += digits.substr(0, static_cast<std::size_t>(point));
        out += '.';
        out += digits.substr(static_cast<std::size_t>(point));
    } else if (point > -6 && point <= 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-point), '0');
        out += digits;
    } else {
        out += digits.front();
        if (count > 1) {
            out += '.';
            out += digits.substr(1);
        }
        out += exponent > 0 ? "e+" : "e";
        out += std::to_string(exponent);
    }
}

template <typename Member>
void sort_members(std::vector<Member>& members) {
    std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
        return utf16_less(a.key, b.key);
    });
}

// Duplicate keys: the last one wins, so a member is skipped when its successor has the same key.
template <typename Member, typename Write>
void append_object(std::vector<Member>& members, std::string& out, const Write& write) {
    sort_members(members);
    out += '{';
    bool is_first = true;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i + 1 < members.size() && members[i + 1].key == members[i].key) continue;
        if (!is_first) out += ',';
        is_first = false;
        append_string(members[i].key, out);
        out += ':';
        write(members[i].value);
    }
    out += '}';
}

// Depth is bounded by the parser's.
void append_element(dom::element element, std::string& out) {
    struct Member {
        std::string_view key;
        dom::element value;
    };

    switch (element.type()) {
        case dom::element_type::OBJECT: {
            std::vector<Member> members;
            for (const dom::key_value_pair pair : dom::object(element))
                members.push_back({pair.key, pair.value});
            append_object(members, out, [&](dom::element value) { append_element(value, out); });
            return;
        }
        case dom::element_type::ARRAY: {
            out += '[';
            bool is_first = true;
            for (const dom::element item : dom::array(element)) {
                if (!is_first) out += ',';
                is_first = false;
                append_element(item, out);
            }
            out += ']';
            return;
        }
        case dom::element_type::STRING:
            return append_string(std::string_view(element), out);
        case dom::element_type::INT64:
            return append_number(static_cast<double>(std::int64_t(element)), out);
        case dom::element_type::UINT64:
            return append_number(static_cast<double>(std::uint64_t(element)), out);
        case dom::element_type::DOUBLE:
            return append_number(double(element), out);
        case dom::element_type::BOOL:
            out += bool(element) ? "true" : "false";
            return;
        case dom::element_type::NULL_VALUE:
            out += "null";
            return;
    }
}

// Parsers keep their memory between texts; one for a document and one for the JSON in its string.
// Scratch of a thread, never state.
dom::parser& scratch_parser(bool is_inner) {
    thread_local std::array<dom::parser, 2> parsers;
    return parsers[is_inner ? 1 : 0];
}

bool may_start_json(char c) {
    return std::string_view(" \t\r\n{[\"-0123456789tfn").find(c) != std::string_view::npos;
}

// False when `text` is no JSON, is too deep, or holds an integer that no 64 bits hold.
bool append_parsed(
    std::string_view text, std::string& out, std::uint32_t depth_max, bool is_inner = false
) {
    if (text.empty() || !may_start_json(text.front())) return false;
    dom::parser& parser = scratch_parser(is_inner);
    const bool has_room = parser.capacity() >= text.size() && parser.max_depth() == depth_max;
    if (!has_room && parser.allocate(text.size(), depth_max) != simdjson::SUCCESS) return false;
    dom::element document;
    const bool is_json = parser.parse(text.data(), text.size()).get(document) == simdjson::SUCCESS;
    const std::size_t size_before = out.size();
    if (is_json && document.is_string() && !is_inner &&
        append_parsed(std::string_view(document), out, depth_max, true)) {
        return true;
    }
    out.resize(size_before);
    if (is_json) append_element(document, out);
    if (parser.capacity() > parser_bytes_kept_max) parser = dom::parser();
    return is_json;
}

void append_value(const Value& value, std::string& out, std::uint32_t depth_left);

void append_array(std::span<const Value> items, std::string& out, std::uint32_t depth_left) {
    out += '[';
    bool is_first = true;
    for (const Value& item : items) {
        if (!is_first) out += ',';
        is_first = false;
        append_value(item, out, depth_left);
    }
    out += ']';
}

void append_kvlist(std::span<const Attribute> entries, std::string& out, std::uint32_t depth_left) {
    struct Member {
        std::string_view key;
        const Value* value;
    };

    std::vector<Member> members;
    members.reserve(entries.size());
    for (const Attribute& entry : entries)
        members.push_back({entry.key, &entry.value});
    append_object(members, out, [&](const Value* value) { append_value(*value, out, depth_left); });
}

// What lies deeper than `depth_left` counts as null: decoding refuses it anyway.
void append_value(const Value& value, std::string& out, std::uint32_t depth_left) {
    if (depth_left == 0) {
        out += "null";
        return;
    }
    switch (value.kind) {
        case ValueKind::empty:
            out += "null";
            return;
        case ValueKind::boolean:
            out += value.boolean ? "true" : "false";
            return;
        case ValueKind::integer:
            return append_number(static_cast<double>(value.integer), out);
        case ValueKind::real:
            return append_number(value.real, out);
        case ValueKind::string:
            return append_string(value.text(), out);
        case ValueKind::bytes:
            return append_string(to_base64(value.text()), out);
        case ValueKind::array:
            return append_array(value.array(), out, depth_left - 1);
        case ValueKind::kvlist:
            return append_kvlist(value.kvlist(), out, depth_left - 1);
    }
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_word(char c) {
    const char lower = ascii_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '_';
}

// `pattern`: 9 a digit, h a hex digit, T a T or a blank, anything else itself.
bool starts_as(std::string_view text, std::string_view pattern) {
    if (text.size() < pattern.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = text[i];
        const char lower = ascii_lower(c);
        const bool fits = pattern[i] == '9'   ? is_digit(c)
                          : pattern[i] == 'h' ? is_digit(c) || (lower >= 'a' && lower <= 'f')
                          : pattern[i] == 'T' ? c == 'T' || c == 't' || c == ' '
                                              : c == pattern[i];
        if (!fits) return false;
    }
    return true;
}

std::size_t digits_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && is_digit(text[length]))
        ++length;
    return length;
}

bool ends_word(std::string_view text, std::size_t length) {
    return length == text.size() || !is_word(text[length]);
}

std::size_t uuid_length(std::string_view text) {
    constexpr std::string_view uuid = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    return starts_as(text, uuid) && ends_word(text, uuid.size()) ? uuid.size() : 0;
}

// RFC 3339 date-times and dates, with the variations that programs print.
std::size_t time_length(std::string_view text) {
    constexpr std::string_view date = "9999-99-99";
    if (!starts_as(text, date)) return 0;
    std::size_t length = date.size();
    if (starts_as(text.substr(length), "T99:99")) {
        length += 6;
        if (starts_as(text.substr(length), ":99")) length += 3;
        if (length < text.size() && text[length] == '.') {
            const std::size_t fraction = digits_length(text.substr(length + 1));
            if (fraction > 0) length += 1 + fraction;
        }
        const std::string_view zone = text.substr(length);
        if (starts_as(zone, "Z") || starts_as(zone, "z"))
            length += 1;
        else if (starts_as(zone, "+99:99") || starts_as(zone, "-99:99"))
            length += 6;
    }
    return ends_word(text, length) ? length : 0;
}

std::size_t number_length(std::string_view text) {
    std::size_t length = digits_length(text);
    if (length == 0) return 0;
    if (length + 1 < text.size() && text[length] == '.' && is_digit(text[length + 1])) {
        length += 1 + digits_length(text.substr(length + 1));
    }
    if (length < text.size() && text[length] == 'e') {
        const std::size_t sign =
            starts_as(text.substr(length + 1), "+") || starts_as(text.substr(length + 1), "-") ? 1
                                                                                               : 0;
        const std::size_t digits = digits_length(text.substr(length + 1 + sign));
        if (digits > 0) length += 1 + sign + digits;
    }
    return ends_word(text, length) ? length : 0;
}

}  // namespace

std::string_view canonical_json(std::string_view text, std::string& out, std::uint32_t depth_max) {
    out.clear();
    return append_parsed(text, out, depth_max) ? std::string_view(out) : text;
}

std::string_view canonical_json(const Value& value, std::string& out, std::uint32_t depth_max) {
    if (value.is_text()) return canonical_json(value.text(), out, depth_max);
    out.clear();
    append_value(value, out, depth_max);
    return out;
}

std::string_view json_shape(std::string_view canonical, std::string& out) {
    out.clear();
    bool in_word = false;
    while (!canonical.empty()) {
        std::size_t length = 0;
        if (!in_word) {
            std::string_view placeholder = "<uuid>";
            length = uuid_length(canonical);
            if (length == 0) {
                placeholder = "<time>";
                length = time_length(canonical);
            }
            if (length == 0) {
                placeholder = "<number>";
                length = number_length(canonical);
            }
            if (length > 0) out += placeholder;
        }
        if (length == 0) {
            length = 1;
            out += canonical.front();
            in_word = is_word(canonical.front());
        } else {
            in_word = true;
        }
        canonical.remove_prefix(length);
    }
    return out;
}

}  // namespace spangate
