// Detectors that start at digits: cards, social security numbers; what asks those of phone numbers.
#include <array>
#include <cstring>

#include "redact/numbers.h"

namespace spangate {
namespace {

bool passes_luhn(std::string_view digits) {
    unsigned sum = 0;
    bool is_doubled = false;
    for (std::size_t i = digits.size(); i > 0; --i) {
        unsigned digit = static_cast<unsigned>(digits[i - 1] - '0');
        if (is_doubled) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
        is_doubled = !is_doubled;
    }
    return sum % 10 == 0;
}

struct Issuer {
    unsigned first = 0;  // of the first four digits
    unsigned last = 0;
    std::size_t size_min = 0;
    std::size_t size_max = 0;
    bool only_ends = false;  // only the two lengths, none between
};

// The lengths that are issued; a standard that allows all from 14 to 19 would take every tenth id.
constexpr std::array<Issuer, 19> issuers = {{
    {4000, 4999, 13, 16, true},   // Visa
    {4000, 4999, 19, 19, false},  // Visa
    {5100, 5599, 16, 16, false},  // Mastercard
    {2221, 2720, 16, 16, false},  // Mastercard
    {3400, 3499, 15, 15, false},  // American Express
    {3700, 3799, 15, 15, false},  // American Express
    {6011, 6011, 16, 19, true},   // Discover
    {6440, 6599, 16, 19, true},   // Discover
    {3000, 3059, 14, 16, true},   // Diners Club
    {3095, 3095, 14, 16, true},   // Diners Club
    {3600, 3699, 14, 16, true},   // Diners Club
    {3800, 3999, 14, 16, true},   // Diners Club
    {3528, 3589, 16, 19, true},   // JCB
    {1800, 1800, 15, 15, false},  // JCB
    {2131, 2131, 15, 15, false},  // JCB
    {6200, 6299, 16, 19, false},  // UnionPay
    {2200, 2204, 16, 19, false},  // Mir
    {8100, 8299, 16, 16, false},  // RuPay
    {5000, 5099, 16, 16, false},  // Maestro, Elo
}};

bool has_issuer(std::string_view digits) {
    unsigned prefix = 0;
    for (const char c : digits.substr(0, 4))
        prefix = prefix * 10 + static_cast<unsigned>(c - '0');
    return std::any_of(issuers.begin(), issuers.end(), [&](const Issuer& issuer) {
        if (prefix < issuer.first || prefix > issuer.last) return false;
        if (issuer.only_ends) {
            return digits.size() == issuer.size_min || digits.size() == issuer.size_max;
        }
        return digits.size() >= issuer.size_min && digits.size() <= issuer.size_max;
    });
}

// The ways in which card numbers are written in groups.
bool has_card_shape(const Groups& groups, std::size_t count) {
    static constexpr std::array<std::string_view, 7> shapes = {
        "4444", "44443", "465", "464", "445", "88", "4443"};
    std::array<char, number_groups_max> sizes{};
    for (std::size_t i = 0; i < count; ++i) {
        sizes[i] = static_cast<char>('0' + groups.sizes[i]);
        if (i + 1 < count && groups.separators[i] != groups.separators[0]) return false;
    }
    const std::string_view shape(sizes.data(), count);
    return std::find(shapes.begin(), shapes.end(), shape) != shapes.end();
}

// Whether [begin, end) is the middle or the end of a longer hexadecimal token: a hash, a trace id.
bool is_inside_hex(const Scan& scan, std::size_t begin, std::size_t end) {
    constexpr std::size_t steps_max = 64;
    std::size_t left = begin;
    while (left > 0 && begin - left < steps_max && is_hex(scan.text[left - 1]))
        --left;
    std::size_t right = end;
    while (right - end < steps_max && is_hex(scan.at(right)))
        ++right;
    if (left == begin && right == end) return false;
    return !(scan.word_before(left) && left < begin) && !(scan.word_at(right) && right > end);
}

bool detect_card(Scan& scan, std::size_t start, const Groups& groups) {
    for (std::size_t count = groups.count; count > 0; --count) {
        const std::string_view digits = groups.digits_of(count);
        if (digits.size() < 13) return false;
        if (count > 1 && !has_card_shape(groups, count)) continue;
        if (!is_card_number(digits)) continue;
        const std::size_t end = groups.ends[count - 1];
        const bool is_fraction = (scan.before(start) == '.' && is_digit(scan.before(start, 2))) ||
                                 (count == 1 && scan.at(end) == '.' && is_digit(scan.at(end + 1)));
        if (is_fraction || is_inside_hex(scan, start, end)) continue;
        scan.add(Detector::card, start, end);
        return true;
    }
    return false;
}

bool is_ssn(std::string_view digits) {
    if (digits.size() != 9) return false;
    const std::string_view area = digits.substr(0, 3);
    return area != "000" && area != "666" && area.front() != '9' && digits.substr(3, 2) != "00" &&
           digits.substr(5) != "0000";
}

bool detect_ssn(Scan& scan, std::size_t start, const Groups& groups) {
    if (groups.sizes[0] == 9 && is_ssn(groups.digits_of(1)) && !number_before(scan, start) &&
        !number_at(scan, groups.ends[0]) && (scan.hints.ssn || is_labelled(scan, start, "ssn"))) {
        scan.add(Detector::ssn, start, groups.ends[0]);
        return true;
    }
    if (groups.count < 3 || groups.sizes[0] != 3 || groups.sizes[1] != 2 || groups.sizes[2] != 4) {
        return false;
    }
    const char separator = groups.separators[0];
    if (separator != groups.separators[1] || (separator != '-' && separator != ' ')) return false;
    if (!is_ssn(groups.digits_of(3)) || number_before(scan, start)) return false;
    const std::size_t end = groups.ends[2];
    if (number_at(scan, end)) return false;
    if (separator == ' ' && !scan.hints.ssn && !is_labelled(scan, start, "ssn") &&
        !is_labelled(scan, start, "social")) {
        return false;
    }
    scan.add(Detector::ssn, start, end);
    return true;
}

// Most digits of telemetry are few, or parts of words: told here for a glance at their ends.
bool may_be_number(const Scan& scan, std::size_t start) {
    constexpr std::size_t bare_digits_min = 9;
    std::size_t end = start + 1;
    while (end - start < bare_digits_min && is_digit(scan.at(end)))
        ++end;
    if (end - start == bare_digits_min) return true;
    const char separator = scan.at(end);
    const bool has_groups =
        separator == ' ' || separator == '-' || separator == '.' || separator == '/';
    if (!has_groups || (!is_digit(scan.at(end + 1)) && scan.at(end + 1) != '(')) return false;
    return end - start >= 4 || !scan.word_before(start);  // groups glued to a word: only a card's
}

// Phone numbers that have a form of their own; then those with a label.
void detect_phone(Scan& scan, std::size_t start, const Groups& groups) {
    if (detect_nanp_phone(scan, start) || detect_national_phone(scan, start, groups)) return;
    (void)detect_labelled_phone(scan, start, groups);
}

}  // namespace

Groups read_groups(const Scan& scan, std::size_t i, std::string_view separators) {
    Groups groups;
    std::size_t total = 0;
    while (groups.count < number_groups_max) {
        std::size_t end = i;
        while (end - i <= number_digits_max && is_digit(scan.at(end)))
            ++end;
        const std::size_t size = end - i;
        if (size == 0 || total + size > number_digits_max || is_digit(scan.at(end))) break;
        std::memcpy(groups.digits.data() + total, scan.text.data() + i, size);
        total += size;
        groups.sizes[groups.count] = static_cast<std::uint8_t>(size);
        groups.ends[groups.count] = end;
        groups.digits_to[groups.count] = static_cast<std::uint8_t>(total);
        const char separator = scan.at(end);
        groups.separators[groups.count++] = separator;
        if (separator == '\0' || separators.find(separator) == std::string_view::npos) break;
        i = end + 1;
    }
    return groups;
}

bool number_before(const Scan& scan, std::size_t i) {
    const char c = scan.before(i);
    if (scan.word_before(i) || c == '_') return true;
    return (c == '-' || c == '.' || c == '/' || c == ',') && is_alnum(scan.before(i, 2));
}

bool number_at(const Scan& scan, std::size_t i) {
    const char c = scan.at(i);
    if (is_alnum(c) || c == '_') return true;
    return (c == '-' || c == '.' || c == '/' || c == ':' || c == ',') && is_digit(scan.at(i + 1));
}

// A label such as «SSN:» within a few bytes to the left.
bool is_labelled(const Scan& scan, std::size_t begin, std::string_view label) {
    constexpr std::size_t reach = 16;
    const std::size_t from = begin > reach ? begin - reach : 0;
    const std::string_view left = scan.text.substr(from, begin - from);
    for (std::size_t i = 0; i + label.size() <= left.size(); ++i) {
        if (equals_ignore_case(left.substr(i, label.size()), label)) return true;
    }
    return false;
}

bool is_card_number(std::string_view digits) {
    return digits.size() >= 13 && digits.size() <= number_digits_max && has_issuer(digits) &&
           passes_luhn(digits);
}

void detect_number(Scan& scan, std::size_t start) {
    constexpr std::size_t digits_min = 9;
    if (!is_digit(scan.text[start]) || is_digit(scan.before(start))) return;
    const bool is_bracketed = scan.before(start) == '(' && bracketed_digits(scan, start) != 0;
    if (!is_bracketed && !may_be_number(scan, start)) return;
    if (scan.before(start) == '/' && detect_numbered_webhook(scan, start)) return;
    const Groups groups = read_groups(scan, start, " -./");
    if (groups.count == 0) return;
    if (scan.wants(Detector::ip) && !scan.hints.version && groups.separators[0] == '.' &&
        groups.count >= 4 && detect_ipv4(scan, start)) {
        return;
    }
    if (is_bracketed) {
        if (!scan.wants(Detector::phone)) return;
        if (detect_nanp_phone(scan, start) || detect_bracketed_phone(scan, start)) return;
        (void)detect_labelled_phone(scan, start, groups);
        return;
    }
    const bool is_country_code = groups.sizes[0] == 1 && scan.text[start] == '1';
    if (scan.wants(Detector::phone) && is_country_code && detect_nanp_phone(scan, start)) return;
    if (groups.digits_to[groups.count - 1] < digits_min) return;
    if (scan.wants(Detector::card) && detect_card(scan, start, groups)) return;
    if (scan.wants(Detector::ssn) && detect_ssn(scan, start, groups)) return;
    if (scan.wants(Detector::phone)) detect_phone(scan, start, groups);
}

}  // namespace spangate
