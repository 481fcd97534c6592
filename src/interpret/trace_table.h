// The traces of one batch by their key, each with what a finder notes of it. Lives as long as its
// finder and is refilled with each batch; indices are those of traces in the order of at().
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpret/convention_table.h"
#include "interpret/session_memory.h"

namespace spangate {

// `Trace` has a member `key` and is default-constructible.
template <typename Trace>
class TraceTable {
  public:
    // Forgets the last batch's. At most `traces_max` will come.
    void begin(std::size_t traces_max) {
        traces_.clear();
        places_.assign(std::bit_ceil(std::max<std::size_t>(traces_max * 2, 16)), 0);
    }

    // no_index: it is not in the batch.
    [[nodiscard]] std::uint32_t find(const TraceKey& key) const {
        const std::uint32_t found = places_[place_of(key)];
        return found == 0 ? no_index : found - 1;
    }

    // New when it is not known yet.
    [[nodiscard]] std::uint32_t at(const TraceKey& key) {
        std::uint32_t& place = places_[place_of(key)];
        if (place == 0) {
            traces_.emplace_back().key = key;
            place = static_cast<std::uint32_t>(traces_.size());
        }
        return place - 1;
    }

    [[nodiscard]] Trace& operator[](std::uint32_t index) { return traces_[index]; }

    [[nodiscard]] const Trace& operator[](std::uint32_t index) const { return traces_[index]; }

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(traces_.size()); }

  private:
    // Where it stands, or where it would.
    [[nodiscard]] std::size_t place_of(const TraceKey& key) const {
        const std::size_t mask = places_.size() - 1;
        std::size_t at = key.hash() & mask;
        while (places_[at] != 0 && traces_[places_[at] - 1].key != key)
            at = (at + 1) & mask;
        return at;
    }

    std::vector<Trace> traces_;
    std::vector<std::uint32_t> places_;  // trace + 1; 0: free
};

}  // namespace spangate
