// What the detectors share: the text under way, character classes, boundaries. Internal to redact.
#pragma once

#include <algorithm>
#include <array>
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

using ByteSet = std::array<bool, 256>;

template <typename Holds>
constexpr ByteSet byte_set(const Holds& holds) {
    ByteSet set{};
    for (std::size_t byte = 0; byte < set.size(); ++byte)
        set[byte] = holds(static_cast<char>(byte));
    return set;
}

inline constexpr ByteSet letter_bytes =
    byte_set([](char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; });
inline constexpr ByteSet alnum_bytes =
    byte_set([](char c) { return is_digit(c) || letter_bytes[static_cast<unsigned char>(c)]; });
inline constexpr ByteSet hex_bytes = byte_set([](char c) {
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
});

[[nodiscard]] constexpr bool is_letter(char c) {
    return letter_bytes[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool is_alnum(char c) {
    return alnum_bytes[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool is_hex(char c) {
    return hex_bytes[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool is_base64url(char c) {
    return is_alnum(c) || c == '-' || c == '_';
}

[[nodiscard]] constexpr bool is_base64(char c) {
    return is_alnum(c) || c == '+' || c == '/' || c == '=';
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
    bool has_percent_escapes = false;

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

// U+FF20, the at sign of full-width text.
inline constexpr std::string_view wide_at_sign = "\xEF\xBC\xA0";

// What an anchor of each kind (anchors.h) starts; positions that are no anchor find nothing more,
// so that all positions may be visited (tests/redact/anchors_test.cc).
void visit_number(Scan& scan, std::size_t seventh);
void visit_pair(Scan& scan, std::size_t second_digit);
void visit_mark(Scan& scan, std::size_t i);

// Each looks around one byte; see the .cc files.
void detect_number(Scan& scan, std::size_t start);  // card ssn ipv4 phone, at a run's first digit
void detect_international_phone(Scan& scan, std::size_t plus);
[[nodiscard]] bool detect_iban(Scan& scan, std::size_t start);
[[nodiscard]] bool detect_ipv4(Scan& scan, std::size_t start);
void detect_mac(Scan& scan, std::size_t separator);
void detect_ipv6(Scan& scan, std::size_t colon);
void detect_email(Scan& scan, std::size_t at_sign, std::size_t at_sign_bytes);
void detect_url_credentials(Scan& scan, std::size_t at_sign);
void detect_jwt(Scan& scan, std::size_t capital_j);
void detect_bearer(Scan& scan, std::size_t initial);
void detect_vendor_key(Scan& scan, std::size_t anchor);
void detect_hex_key(Scan& scan, std::size_t first_digit);
void detect_azure_secret(Scan& scan, std::size_t tilde);
void detect_azure_api_key(Scan& scan, std::size_t capital_j);
void detect_azure_account_key(Scan& scan, std::size_t plus);
void detect_bot_token(Scan& scan, std::size_t colon);
void detect_slack_webhook(Scan& scan, std::size_t capital_b);
[[nodiscard]] bool detect_numbered_webhook(Scan& scan, std::size_t start);
void detect_private_key(Scan& scan, std::size_t capital_b);
void detect_assignment(Scan& scan, std::size_t separator);  // connection_string, entropy
void detect_option(Scan& scan, std::size_t second_dash);    // `--password …`
void detect_by_hints(Scan& scan);                           // the whole text, by its key

// The anchored detectors over a text as it is; true when it holds percent escapes.
bool detect_once(std::string_view text, DetectorMask mask, std::vector<Match>& matches);

// Decodes the text once and tells what stands in it where it came from: percent escapes (with `+`
// for a blank) inside the text; a text that is base64 as a whole is one match when anything is hit.
void detect_percent_decoded(Scan& scan);
void detect_base64_decoded(Scan& scan);

// Whether a label such as «SSN» stands within a few bytes to the left, in any case.
[[nodiscard]] bool is_labelled(const Scan& scan, std::size_t begin, std::string_view label);

// Whether hints_of(key) may be anything; costs next to nothing.
[[nodiscard]] bool may_tell(std::string_view key);

}  // namespace spangate
