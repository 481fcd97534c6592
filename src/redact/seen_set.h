// Which (thing, session) pairs a batch has told already. Open addressing over 64-bit hashes: two
// pairs with one hash count as one, which at 2^-64 a pair is the price of no allocation.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace spangate {

class SeenSet {
  public:
    // Empties the set and makes room for `pairs_max` of them.
    void reset(std::size_t pairs_max) {
        constexpr std::size_t slots_min = 16;
        const std::size_t slots = std::bit_ceil(2 * pairs_max + slots_min);
        slots_.assign(slots, 0);
    }

    // True the first time.
    [[nodiscard]] bool insert(const void* thing, std::uint64_t session_hash) {
        const auto address = reinterpret_cast<std::uintptr_t>(thing);  // NOLINT: as a number
        std::uint64_t hash = (session_hash ^ (address * 0x9E3779B97F4A7C15ULL)) | 1U;
        hash ^= hash >> 32;
        hash |= 1U;  // 0 is an empty slot
        for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
            if (slots_[i] == hash) return false;
            if (slots_[i] != 0) continue;
            slots_[i] = hash;
            return true;
        }
    }

  private:
    std::vector<std::uint64_t> slots_;
};

}  // namespace spangate
