// The nearest ancestor of a span that has something. Answers are kept for its ancestors' other
// children: O(1) a span on the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "interpret/draft.h"

namespace spangate {

class NearestAncestor {
  public:
    static constexpr std::uint32_t depth_max = 256;  // ancestors looked at

    // Forgets the last batch's.
    void begin(std::size_t drafts_count) { nearest_.assign(drafts_count, unknown); }

    // `has` asks about a draft's index and answers the same all through the batch. no_index: none.
    template <typename Has>
    [[nodiscard]] std::uint32_t find(
        std::span<const Draft> drafts, std::uint32_t index, const Has& has
    ) {
        if (nearest_[index] != unknown) return nearest_[index];
        std::uint32_t at = drafts[index].parent;
        std::uint32_t steps = 0;
        while (at != no_index && !has(at) && nearest_[at] == unknown) {
            if (++steps > depth_max) return nearest_[index] = no_index;
            at = drafts[at].parent;
        }
        const std::uint32_t found = at == no_index || has(at) ? at : nearest_[at];
        nearest_[index] = found;
        for (at = drafts[index].parent; at != no_index && nearest_[at] == unknown && !has(at);
             at = drafts[at].parent) {
            nearest_[at] = found;
        }
        return found;
    }

  private:
    static constexpr std::uint32_t unknown = no_index - 1;

    std::vector<std::uint32_t> nearest_;  // by draft
};

}  // namespace spangate
