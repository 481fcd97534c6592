// What the detectors of numbers share: digits in groups, and where a number ends. Internal to
// redact.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "redact/scan.h"

namespace spangate {

inline constexpr std::size_t number_digits_max = 19;  // of a card number; no other is longer
inline constexpr std::size_t number_groups_max = 8;

// Digits in groups with one separator between them, as far as they reach.
struct Groups {
    std::array<char, number_digits_max> digits{};
    std::array<std::uint8_t, number_groups_max> sizes{};
    std::array<char, number_groups_max> separators{};         // separators[i] stands after group i
    std::array<std::size_t, number_groups_max> ends{};        // in the text
    std::array<std::uint8_t, number_groups_max> digits_to{};  // digits in groups 0…i
    std::size_t count = 0;

    [[nodiscard]] std::string_view digits_of(std::size_t groups) const {
        return {digits.data(), digits_to[groups - 1]};
    }
};

// Stops before a group that would make more than 19 digits.
[[nodiscard]] Groups read_groups(const Scan& scan, std::size_t i, std::string_view separators);

// Whether a number goes on to the left of `i`: a digit, or a separator with a digit before it.
[[nodiscard]] bool number_before(const Scan& scan, std::size_t i);

// Whether one goes on from `i` to the right.
[[nodiscard]] bool number_at(const Scan& scan, std::size_t i);

// How many digits stand from `start` on between two brackets, 2 to 5, as of an area code; or 0.
[[nodiscard]] std::size_t bracketed_digits(const Scan& scan, std::size_t start);

// Telephone numbers without a plus sign, which start with the digit at `start`; `groups` were read
// there. True when one was found.
[[nodiscard]] bool detect_nanp_phone(Scan& scan, std::size_t start);
[[nodiscard]] bool detect_bracketed_phone(Scan& scan, std::size_t start);
[[nodiscard]] bool detect_national_phone(Scan& scan, std::size_t start, const Groups& groups);
[[nodiscard]] bool detect_labelled_phone(Scan& scan, std::size_t start, const Groups& groups);

// Where a telephone number that begins at `begin` ends, when a label says that it is one; else
// `begin`.
[[nodiscard]] std::size_t labelled_phone_end(const Scan& scan, std::size_t begin);

}  // namespace spangate
