// What the detectors share: the text under way, character classes, boundaries. Internal to redact.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "redact/detector.h"

namespace spangate {

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_letter(char c) {
    const char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'z';
}

[[nodiscard]] constexpr bool is_alnum(char c) {
    return is_digit(c) || is_letter(c);
}

[[nodiscard]] constexpr bool is_hex(char c) {
    const char lower = ascii_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

[[nodiscard]] constexpr bool is_base64url(char c) {
    return is_alnum(c) || c == '-' || c == '_';
}

// One text under way.
struct Scan {
    std::string_view text;
    DetectorMask mask = all_detectors;
    KeyHints hints;
    std::vector<Match>& matches;
    std::size_t covered_end = 0;       // all before is inside matches already
    std::size_t jwt_run_end = 0;       // the last run of base64url characters looked at
    std::uint32_t jwt_tries_left = 0;  // in that run

    [[nodiscard]] bool wants(Detector detector) const { return (mask & bit(detector)) != 0; }

    // The byte at `i`, or NUL outside.
    [[nodiscard]] char at(std::size_t i) const { return i < text.size() ? text[i] : '\0'; }

    [[nodiscard]] char before(std::size_t i, std::size_t steps = 1) const {
        return i >= steps ? text[i - steps] : '\0';
    }

    // Whether a word goes on to the left of `i`. The letter of an escape (\n, \t) in text that is
    // not parsed is no part of a word.
    [[nodiscard]] bool word_before(std::size_t i) const {
        const char c = before(i);
        if (!is_alnum(c)) return false;
        return before(i, 2) != '\\' || std::string_view("ntrbf").find(c) == std::string_view::npos;
    }

    [[nodiscard]] bool word_at(std::size_t i) const { return is_alnum(at(i)); }

    [[nodiscard]] bool starts_with(std::size_t i, std::string_view what) const {
        return text.substr(std::min(i, text.size()), what.size()) == what;
    }

    void add(Detector detector, std::size_t begin, std::size_t end) {
        matches.push_back(
            {static_cast<std::uint32_t>(begin),
             static_cast<std::uint32_t>(end),
             static_cast<RuleId>(detector)}
        );
        covered_end = std::max(covered_end, end);
    }
};

// Each looks around one anchor; see the .cc files.
void detect_digits(
    Scan& scan, std::size_t start
);  // phone card iban ssn ipv4, at a run's first digit
[[nodiscard]] bool detect_iban(Scan& scan, std::size_t start);
[[nodiscard]] bool detect_ipv4(Scan& scan, std::size_t start);
void detect_mac(Scan& scan, std::size_t separator);
void detect_ipv6(Scan& scan, std::size_t colon);
void detect_email(Scan& scan, std::size_t at_sign, std::size_t at_sign_bytes);
void detect_url_credentials(Scan& scan, std::size_t at_sign);
void detect_jwt(Scan& scan, std::size_t capital_j);
void detect_bearer(Scan& scan, std::size_t initial);
void detect_vendor_key(Scan& scan, std::size_t anchor);
void detect_private_key(Scan& scan, std::size_t dash);
void detect_assignment(Scan& scan, std::size_t separator);  // connection_string, entropy
void detect_by_hints(Scan& scan);                           // the whole text, by its key

}  // namespace spangate
