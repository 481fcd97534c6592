// The form Id of the contract (§5, Forms): [A-Za-z0-9_.:@/+=#~-]{1,128}.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace spangate {

inline constexpr std::size_t id_bytes_max = 128;

namespace detail {

constexpr std::array<bool, 256> make_id_bytes() {
    std::array<bool, 256> bytes{};
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789_.:@/+=#~-")) {
        bytes[static_cast<unsigned char>(c)] = true;
    }
    return bytes;
}

inline constexpr std::array<bool, 256> id_bytes = make_id_bytes();

}  // namespace detail

[[nodiscard]] constexpr bool is_id_byte(char c) {
    return detail::id_bytes[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= id_bytes_max &&
           std::all_of(text.begin(), text.end(), is_id_byte);
}

}  // namespace spangate
