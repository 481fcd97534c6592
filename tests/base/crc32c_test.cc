#include "base/crc32c.h"

#include <catch2/catch.hpp>

namespace spangate {
namespace {

// A message of n bytes that rise from `first` by `by`.
std::string ramp(std::size_t bytes, int first, int by) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) {
        text[i] = static_cast<char>(first + static_cast<int>(i) * by);
    }
    return text;
}

}  // namespace

TEST_CASE("CRC-32C of the known messages is as published (RFC 3720, B.4)") {
    for (auto* const checksum : {&crc32c, &crc32c_by_tables}) {
        CHECK(checksum("", 0) == 0);
        CHECK(checksum("123456789", 0) == 0xe3069283);
        CHECK(checksum(std::string(32, '\0'), 0) == 0x8a9136aa);
        CHECK(checksum(std::string(32, '\xff'), 0) == 0x62a8ab43);
        CHECK(checksum(ramp(32, 0, 1), 0) == 0x46dd794e);
        CHECK(checksum(ramp(32, 31, -1), 0) == 0x113fdb5c);
    }
}

TEST_CASE("instruction and tables agree at every length and start, whole and in parts") {
    const std::string text = ramp(300, 3, 7);
    for (std::size_t start = 0; start < 9; ++start) {
        for (std::size_t bytes = 0; bytes <= 200; ++bytes) {
            const std::string_view part = std::string_view(text).substr(start, bytes);
            const std::uint32_t expected = crc32c_by_tables(part);
            if (crc32c(part) != expected) FAIL("differs at " << start << ", " << bytes);
            const std::size_t half = bytes / 3;
            if (crc32c(part.substr(half), crc32c(part.substr(0, half))) != expected) {
                FAIL("differs in parts at " << start << ", " << bytes);
            }
        }
    }
}

}  // namespace spangate
