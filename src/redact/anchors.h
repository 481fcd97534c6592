// The anchor pass: which bytes of a text are worth a validator's look. Thirty-two bytes at a time
// with AVX2 or SSSE3, by what the processor has (found out once), else by a table; all three give
// the same anchors (tests/redact/anchors_test.cc and the fuzz target hold them against a plain
// one).
//
//   numbers  the seventh byte of a number: six bytes before it a run of digits starts, and all
//            seven are digits or what parts them (blank - . / brackets)
//   pairs    the second of two digits behind a byte that is no part of a number
//   marks    one of @ % + : =; the third of three bytes that part numbers and stand three apart;
//   the
//            end of a window of three bytes (anchor_windows.h); the byte A0, which ends U+FF20
//
// A rule is told where its last byte stands, so that a block needs only what came before it. What
// could be told more narrowly is left to the validators' first glance.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spangate {

// What one block of a text holds: bit i stands for the byte at `offset` + i. Without initialisers:
// a pass has an array of them, and most texts fill one or none.
struct AnchorBlock {
    std::uint32_t offset;
    std::uint32_t numbers;
    std::uint32_t pairs;
    std::uint32_t marks;
};

inline constexpr std::size_t anchor_block_bytes = 32;

// Shorter texts hold nothing that any detector finds by an anchor.
inline constexpr std::size_t anchored_bytes_min = 6;

// How a number is marked: its first digit stands this far before the anchor.
inline constexpr std::size_t number_reach = 6;

enum class AnchorEngine : std::uint8_t { portable, ssse3, avx2 };

// The fastest one that this processor runs.
[[nodiscard]] AnchorEngine best_anchor_engine();

// The anchors of a text of one block at most.
[[nodiscard]] AnchorBlock anchors_of_short(
    std::string_view text, AnchorEngine engine = best_anchor_engine()
);

// One text under way. `text` outlives the pass and has at most 4 GiB.
class AnchorPass {
  public:
    explicit AnchorPass(std::string_view text, AnchorEngine engine = best_anchor_engine())
        : text_(text),
          engine_(engine) {}

    // The next blocks that hold an anchor, from left to right; none: the text is done. Valid until
    // the next call.
    [[nodiscard]] std::span<const AnchorBlock> next();

    // What the bytes were: the block under way in the upper half, the one before it in the lower.
    struct Words {
        std::uint64_t digits = 0;
        std::uint64_t separators = 0;  // of numbers
    };

  private:
    static constexpr std::size_t blocks_max = 32;

    std::string_view text_;
    AnchorEngine engine_;
    std::size_t at_ = 0;
    Words words_;
    std::array<AnchorBlock, blocks_max> blocks_;  // written before it is read
};

// Calls the three with the position of every anchor of the block, from left to right.
template <typename Number, typename Pair, typename Mark>
void for_each_anchor(
    const AnchorBlock& block, const Number& number, const Pair& pair, const Mark& mark
) {
    if ((block.numbers | block.pairs) == 0) {
        for (std::uint32_t marks = block.marks; marks != 0; marks &= marks - 1)
            mark(block.offset + static_cast<std::size_t>(std::countr_zero(marks)));
        return;
    }
    std::uint32_t left = block.numbers | block.pairs | block.marks;
    for (; left != 0; left &= left - 1) {
        const std::uint32_t lowest = left & (0U - left);
        const std::size_t at = block.offset + static_cast<std::size_t>(std::countr_zero(left));
        if ((block.marks & lowest) != 0) mark(at);
        if ((block.numbers & lowest) != 0) number(at);
        if ((block.pairs & lowest) != 0) pair(at);
    }
}

// The same for a whole text.
template <typename Number, typename Pair, typename Mark>
void for_each_anchor(
    std::string_view text, const Number& number, const Pair& pair, const Mark& mark
) {
    if (text.size() < anchored_bytes_min) return;
    if (text.size() <= anchor_block_bytes) {
        for_each_anchor(anchors_of_short(text), number, pair, mark);
        return;
    }
    AnchorPass pass(text);
    for (auto blocks = pass.next(); !blocks.empty(); blocks = pass.next()) {
        for (const AnchorBlock& block : blocks)
            for_each_anchor(block, number, pair, mark);
    }
}

}  // namespace spangate
