// Detectors that need a telling key: `password=…`, `"api_key": "…"`, connection strings, and whole
// values whose attribute or member has such a name.
#include <array>
#include <cmath>

#include "redact/numbers.h"

namespace spangate {
namespace {

constexpr std::size_t key_bytes_max = 64;
constexpr std::size_t sample_bytes_max = 512;  // of a value, to judge it
constexpr std::size_t secret_bytes_min = 16;
constexpr double secret_bits_min = 3.0;  // of Shannon entropy a character
constexpr double any_key_bits_min = 3.5;

// n × log2(n), for the counts of a sample.
std::array<double, sample_bytes_max + 1> make_weights() {
    std::array<double, sample_bytes_max + 1> weights{};
    for (std::size_t n = 2; n < weights.size(); ++n)
        weights[n] = static_cast<double>(n) * std::log2(static_cast<double>(n));
    return weights;
}

// Shannon entropy a character; `text` has 1 to sample_bytes_max bytes.
double entropy_bits(std::string_view text) {
    static const std::array<double, sample_bytes_max + 1> weights = make_weights();
    std::array<std::uint16_t, 256> counts{};
    for (const char c : text)
        ++counts[static_cast<unsigned char>(c)];
    double sum = 0;
    for (const char c : text) {  // each kind once: its count is taken away
        std::uint16_t& count = counts[static_cast<unsigned char>(c)];
        sum += weights[count];
        count = 0;
    }
    const auto size = static_cast<double>(text.size());
    return (weights[text.size()] - sum) / size;
}

bool is_hash_or_uuid(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c) || c == '-'; });
}

// Something that stands for a secret already, or is none: `***`, `[email]`, `${TOKEN}`, `null`,
// `xxxx`; also as the last word of a sentence.
bool is_placeholder(std::string_view text) {
    while (!text.empty() && std::string_view(".!?:").find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    if (text.empty()) return true;
    if (ascii_lower(text.front()) == 'x' && text.find_first_not_of(text.front()) == text.npos) {
        return true;
    }
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

// Where the key before the separator ends: `key`, `"key"`, `\"key\"`, with a blank.
std::size_t key_end(const Scan& scan, std::size_t separator) {
    std::size_t end = separator;
    if (scan.before(end) == ' ') --end;
    if (scan.before(end) == '"' || scan.before(end) == '\'') --end;
    while (scan.before(end) == '\\')
        --end;
    return end;
}

std::string_view key_before(const Scan& scan, std::size_t end) {
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
    char quote = '\0';  // NUL: none
};

// Where a value starts from `i` on: behind blanks, the backslashes of an escaped quote, the quote.
Place value_from(const Scan& scan, std::size_t i) {
    constexpr std::size_t blanks_max = 4;
    Place place{i};
    while (scan.at(place.begin) == ' ' && place.begin - i < blanks_max)
        ++place.begin;
    while (scan.at(place.begin) == '\\')
        ++place.begin;
    const char c = scan.at(place.begin);
    if (c == '"' || c == '\'') {
        ++place.begin;
        place.quote = c;
    }
    return place;
}

// A quoted value goes to its quote, or to the backslash before it in text that was not parsed.
std::size_t quoted_end(const Scan& scan, const Place& place) {
    std::size_t end = place.begin;
    while (end < scan.text.size() && scan.text[end] != place.quote && scan.text[end] != '\\')
        ++end;
    return end;
}

// In prose («password: please …») a lower-case word is no password.
bool is_prose(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || c == '.' || c == '?' || c == '!';
    });
}

// `password: Optional[str]`, `password: The one of …`: no password is followed so.
bool is_sentence_start(const Scan& scan, std::string_view value, std::size_t end) {
    const bool is_word = value.front() >= 'A' && value.front() <= 'Z' && is_prose(value.substr(1));
    return is_word && (scan.at(end) == '[' || (scan.at(end) == ' ' && is_letter(scan.at(end + 1))));
}

bool is_connection_key(std::string_view key) {
    for (const std::string_view word :
         {"password", "pwd", "accountkey", "sharedaccesskey", "sharedaccesssignature"}) {
        if (equals_ignore_case(key, word)) return true;
    }
    return false;
}

// A whole value, by the key beside it.
void judge_value(Scan& scan, std::size_t begin, std::size_t end, KeyHints hints) {
    constexpr std::size_t phone_bytes_max = 32;
    const std::string_view text = scan.text.substr(begin, end - begin);
    if (hints.phone && scan.wants(Detector::phone) && text.size() <= phone_bytes_max) {
        const auto digits = std::count_if(text.begin(), text.end(), is_digit);
        const bool is_number = text.find_first_not_of("0123456789 +-./()x") == text.npos;
        if (digits >= 7 && digits <= 15 && is_number) scan.add(Detector::phone, begin, end);
    }
    if (!scan.wants(Detector::entropy)) return;
    if (hints.password && is_password(text)) {
        scan.add(Detector::entropy, begin, end);
        return;
    }
    // `Authorization: Token abc…`: the scheme stays.
    const std::size_t blank = text.rfind(' ');
    const std::size_t from = blank == std::string_view::npos ? 0 : blank + 1;
    if (from < text.size() && is_secret(text.substr(from), hints)) {
        scan.add(Detector::entropy, begin + from, end);
    }
}

// `"tokens": ["…", "…"]`: the strings at the start of an array.
void judge_items(Scan& scan, std::size_t bracket, KeyHints hints) {
    std::size_t i = bracket + 1;
    while (true) {
        const Place place = value_from(scan, i);
        if (place.quote == '\0') return;
        const std::size_t end = quoted_end(scan, place);
        judge_value(scan, place.begin, end, hints);
        i = end;
        while (scan.at(i) == '\\' || scan.at(i) == place.quote)
            ++i;
        if (scan.at(i) != ',') return;
        ++i;
    }
}

// `password=…` without quotes.
void judge_bare(Scan& scan, std::size_t separator, std::size_t begin, KeyHints hints) {
    if (hints.phone) {
        const std::size_t end_of_phone = labelled_phone_end(scan, begin);
        if (scan.wants(Detector::phone) && end_of_phone != begin) {
            scan.add(Detector::phone, begin, end_of_phone);
        }
        return;
    }
    std::size_t end = begin;
    while (end - begin < sample_bytes_max && is_value_byte(scan.at(end)))
        ++end;
    const std::string_view sample =
        scan.text.substr(std::min(begin, scan.text.size()), end - begin);
    if (!scan.wants(Detector::entropy) || !is_secret(sample, hints)) return;
    const bool is_colon = scan.text[separator] == ':';
    if (hints.password && is_colon && (is_prose(sample) || is_sentence_start(scan, sample, end))) {
        return;
    }
    while (is_value_byte(scan.at(end)))
        ++end;
    scan.add(Detector::entropy, begin, end);
}

// `Password=…;` of a connection string, quoted or not.
bool detect_connection(Scan& scan, std::string_view key, const Place& place) {
    if (!scan.wants(Detector::connection_string) || !is_connection_key(key)) return false;
    std::size_t end = place.begin;
    if (place.quote != '\0') {
        end = quoted_end(scan, place);
    } else {
        while (is_value_byte(scan.at(end)))
            ++end;
    }
    const std::size_t begin = std::min(place.begin, scan.text.size());
    if (!is_password(scan.text.substr(begin, end - begin))) return false;
    scan.add(Detector::connection_string, begin, end);
    return true;
}

}  // namespace

void detect_assignment(Scan& scan, std::size_t separator) {
    constexpr DetectorMask any_of_mine =
        bit(Detector::entropy) | bit(Detector::connection_string) | bit(Detector::phone);
    if ((scan.mask & any_of_mine) == 0) return;
    const std::size_t end_of_key = key_end(scan, separator);
    if (!may_tell(scan.text.substr(0, end_of_key))) return;
    if (scan.at(separator + 1) == scan.text[separator]) return;
    const std::string_view key = key_before(scan, end_of_key);
    const KeyHints hints = hints_of(key);
    if (!hints.any()) return;
    const Place place = value_from(scan, separator + 1);
    if (scan.text[separator] == '=' && detect_connection(scan, key, place)) return;
    if (place.quote != '\0') {
        judge_value(scan, place.begin, quoted_end(scan, place), hints);
    } else if (scan.at(place.begin) == '[') {
        judge_items(scan, place.begin, hints);
    } else {
        judge_bare(scan, separator, place.begin, hints);
    }
}

// `--password hunter2` of a command line; `--password=hunter2` is an assignment.
void detect_option(Scan& scan, std::size_t second_dash) {
    const std::size_t begin = second_dash + 1;
    if (!scan.wants(Detector::entropy) || scan.before(second_dash, 2) == '-') return;
    std::size_t end = begin;
    while (end - begin < key_bytes_max && is_base64url(scan.at(end)))
        ++end;
    const std::string_view key = scan.text.substr(begin, end - begin);
    if (scan.at(end) != ' ' || !may_tell(key)) return;
    const KeyHints hints = hints_of(key);
    if (!hints.password && !hints.secret) return;
    const Place place = value_from(scan, end);
    std::size_t value_end = place.begin;
    if (place.quote != '\0') {
        value_end = quoted_end(scan, place);
    } else {
        while (is_value_byte(scan.at(value_end)))
            ++value_end;
    }
    if (value_end <= place.begin) return;
    const std::string_view value = scan.text.substr(place.begin, value_end - place.begin);
    const bool is_other = std::string_view("-$/~.").find(value.front()) != std::string_view::npos;
    if (is_other || (place.quote == '\0' && is_prose(value)) || !is_secret(value, hints)) return;
    scan.add(Detector::entropy, place.begin, value_end);
}

void detect_by_hints(Scan& scan) {
    judge_value(scan, 0, scan.text.size(), scan.hints);
}

}  // namespace spangate
