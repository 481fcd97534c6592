// Which keys were seen lately: what tells a repeat from a first telling, in bounded memory. One
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace spangate {

// Remembers at least the last `keys_min` keys, and at most twice as many: two tables take turns.
// At 8 bytes a key and half full, 2^21 keys are at most 64 MiB; small sets are small.
class RecentKeys {
  public:
    explicit RecentKeys(std::size_t keys_min) : keys_min_(keys_min) {}

    // False when it is among those remembered. Keys are hashes: two of some millions are the same
    // by chance once in a million runs.
    bool add(std::uint64_t key);

    [[nodiscard]] bool contains(std::uint64_t key) const;

  private:
    struct Table {
        std::vector<std::uint64_t> slots;  // 0: free; a power of two
        std::size_t count = 0;

        [[nodiscard]] bool contains(std::uint64_t key) const;
        void insert(std::uint64_t key);
        void put(std::uint64_t key);
    };

    const std::size_t keys_min_;
    std::array<Table, 2> tables_;
    std::size_t current_ = 0;
};

}  // namespace spangate
