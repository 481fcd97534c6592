// What the engines of the anchor pass (anchors.h) share: the classes of bytes, the rules over their
// masks, the walk over a text. Internal to anchors*.cc; the steps are inlined into each engine's
// loop, so that they are compiled for that engine's processor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "redact/anchor_windows.h"
#include "redact/anchors.h"

namespace spangate::anchors {

using Words = AnchorPass::Words;

// One bit for each byte of a block.
struct Masks {
    std::uint32_t digits = 0;
    std::uint32_t separators = 0;
    std::uint32_t marks = 0;  // the ends of windows too
};

inline constexpr unsigned char wide_at_sign_end = 0xA0;  // U+FF20 is EF BC A0

// The classes of a byte: a bit stands where both the low and the high half of the byte allow it.
enum Class : std::uint8_t {
    class_digit = 1,      // 0-9
    class_separator = 2,  // blank ( ) - . /
    class_colon = 4,      // : =
    class_at = 8,         // @
    class_percent = 16,   // % +
};

inline constexpr std::uint8_t mark_classes = class_percent | class_colon | class_at;

constexpr ByteTable class_table_of() {
    ByteTable table;
    const auto set =
        [&table](
            std::uint8_t bit, std::initializer_list<int> highs, std::initializer_list<int> lows
        ) {
            for (const int high : highs)
                table.high[static_cast<std::size_t>(high)] |= bit;
            for (const int low : lows)
                table.low[static_cast<std::size_t>(low)] |= bit;
        };
    set(class_digit, {3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    set(class_separator, {2}, {0x0, 0x8, 0x9, 0xD, 0xE, 0xF});
    set(class_colon, {3}, {0xA, 0xD});
    set(class_at, {4}, {0x0});
    set(class_percent, {2}, {0x5, 0xB});
    return table;
}

inline constexpr ByteTable class_table = class_table_of();

// The block under way behind the one before it.
[[gnu::always_inline]] inline void move_on(std::uint64_t& word, std::uint32_t block) {
    constexpr unsigned block_bits = anchor_block_bytes;
    word = word >> block_bits | std::uint64_t{block} << block_bits;
}

// The rules of the header, over a block and what came before it.
[[gnu::always_inline]] inline AnchorBlock anchors_of(Words& words, const Masks& masks) {
    constexpr unsigned block_bits = anchor_block_bytes;
    move_on(words.digits, masks.digits);
    move_on(words.separators, masks.separators);
    AnchorBlock block{};
    const std::uint64_t separators = words.separators;
    const std::uint64_t threes = separators & separators << 3 & separators << 6;
    block.marks = masks.marks | static_cast<std::uint32_t>(threes >> block_bits);
    if (words.digits == 0) return block;
    const std::uint64_t digits = words.digits;
    const std::uint64_t starts = digits & ~(digits << 1);
    const std::uint64_t numeric = digits | separators;
    const std::uint64_t two = numeric & (numeric << 1);
    const std::uint64_t four = two & (two << 2);
    const std::uint64_t seven = four & (four << 3);
    const std::uint64_t pairs = digits & digits << 1 & ~(numeric << 2);
    block.numbers = static_cast<std::uint32_t>(((starts << number_reach) & seven) >> block_bits);
    block.pairs = static_cast<std::uint32_t>(pairs >> block_bits);
    return block;
}

// The bytes from `at` on, fewer than a block.
struct Part {
    const char* first = nullptr;
    std::size_t size = 0;
    std::size_t before = 0;  // bytes of the text before them
};

// The walk of one engine over a text.
struct Walk {
    std::string_view text;
    std::size_t at = 0;
    Words words;
    std::span<AnchorBlock> blocks;
    std::size_t count = 0;

    [[gnu::always_inline, nodiscard]] inline bool goes_on() const {
        return at < text.size() && count < blocks.size();
    }

    [[gnu::always_inline, nodiscard]] inline bool is_whole() const {
        return text.size() - at >= anchor_block_bytes;
    }

    [[gnu::always_inline, nodiscard]] inline Part part() const {
        return {text.data() + at, text.size() - at, at};
    }

    [[gnu::always_inline, nodiscard]] inline Part whole() const {
        return {text.data() + at, anchor_block_bytes, at};
    }

    // The block before, of a walk that goes on.
    [[gnu::always_inline, nodiscard]] inline const char* before() const {
        return text.data() + at - anchor_block_bytes;
    }

    // Every block is written; the next one overwrites it unless it holds an anchor.
    [[gnu::always_inline]] inline void take(const Masks& masks) {
        AnchorBlock block = anchors_of(words, masks);
        block.offset = static_cast<std::uint32_t>(at);
        blocks[count] = block;
        count += (block.numbers | block.pairs | block.marks) != 0 ? 1U : 0U;
        at += anchor_block_bytes;
    }
};

void find_portable(Walk& walk);
[[nodiscard]] AnchorBlock find_short_portable(std::string_view text);
#if defined(__x86_64__)
void find_ssse3(Walk& walk);
[[nodiscard]] AnchorBlock find_short_ssse3(std::string_view text);
void find_avx2(Walk& walk);
[[nodiscard]] AnchorBlock find_short_avx2(std::string_view text);
#endif

}  // namespace spangate::anchors
