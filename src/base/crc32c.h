// CRC-32C (Castagnoli), the checksum of what the spool keeps on disk: finds every burst of up to 32
// flipped bits, says nothing about intent. Debian 12 packages no library for it. The SSE4.2
// instruction where the processor has it, eight tables otherwise; both give the same. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace spangate {

// `before` is the checksum of the bytes in front of these: crc32c(b, crc32c(a)) == crc32c(a + b).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

// The same by tables, whatever the processor can: for processors without it, and for tests.
[[nodiscard]] std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t before = 0);

}  // namespace spangate
