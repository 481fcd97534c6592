// Numbers as they stand on disk.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

namespace spangate {

template <std::unsigned_integral T>
void store(char* at, T number) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        at[i] = static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
    }
}

template <std::unsigned_integral T>
[[nodiscard]] T load(const char* at) {
    T number = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
        number = static_cast<T>(
            (static_cast<unsigned long long>(number) << 8) | static_cast<unsigned char>(at[i])
        );
    }
    return number;
}

}  // namespace spangate
