// Detectors that need a telling key: `password=…`, `"api_key": "…"`, connection strings, and whole
// values whose attribute or member has such a name.
#include <array>
#include <cmath>

#include "redact/scan.h"

namespace spangate {
namespace {

constexpr std::size_t key_bytes_max = 64;
constexpr std::size_t sample_bytes_max = 512;  // of a value, to judge it
constexpr std::size_t secret_bytes_min = 16;
constexpr double secret_bits_min = 3.0;  // of Shannon entropy a character
constexpr double any_key_bits_min = 3.5;

double entropy_bits(std::string_view text) {
    std::array<std::uint32_t, 256> counts{};
    for (const char c : text)
        ++counts[static_cast<unsigned char>(c)];
    double bits = 0;
    for (const std::uint32_t count : counts) {
        if (count == 0) continue;
        const double share = static_cast<double>(count) / static_cast<double>(text.size());
        bits -= share * std::log2(share);
    }
    return bits;
}

bool is_hash_or_uuid(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c) || c == '-'; });
}

// Something that stands for a secret already, or is none: `***`, `[email]`, `${TOKEN}`, `null`.
bool is_placeholder(std::string_view text) {
    if (text.empty()) return true;
    const char last = text.back();
    switch (text.front()) {
        case '[':
            return last == ']';
        case '<':
            return last == '>';
        case '{':
        case '$':
            return last == '}';
        case '*':
            return last == '*';
        default:
            break;
    }
    for (const std::string_view word :
         {"null", "none", "true", "false", "undefined", "redacted", "required", "string", "None"}) {
        if (equals_ignore_case(text, word)) return true;
    }
    return false;
}

bool is_password(std::string_view text) {
    return text.size() >= 3 && !is_placeholder(text) && text.front() != '/';
}

bool is_random(std::string_view text, double bits_min) {
    const std::string_view sample = text.substr(0, sample_bytes_max);
    if (sample.size() < secret_bytes_min || is_placeholder(sample)) return false;
    const bool has_digit = std::any_of(sample.begin(), sample.end(), is_digit);
    const bool has_letter = std::any_of(sample.begin(), sample.end(), is_letter);
    return has_digit && has_letter && entropy_bits(sample) >= bits_min;
}

bool is_secret(std::string_view text, KeyHints hints) {
    if (hints.password) return is_password(text);
    if (hints.secret) return is_random(text, secret_bits_min);
    return hints.some_key && is_random(text, any_key_bits_min) && !is_hash_or_uuid(text);
}

constexpr bool is_value_byte(char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '\'' && c != ',' && c != ';' &&
           c != '&' && c != '<' && c != '>' && c != '(' && c != ')' && c != '{' && c != '}' &&
           c != '[' && c != ']' && c != '\\' && c != '|';
}

// The key that ends before the separator: `key`, `"key"`, `\"key\"`, with blanks.
std::string_view key_before(const Scan& scan, std::size_t separator) {
    std::size_t end = separator;
    if (end > 0 && scan.text[end - 1] == ' ') --end;
    if (end > 0 && (scan.text[end - 1] == '"' || scan.text[end - 1] == '\'')) --end;
    while (end > 0 && scan.text[end - 1] == '\\')
        --end;
    std::size_t begin = end;
    while (begin > 0 && end - begin < key_bytes_max &&
           (is_alnum(scan.text[begin - 1]) || scan.text[begin - 1] == '_' ||
            scan.text[begin - 1] == '-' || scan.text[begin - 1] == '.')) {
        --begin;
    }
    return scan.text.substr(begin, end - begin);
}

struct Place {
    std::size_t begin = 0;
    bool is_quoted = false;
    bool is_spaced = false;
};

Place value_after(const Scan& scan, std::size_t separator) {
    Place place{separator + 1};
    while (scan.at(place.begin) == ' ' && place.begin - separator < 4) {
        ++place.begin;
        place.is_spaced = true;
    }
    while (scan.at(place.begin) == '\\')
        ++place.begin;
    if (scan.at(place.begin) == '"' || scan.at(place.begin) == '\'') {
        ++place.begin;
        place.is_quoted = true;
    }
    return place;
}

// In prose («password: please …») a lower-case word is no password.
bool is_prose(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || c == '.' || c == '?' || c == '!';
    });
}

bool is_connection_key(std::string_view key) {
    for (const std::string_view word :
         {"password", "pwd", "accountkey", "sharedaccesskey", "sharedaccesssignature"}) {
        if (equals_ignore_case(key, word)) return true;
    }
    return false;
}

// `"phone": 4155550132`: digits alone are a number of a person only beside such a key.
void detect_plain_phone(Scan& scan, std::size_t begin) {
    std::size_t end = begin;
    while (end - begin <= 15 && is_digit(scan.at(end)))
        ++end;
    if (!scan.wants(Detector::phone) || end - begin < 7 || end - begin > 15) return;
    if (!is_alnum(scan.at(end))) scan.add(Detector::phone, begin, end);
}

}  // namespace

void detect_assignment(Scan& scan, std::size_t separator) {
    const bool wants_entropy = scan.wants(Detector::entropy);
    constexpr DetectorMask any_of_mine =
        bit(Detector::entropy) | bit(Detector::connection_string) | bit(Detector::phone);
    if ((scan.mask & any_of_mine) == 0) return;
    if (separator == 0 || scan.at(separator + 1) == scan.text[separator]) return;
    const std::string_view key = key_before(scan, separator);
    if (key.size() < 3) return;
    const KeyHints hints = hints_of(key);
    if (!hints.any()) return;
    const Place place = value_after(scan, separator);
    if (hints.phone) {
        detect_plain_phone(scan, place.begin);
        return;
    }
    std::size_t end = place.begin;
    while (end - place.begin < sample_bytes_max && is_value_byte(scan.at(end)))
        ++end;
    const std::string_view sample =
        scan.text.substr(std::min(place.begin, scan.text.size()), end - place.begin);
    const bool is_equation = scan.text[separator] == '=';
    const bool is_connection = scan.wants(Detector::connection_string) && is_equation &&
                               is_connection_key(key) && is_password(sample);
    if (!is_connection) {
        if (!wants_entropy || !is_secret(sample, hints)) return;
        if (hints.password && !is_equation && !place.is_quoted && is_prose(sample)) return;
    }
    while (is_value_byte(scan.at(end)))
        ++end;
    scan.add(is_connection ? Detector::connection_string : Detector::entropy, place.begin, end);
}

void detect_by_hints(Scan& scan) {
    const std::string_view text = scan.text;
    constexpr std::size_t phone_bytes_max = 32;
    if (scan.hints.phone && scan.wants(Detector::phone) && text.size() <= phone_bytes_max) {
        const auto digits = std::count_if(text.begin(), text.end(), is_digit);
        const bool is_number = text.find_first_not_of("0123456789 +-./()x") == text.npos;
        if (digits >= 7 && digits <= 15 && is_number) scan.add(Detector::phone, 0, text.size());
    }
    if (!scan.wants(Detector::entropy)) return;
    // `Authorization: Token abc…`: the scheme stays.
    const std::size_t blank = text.rfind(' ');
    const std::size_t begin = blank == std::string_view::npos ? 0 : blank + 1;
    const bool is_whole_password = scan.hints.password && is_password(text);
    if (is_whole_password) {
        scan.add(Detector::entropy, 0, text.size());
    } else if (begin < text.size() && is_secret(text.substr(begin), scan.hints)) {
        scan.add(Detector::entropy, begin, text.size());
    }
}

}  // namespace spangate
