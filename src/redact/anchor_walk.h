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

#include "redact/anchors.h"

namespace spangate::anchors {

using Words = AnchorPass::Words;

// One bit for each byte of a block.
struct Masks {
    std::uint32_t digits = 0;
    std::uint32_t separators = 0;
    std::uint32_t marks = 0;
};

inline constexpr unsigned char wide_at_sign_end = 0xA0;  // U+FF20 is EF BC A0

// The classes of a byte: a bit stands where both the low and the high half of the byte allow it.
enum Class : std::uint8_t {
    class_digit = 1,      // 0-9
    class_separator = 2,  // blank ( ) - . /
    class_dash = 4,       // -
    class_low = 8,        // _ ~ and, harmlessly, ^ and 7F
    class_capital = 16,   // @ G I J
    class_percent = 32,   // % +
    class_colon = 64,     // : =
    class_b = 128,        // B b
};

inline constexpr std::uint8_t mark_classes =
    class_dash | class_low | class_capital | class_percent | class_colon | class_b;

using HalfTable = std::array<std::uint8_t, 16>;

constexpr HalfTable low_halves() {
    HalfTable table{};
    const auto set = [&table](std::uint8_t bit, std::initializer_list<int> halves) {
        for (const int half : halves)
            table[static_cast<std::size_t>(half)] |= bit;
    };
    set(class_digit, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    set(class_separator, {0x0, 0x8, 0x9, 0xD, 0xE, 0xF});
    set(class_dash, {0xD});
    set(class_low, {0xE, 0xF});
    set(class_capital, {0x0, 0x7, 0x9, 0xA});
    set(class_percent, {0x5, 0xB});
    set(class_colon, {0xA, 0xD});
    set(class_b, {0x2});
    return table;
}

constexpr HalfTable high_halves() {
    HalfTable table{};
    table[2] = class_separator | class_percent | class_dash;
    table[3] = class_digit | class_colon;
    table[4] = class_capital | class_b;
    table[5] = class_low;
    table[6] = class_b;
    table[7] = class_low;
    return table;
}

inline constexpr HalfTable low_table = low_halves();
inline constexpr HalfTable high_table = high_halves();

// The rules of the header, over a block and what came before it.
[[gnu::always_inline]] inline AnchorBlock anchors_of(Words& words, const Masks& masks) {
    constexpr unsigned block_bits = anchor_block_bytes;
    words.digits = words.digits >> block_bits | std::uint64_t{masks.digits} << block_bits;
    words.separators = words.separators >> block_bits | std::uint64_t{masks.separators}
                                                            << block_bits;
    AnchorBlock block{};
    block.marks = masks.marks;
    if (words.digits == 0) return block;
    const std::uint64_t digits = words.digits;
    const std::uint64_t starts = digits & ~(digits << 1);
    const std::uint64_t numeric = digits | words.separators;
    const std::uint64_t two = numeric & (numeric << 1);
    const std::uint64_t four = two & (two << 2);
    const std::uint64_t seven = four & (four << 3);
    block.numbers = static_cast<std::uint32_t>(((starts << number_reach) & seven) >> block_bits);
    block.pairs = static_cast<std::uint32_t>(((starts << 1) & digits) >> block_bits);
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
