// The anchor pass: which bytes of a text are worth a validator's look. Sixteen bytes at a time;
// most strings of telemetry have few anchors or none.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spangate {

// Every byte at which some detector starts to look, besides the first digit of each run of digits.
inline constexpr std::string_view anchor_bytes = "@%JIG_-:=Bb";

namespace anchors {

inline constexpr std::size_t block_bytes = 16;

struct Masks {
    std::uint32_t digits = 0;
    std::uint32_t marks = 0;
};

#if defined(__SSE2__)

inline Masks classify(const char* block) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));  // NOLINT
    const __m128i from_zero = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero);
    __m128i marks = _mm_setzero_si128();
    for (const char anchor : anchor_bytes)
        marks = _mm_or_si128(marks, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(anchor)));
    return {
        static_cast<std::uint32_t>(_mm_movemask_epi8(digits)),
        static_cast<std::uint32_t>(_mm_movemask_epi8(marks))};
}

#else

inline Masks classify(const char* block) {
    Masks masks;
    for (std::size_t i = 0; i < block_bytes; ++i) {
        const char c = block[i];
        if (c >= '0' && c <= '9') masks.digits |= 1U << i;
        if (anchor_bytes.find(c) != std::string_view::npos) masks.marks |= 1U << i;
    }
    return masks;
}

#endif

}  // namespace anchors

// Calls `visit(position)` for every anchor, from left to right.
template <typename Visit>
void for_each_anchor(std::string_view text, const Visit& visit) {
    std::uint32_t digit_before = 0;  // whether the byte before the block is a digit
    for (std::size_t at = 0; at < text.size(); at += anchors::block_bytes) {
        anchors::Masks masks;
        if (text.size() - at >= anchors::block_bytes) {
            masks = anchors::classify(text.data() + at);
        } else {
            char tail[anchors::block_bytes] = {};
            std::memcpy(tail, text.data() + at, text.size() - at);
            masks = anchors::classify(tail);
        }
        const std::uint32_t run_starts = masks.digits & ~(masks.digits << 1 | digit_before);
        digit_before = masks.digits >> (anchors::block_bytes - 1) & 1U;
        for (std::uint32_t bits = run_starts | masks.marks; bits != 0; bits &= bits - 1)
            visit(at + static_cast<std::size_t>(std::countr_zero(bits)));
    }
}

}  // namespace spangate
