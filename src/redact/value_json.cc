#include "redact/value_json.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "redact/json_tokens.h"

namespace spangate {
namespace {

constexpr std::int64_t safe_integer_max = (std::int64_t{1} << 53) - 1;

void append_quoted(std::string_view text, std::string& out) {
    out += '"';
    append_json_escaped(text, out);
    out += '"';
}

template <typename Number>
void append_digits(Number number, std::string& out) {
    std::array<char, 32> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), written.ptr);
}

void append_integer(std::int64_t integer, std::string& out) {
    const bool is_safe = integer >= -safe_integer_max && integer <= safe_integer_max;
    if (!is_safe) out += '"';
    append_digits(integer, out);
    if (!is_safe) out += '"';
}

void append_real(double real, std::string& out) {
    if (std::isnan(real)) {
        out += "\"NaN\"";
    } else if (std::isinf(real)) {
        out += real > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
        append_digits(real, out);
    }
}

}  // namespace

// Depth is bounded by decoding (`nesting_depth_max`).
void append_value_json(const Value& value, std::string& out) {
    switch (value.kind) {
        case ValueKind::empty:
            out += "null";
            return;
        case ValueKind::boolean:
            out += value.boolean ? "true" : "false";
            return;
        case ValueKind::integer:
            append_integer(value.integer, out);
            return;
        case ValueKind::real:
            append_real(value.real, out);
            return;
        case ValueKind::string:
            append_quoted(value.text(), out);
            return;
        case ValueKind::bytes:
            append_quoted(to_base64(value.text()), out);
            return;
        case ValueKind::array: {
            char separator = '[';
            for (const Value& item : value.array()) {
                out += separator;
                append_value_json(item, out);
                separator = ',';
            }
            out += value.size == 0 ? "[]" : "]";
            return;
        }
        case ValueKind::kvlist: {
            char separator = '{';
            for (const Attribute& entry : value.kvlist()) {
                out += separator;
                append_quoted(entry.key, out);
                out += ':';
                append_value_json(entry.value, out);
                separator = ',';
            }
            out += value.size == 0 ? "{}" : "}";
            return;
        }
    }
}

std::string_view value_text(const Value& value, std::string& scratch) {
    if (value.is_text()) return value.text();
    scratch.clear();
    append_value_json(value, scratch);
    return scratch;
}

std::size_t value_bytes(const Value& value) {
    constexpr std::size_t scalar_bytes = 8;
    constexpr std::size_t frame_bytes = 4;  // quotes, colon, comma
    std::size_t bytes = 0;
    switch (value.kind) {
        case ValueKind::empty:
            return 0;
        case ValueKind::boolean:
        case ValueKind::integer:
        case ValueKind::real:
            return scalar_bytes;
        case ValueKind::string:
            return value.size;
        case ValueKind::bytes:
            return base64_size(value.size);
        case ValueKind::array:
            for (const Value& item : value.array())
                bytes += value_bytes(item) + frame_bytes;
            return bytes;
        case ValueKind::kvlist:
            for (const Attribute& entry : value.kvlist())
                bytes += entry.key.size() + value_bytes(entry.value) + frame_bytes;
            return bytes;
    }
    return bytes;
}

}  // namespace spangate
