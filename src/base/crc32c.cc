#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace spangate {
namespace {

constexpr std::uint32_t reversed_polynomial = 0x82f63b78;

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the checksum when k more bytes follow it.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1) ^ ((value & 1) != 0 ? reversed_polynomial : 0);
        }
        tables[0][byte] = value;
    }
    for (std::size_t k = 1; k < tables.size(); ++k) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t value = tables[k - 1][byte];
            tables[k][byte] = (value >> 8) ^ tables[0][value & 0xff];
        }
    }
    return tables;
}

constexpr Tables tables = make_tables();

std::uint32_t step(std::uint32_t value, char byte) {
    return (value >> 8) ^ tables[0][(value ^ static_cast<unsigned char>(byte)) & 0xff];
}

std::uint32_t byte_of(std::uint32_t word, int index) {
    return (word >> (8 * index)) & 0xff;
}

std::uint32_t word_at(const char* at) {
    std::uint32_t word = 0;
    for (int i = 3; i >= 0; --i)
        word = (word << 8) | static_cast<unsigned char>(at[i]);
    return word;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(
    std::string_view bytes, std::uint32_t before
) {
    std::uint64_t value = ~before;
    while (bytes.size() >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        value = __builtin_ia32_crc32di(value, word);
        bytes.remove_prefix(sizeof word);
    }
    auto narrow = static_cast<std::uint32_t>(value);
    for (const char byte : bytes) {
        narrow = __builtin_ia32_crc32qi(narrow, static_cast<unsigned char>(byte));
    }
    return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t before) {
    std::uint32_t value = ~before;
    while (bytes.size() >= 8) {
        const std::uint32_t low = value ^ word_at(bytes.data());
        const std::uint32_t high = word_at(bytes.data() + 4);
        value = 0;
        for (int i = 0; i < 4; ++i) {
            value ^= tables[static_cast<std::size_t>(7 - i)][byte_of(low, i)];
            value ^= tables[static_cast<std::size_t>(3 - i)][byte_of(high, i)];
        }
        bytes.remove_prefix(8);
    }
    for (const char byte : bytes)
        value = step(value, byte);
    return ~value;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return crc32c_by_instruction(bytes, before);
#endif
    return crc32c_by_tables(bytes, before);
}

}  // namespace spangate
