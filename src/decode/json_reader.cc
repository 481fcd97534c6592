#include "decode/json_reader.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace spangate {
namespace {

constexpr const char* bad_text = "a string is expected here";
constexpr const char* bad_escape = "a string holds a wrong escape";
constexpr const char* bad_integer = "an integer is expected here";
constexpr const char* bad_real = "a number is expected here";
constexpr const char* bad_base64 = "bytesValue is not base64";
constexpr double two_to_64 = 18446744073709551616.0;

template <typename Number>
bool whole_text_is(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

// The code unit of the \uXXXX at `at`, or -1.
int code_unit(std::string_view text, std::size_t at) {
    if (text.size() - at < 6 || text[at] != '\\' || text[at + 1] != 'u') return -1;
    int unit = 0;
    const auto [end, error] = std::from_chars(&text[at + 2], text.data() + at + 6, unit, 16);
    return error == std::errc() && end == text.data() + at + 6 ? unit : -1;
}

// Replaces, in place, each \uXXXX that is half of a surrogate pair by \ufffd.
void mend_surrogates(char* text, std::size_t size) {
    constexpr std::string_view replacement = "\\ufffd";
    const std::string_view view(text, size);
    std::size_t at = 0;
    while ((at = view.find('\\', at)) != std::string_view::npos) {
        const int unit = code_unit(view, at);
        const bool is_high = unit >= 0xD800 && unit < 0xDC00;
        const bool is_low = unit >= 0xDC00 && unit < 0xE000;
        const int next = is_high && at + 6 < size ? code_unit(view, at + 6) : -1;
        if (is_high && next >= 0xDC00 && next < 0xE000) {
            at += 12;
        } else if (is_high || is_low) {
            std::memcpy(text + at, replacement.data(), replacement.size());
            at += 6;
        } else {
            at += unit >= 0 ? 6 : 2;
        }
    }
}

int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

}  // namespace

std::string_view JsonReader::text(json::value value) {
    if (type_of(value) != json::json_type::string) throw JsonFault{bad_text};
    const std::string_view token = value.raw_json_token();
    json::raw_json_string raw;
    expect(value.get_raw_json_string().get(raw), bad_text);
    // The token reaches to the next structural character: cut what stands behind the last quote.
    const std::size_t end = token.rfind('"');
    if (end == 0 || end == std::string_view::npos) throw JsonFault{bad_text};
    const std::string_view escaped = token.substr(1, end - 1);
    if (escaped.find('\\') == std::string_view::npos) return escaped;
    return unescape(raw, escaped);
}

std::string_view JsonReader::unescape(json::raw_json_string raw, std::string_view escaped) {
    // simdjson writes whole vectors, so up to a padding behind the text.
    const std::size_t room = escaped.size() + simdjson::SIMDJSON_PADDING;
    auto* target = static_cast<std::uint8_t*>(arena_.allocate(room, 1));
    std::string_view text;
    std::uint8_t* at = target;
    if (parser_.unescape(raw, at).get(text) == simdjson::SUCCESS) return text;

    char* mended = static_cast<char*>(arena_.allocate(room + 1, 1));
    std::memcpy(mended, escaped.data(), escaped.size());
    std::memset(mended + escaped.size(), '"', room + 1 - escaped.size());
    mend_surrogates(mended, escaped.size());
    at = target;
    const json::raw_json_string source(reinterpret_cast<const std::uint8_t*>(mended));  // NOLINT
    expect(parser_.unescape(source, at).get(text), bad_escape);
    return text;
}

bool JsonReader::boolean(json::value value) {
    bool boolean = false;
    expect(value.get_bool().get(boolean), "true or false is expected here");
    return boolean;
}

std::uint64_t JsonReader::uint64(json::value value) {
    std::uint64_t number = 0;
    if (type_of(value) == json::json_type::string) {
        if (!whole_text_is(text(value), number)) throw JsonFault{bad_integer};
        return number;
    }
    if (value.get_uint64().get(number) == simdjson::SUCCESS) return number;
    // 1.7e18 and 5.0 are integers too.
    double real = 0;
    expect(value.get_double().get(real), bad_integer);
    if (!(real >= 0 && real < two_to_64) || real != std::floor(real)) throw JsonFault{bad_integer};
    return static_cast<std::uint64_t>(real);
}

std::uint32_t JsonReader::uint32(json::value value) {
    const std::uint64_t number = uint64(value);
    if (number > std::numeric_limits<std::uint32_t>::max()) throw JsonFault{bad_integer};
    return static_cast<std::uint32_t>(number);
}

double JsonReader::real(json::value value) {
    double number = 0;
    if (type_of(value) != json::json_type::string) {
        expect(value.get_double().get(number), bad_real);
        return number;
    }
    const std::string_view word = text(value);
    if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (word == "Infinity") return std::numeric_limits<double>::infinity();
    if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
    if (!whole_text_is(word, number) || !std::isfinite(number)) throw JsonFault{bad_real};
    return number;
}

Value JsonReader::integer(json::value value) {
    std::int64_t number = 0;
    double real = 0;
    if (type_of(value) == json::json_type::string) {
        const std::string_view digits = text(value);
        if (whole_text_is(digits, number)) return Value::of(number);
        if (!whole_text_is(digits, real) || !std::isfinite(real)) throw JsonFault{bad_integer};
        return Value::of(real);
    }
    if (value.get_int64().get(number) == simdjson::SUCCESS) return Value::of(number);
    expect(value.get_double().get(real), bad_integer);
    constexpr double two_to_63 = two_to_64 / 2;
    if (real == std::floor(real) && real >= -two_to_63 && real < two_to_63) {
        return Value::of(static_cast<std::int64_t>(real));
    }
    return Value::of(real);
}

std::int64_t JsonReader::enumeration(json::value value) {
    std::int64_t number = 0;
    expect(value.get_int64().get(number), "an enum is a number in OTLP/JSON, not a name");
    return number;
}

Value JsonReader::bytes(json::value value) {
    std::string_view digits = text(value);
    while (!digits.empty() && digits.back() == '=')
        digits.remove_suffix(1);
    char* out = static_cast<char*>(arena_.allocate(digits.size() * 3 / 4 + 1, 1));
    std::size_t size = 0;
    std::uint32_t bits = 0;
    unsigned bits_count = 0;
    for (const char c : digits) {
        const int digit = base64_digit(c);
        if (digit < 0) throw JsonFault{bad_base64};
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        bits_count += 6;
        if (bits_count >= 8) {
            bits_count -= 8;
            out[size++] = static_cast<char>((bits >> bits_count) & 0xFF);
        }
    }
    if (bits_count == 6) throw JsonFault{bad_base64};
    Value made = Value::of(std::string_view(out, size));
    made.kind = ValueKind::bytes;
    return made;
}

}  // namespace spangate
