#include "redact/json_tokens.h"

#include <array>
#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"
#include "redact/scan.h"

namespace spangate {
namespace {

constexpr std::size_t bits_per_word = 64;

void append_code_point(std::uint32_t code, std::string& out) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

// Four hex digits at `at`, or a value above all code units.
std::uint32_t code_unit(std::string_view text, std::size_t at) {
    constexpr std::uint32_t none = 0x10000;
    if (text.size() < at + 4) return none;
    std::array<std::uint8_t, 2> bytes{};
    if (!read_hex(text.substr(at, 4), bytes)) return none;
    return static_cast<std::uint32_t>(bytes[0]) << 8 | bytes[1];
}

// `\uXXXX` (a pair of them for a surrogate pair) at `i`; the bytes read, 0 when it is none.
std::size_t append_unicode_escape(std::string_view text, std::size_t i, std::string& out) {
    constexpr std::uint32_t replacement = 0xFFFD;
    const std::uint32_t unit = code_unit(text, i + 2);
    if (unit > 0xFFFF) return 0;
    const bool is_high = unit >= 0xD800 && unit <= 0xDBFF;
    if (is_high && text.substr(std::min(i + 6, text.size()), 2) == "\\u") {
        const std::uint32_t low = code_unit(text, i + 8);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            append_code_point(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), out);
            return 12;
        }
    }
    append_code_point(unit >= 0xD800 && unit <= 0xDFFF ? replacement : unit, out);
    return 6;
}

// The character of a one-letter escape, or NUL.
char simple_escape(char letter) {
    switch (letter) {
        case '"':
            return '"';
        case '\\':
            return '\\';
        case '/':
            return '/';
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return '\0';
    }
}

// Bytes that cannot stand in a JSON string as they are.
constexpr std::array<bool, 256> escape_stops() {
    std::array<bool, 256> stops{};
    for (std::size_t byte = 0; byte < 0x20; ++byte)
        stops[byte] = true;
    stops['"'] = stops['\\'] = true;
    return stops;
}

void append_escape(char c, std::string& out) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += '\\';
    if (c == '"' || c == '\\') {
        out += c;
    } else if (c == '\n') {
        out += 'n';
    } else if (c == '\r') {
        out += 'r';
    } else if (c == '\t') {
        out += 't';
    } else {
        out += "u00";
        out += hex[byte >> 4];
        out += hex[byte & 15];
    }
}

// The first quote or backslash from `from` on, or the end or beyond; sixteen bytes at a time.
std::size_t string_stop(std::string_view text, std::size_t from) {
    std::size_t i = from;
#if defined(__SSE2__)
    constexpr std::size_t block_bytes = 16;
    for (; i + block_bytes <= text.size(); i += block_bytes) {
        const __m128i bytes =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));  // NOLINT
        const __m128i stops = _mm_or_si128(
            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))
        );
        const auto found = static_cast<std::uint32_t>(_mm_movemask_epi8(stops));
        if (found != 0) return i + static_cast<std::size_t>(std::countr_zero(found));
    }
#endif
    while (i < text.size() && text[i] != '"' && text[i] != '\\')
        ++i;
    return i;
}

// Looks for the first byte from `from` on that cannot stand as it is, or the end; sixteen bytes at
// a time. `has_foreign` becomes true when a byte that is not ASCII was passed.
std::size_t plain_end(std::string_view text, std::size_t from, bool& has_foreign) {
    static constexpr std::array<bool, 256> stops = escape_stops();
    std::size_t i = from;
#if defined(__SSE2__)
    constexpr std::size_t block_bytes = 16;
    for (; text.size() - i >= block_bytes; i += block_bytes) {
        const __m128i bytes =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));  // NOLINT
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        const auto found = static_cast<std::uint32_t>(
            _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)))
        );
        has_foreign = has_foreign || _mm_movemask_epi8(bytes) != 0;
        if (found != 0) return i + static_cast<std::size_t>(std::countr_zero(found));
    }
#endif
    for (; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (stops[byte]) return i;
        has_foreign = has_foreign || byte >= 0x80;
    }
    return i;
}

}  // namespace

void JsonTokens::start(std::string_view text) {
    text_ = text;
    at_ = 0;
    depth_ = 0;
    expect_ = Expect::value;
    is_object_.clear();
}

bool JsonTokens::in_object() const {
    const std::size_t level = depth_ - 1;
    return (is_object_[level / bits_per_word] >> (level % bits_per_word) & 1U) != 0;
}

void JsonTokens::skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
        ++at_;
}

JsonToken JsonTokens::at(JsonTokenKind kind, std::size_t end) {
    const JsonToken token{kind, at_, end, false};
    at_ = end;
    return token;
}

JsonToken JsonTokens::next() {
    skip_blanks();
    if (at_ == text_.size()) {
        const bool is_whole = depth_ == 0 && expect_ != Expect::nothing;
        return at(is_whole ? JsonTokenKind::end : JsonTokenKind::cut, at_);
    }
    if (expect_ == Expect::nothing) return at(JsonTokenKind::wrong, at_);
    char c = text_[at_];
    if (expect_ == Expect::comma_or_end) {
        if (c == '}' || c == ']') return close(c);
        if (c != ',') return at(JsonTokenKind::wrong, at_);
        ++at_;
        skip_blanks();
        expect_ = in_object() ? Expect::key : Expect::value;
        if (at_ == text_.size()) return at(JsonTokenKind::cut, at_);
        c = text_[at_];
    }
    if (expect_ == Expect::key || expect_ == Expect::key_or_end) {
        if (c == '}' && expect_ == Expect::key_or_end) return close(c);
        if (c != '"') return at(JsonTokenKind::wrong, at_);
        return string_token(JsonTokenKind::key);
    }
    if (c == ']' && expect_ == Expect::value_or_end) return close(c);
    return value(c);
}

JsonToken JsonTokens::value(char first) {
    if (first == '{' || first == '[') return open(first);
    if (first == '"') return string_token(JsonTokenKind::string);
    if (first == '-' || is_digit(first)) return number_token();
    return literal_token();
}

JsonToken JsonTokens::open(char bracket) {
    const bool is_object = bracket == '{';
    if (depth_ / bits_per_word >= is_object_.size()) is_object_.push_back(0);
    std::uint64_t& word = is_object_[depth_ / bits_per_word];
    const std::uint64_t level_bit = std::uint64_t{1} << (depth_ % bits_per_word);
    word = is_object ? word | level_bit : word & ~level_bit;
    ++depth_;
    expect_ = is_object ? Expect::key_or_end : Expect::value_or_end;
    return at(is_object ? JsonTokenKind::object_begin : JsonTokenKind::array_begin, at_ + 1);
}

JsonToken JsonTokens::close(char bracket) {
    const bool is_object = bracket == '}';
    if (depth_ == 0 || in_object() != is_object) return at(JsonTokenKind::wrong, at_);
    --depth_;
    after_value();
    return at(is_object ? JsonTokenKind::object_end : JsonTokenKind::array_end, at_ + 1);
}

JsonToken JsonTokens::string_token(JsonTokenKind kind) {
    JsonToken token{kind, at_ + 1, at_ + 1, false};
    std::size_t i = string_stop(text_, token.begin);
    while (i < text_.size() && text_[i] != '"') {
        token.has_escape = true;
        i = string_stop(text_, i + 2);
    }
    if (i >= text_.size()) {
        token.end = text_.size();
        at_ = text_.size();
        expect_ = Expect::nothing;
        return token;
    }
    token.end = i;
    at_ = i + 1;
    if (kind == JsonTokenKind::string) {
        after_value();
        return token;
    }
    skip_blanks();
    const bool has_colon = at_ < text_.size() && text_[at_] == ':';
    if (has_colon) ++at_;
    expect_ = has_colon ? Expect::value : Expect::nothing;
    return token;
}

JsonToken JsonTokens::number_token() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.' || text_[end] == 'e' ||
                                  text_[end] == 'E' || text_[end] == '+' || text_[end] == '-'))
        ++end;
    after_value();
    return at(JsonTokenKind::number, end);
}

JsonToken JsonTokens::literal_token() {
    for (const std::string_view literal : {"true", "false", "null", "NaN", "Infinity"}) {
        if (text_.substr(at_, literal.size()) != literal) continue;
        after_value();
        return at(JsonTokenKind::literal, at_ + literal.size());
    }
    return at(JsonTokenKind::wrong, at_);
}

bool has_odd_quotes(std::string_view text) {
    std::size_t i = 0;
    unsigned odd = 0;  // one bit for each place in a block
#if defined(__SSE2__)
    constexpr std::size_t block_bytes = 16;
    const auto quotes = [&text](std::size_t at) {
        const __m128i bytes =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));  // NOLINT
        return _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    };
    __m128i sum = _mm_setzero_si128();
    for (; text.size() - i >= block_bytes; i += block_bytes)
        sum = _mm_xor_si128(sum, quotes(i));
    odd = static_cast<unsigned>(_mm_movemask_epi8(sum));
    if (i > 0) {  // the rest, with bytes before it that were taken already
        const auto last =
            static_cast<unsigned>(_mm_movemask_epi8(quotes(text.size() - block_bytes)));
        return __builtin_parity(odd ^ last >> (block_bytes - (text.size() - i))) != 0;
    }
#endif
    for (; i < text.size(); ++i)
        odd ^= text[i] == '"' ? 1U : 0U;
    return __builtin_parity(odd) != 0;
}

void append_json_unescaped(std::string_view inside, std::string& out) {
    std::size_t i = 0;
    while (i < inside.size()) {
        const std::size_t backslash = inside.find('\\', i);
        if (backslash == std::string_view::npos || backslash + 1 == inside.size()) {
            out += inside.substr(i);
            return;
        }
        out += inside.substr(i, backslash - i);
        const char letter = inside[backslash + 1];
        const char simple = simple_escape(letter);
        const std::size_t unicode =
            letter == 'u' ? append_unicode_escape(inside, backslash, out) : 0;
        if (unicode > 0) {
            i = backslash + unicode;
        } else if (simple != '\0') {
            out += simple;
            i = backslash + 2;
        } else {
            out += '\\';
            i = backslash + 1;
        }
    }
}

void append_json_escaped(std::string_view text, std::string& out) {
    const std::size_t size_before = out.size();
    bool has_foreign = false;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = plain_end(text, from, has_foreign);
        out.append(text.data() + from, end - from);
        if (end < text.size()) append_escape(text[end], out);
        from = end + 1;
    }
    if (!has_foreign) return;
    // Escaping touches ASCII only, so that what is ill-formed is so after it, too.
    const std::string_view written = std::string_view(out).substr(size_before);
    if (is_utf8(written)) return;
    std::string repaired;
    append_as_utf8(written, repaired);
    out.replace(size_before, std::string::npos, repaired);
}

}  // namespace spangate
