#include <algorithm>
#include <span>

#include "replay/diff_align.h"
#include "replay/diff_parts.h"

namespace spangate {
namespace {

using Key = std::uint64_t StepToken::*;

struct Block {
    std::uint32_t left = 0;
    std::uint32_t left_end = 0;
    std::uint32_t right = 0;
    std::uint32_t right_end = 0;
};

std::vector<std::uint64_t> keys_of(
    const std::vector<StepToken>& tokens,
    std::uint32_t from,
    std::uint32_t to,
    std::span<const Key> parts
) {
    std::vector<std::uint64_t> keys;
    keys.reserve(to - from);
    for (std::uint32_t i = from; i < to; ++i) {
        std::uint64_t key = 0x9E3779B97F4A7C15U;
        for (const Key part : parts)
            key = (key ^ tokens[i].*part) * 0xD6E8FEB86659FD93U + (key >> 29U);
        keys.push_back(key);
    }
    return keys;
}

// Pairs rows phase by phase: what a phase leaves unpaired is for the next one.
class Aligner {
  public:
    Aligner(const std::vector<StepToken>& left, const std::vector<StepToken>& right)
        : left_(left),
          right_(right) {}

    [[nodiscard]] std::vector<AlignedStep> rows(const std::vector<std::vector<Key>>& phases) {
        pair(
            {0,
             static_cast<std::uint32_t>(left_.size()),
             0,
             static_cast<std::uint32_t>(right_.size())},
            phases
        );
        return std::move(rows_);
    }

  private:
    void pair(const Block& block, std::span<const std::vector<Key>> phases) {
        if (block.left == block.left_end || block.right == block.right_end || phases.empty()) {
            return unpaired(block);
        }
        const std::vector<std::uint64_t> a = keys_of(left_, block.left, block.left_end, phases[0]);
        const std::vector<std::uint64_t> b =
            keys_of(right_, block.right, block.right_end, phases[0]);
        Block between = block;
        for (const TokenPair& found : common_tokens(a, b)) {
            between.left_end = block.left + found.left;
            between.right_end = block.right + found.right;
            pair(between, phases.subspan(1));
            add(between.left_end, between.right_end, StepChange::equal);
            between.left = between.left_end + 1;
            between.right = between.right_end + 1;
        }
        between.left_end = block.left_end;
        between.right_end = block.right_end;
        pair(between, phases.subspan(1));
    }

    void add(std::uint32_t left, std::uint32_t right, StepChange change) {
        AlignedStep row;
        row.left = left;
        row.right = right;
        row.change = change;
        rows_.push_back(std::move(row));
    }

    void unpaired(const Block& block) {
        for (std::uint32_t i = block.left; i < block.left_end; ++i)
            add(i, no_index, StepChange::removed);
        for (std::uint32_t i = block.right; i < block.right_end; ++i)
            add(no_index, i, StepChange::added);
    }

    const std::vector<StepToken>& left_;
    const std::vector<StepToken>& right_;
    std::vector<AlignedStep> rows_;
};

std::vector<AlignedStep> rows_by_position(std::size_t left, std::size_t right) {
    std::vector<AlignedStep> rows(std::max(left, right));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto index = static_cast<std::uint32_t>(i);
        if (i < left) rows[i].left = index;
        if (i < right) rows[i].right = index;
        if (i >= left) rows[i].change = StepChange::added;
        if (i >= right) rows[i].change = StepChange::removed;
    }
    return rows;
}

}  // namespace

std::vector<AlignedStep> align_steps(
    const DiffSide& left, const DiffSide& right, Alignment alignment
) {
    using T = StepToken;
    switch (alignment) {
        case Alignment::position:
            return rows_by_position(left.tokens().size(), right.tokens().size());
        case Alignment::state:
            return Aligner(left.tokens(), right.tokens())
                .rows(
                    {{&T::structure, &T::state, &T::input},
                     {&T::structure, &T::state},
                     {&T::structure},
                     {&T::kind}}
                );
        case Alignment::tool_args:
            break;
    }
    return Aligner(left.tokens(), right.tokens())
        .rows(
            {{&T::structure, &T::input, &T::output},
             {&T::structure, &T::input},
             {&T::structure, &T::input_shape},
             {&T::structure},
             {&T::kind}}
        );
}

}  // namespace spangate
