// The engines for x86-64. Each reads whole registers and nothing outside the text.
#include "redact/anchor_walk.h"

#if defined(__x86_64__)

#include <cstring>

#include <immintrin.h>

namespace spangate::anchors {
namespace {

// Moves a register's bytes down by 0 to 16, zeros behind them.
alignas(32) constexpr std::array<std::uint8_t, 32> slide = {
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

struct Halves {
    __m128i low;
    __m128i high;
};

[[gnu::always_inline, gnu::target("ssse3")]] inline __m128i load_16(const void* bytes) {
    return _mm_loadu_si128(static_cast<const __m128i*>(bytes));
}

[[gnu::always_inline, gnu::target("ssse3")]] inline __m128i moved_down(
    __m128i bytes, std::size_t steps
) {
    return _mm_shuffle_epi8(bytes, load_16(slide.data() + steps));
}

// Reads nothing outside the text: what is short of a register is read twice and moved together.
[[gnu::always_inline, gnu::target("ssse3")]] inline Halves load_part(const Part& part) {
    constexpr std::size_t half = 16;
    const char* const end = part.first + part.size;
    if (part.size >= half) {
        return {load_16(part.first), moved_down(load_16(end - half), 2 * half - part.size)};
    }
    if (part.size + part.before >= half) {
        return {moved_down(load_16(end - half), half - part.size), _mm_setzero_si128()};
    }
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (part.size > 8) {
        std::memcpy(&low, part.first, 8);
        std::memcpy(&high, end - 8, 8);
        high >>= 8 * (half - part.size);
    } else if (part.size >= 4) {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::memcpy(&first, part.first, 4);
        std::memcpy(&last, end - 4, 4);
        low = first | std::uint64_t{last} << (8 * (part.size - 4));
    } else {
        for (std::size_t i = 0; i < part.size; ++i)
            low |= std::uint64_t{static_cast<unsigned char>(part.first[i])} << (8 * i);
    }
    return {
        _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low)),
        _mm_setzero_si128()};
}

struct Ssse3Classifier {
    [[gnu::always_inline, gnu::target("ssse3")]] static inline Masks whole(const char* bytes) {
        return classify({load_16(bytes), load_16(bytes + 16)});
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline Masks part(const Part& part) {
        return classify(load_part(part));
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline Masks classify(const Halves& both) {
        const Masks low = classify_half(both.low);
        const Masks high = classify_half(both.high);
        Masks masks;
        masks.digits = low.digits | high.digits << 16;
        masks.separators = low.separators | high.separators << 16;
        masks.marks = low.marks | high.marks << 16;
        return masks;
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline std::uint32_t bits(__m128i bytes) {
        return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes));
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline __m128i is(__m128i bytes, char c) {
        return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline std::uint32_t any(
        __m128i classes, unsigned wanted
    ) {
        const __m128i of_them = _mm_and_si128(classes, _mm_set1_epi8(static_cast<char>(wanted)));
        return bits(_mm_cmpeq_epi8(of_them, _mm_setzero_si128())) ^ 0xFFFFU;
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline Masks classify_half(__m128i bytes) {
        const __m128i lows = _mm_shuffle_epi8(load_16(low_table.data()), bytes);
        const __m128i high_half = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
        const __m128i classes =
            _mm_and_si128(lows, _mm_shuffle_epi8(load_16(high_table.data()), high_half));
        Masks masks;
        masks.digits = bits(_mm_slli_epi16(classes, 7));
        masks.separators = bits(_mm_slli_epi16(classes, 6));
        masks.marks = any(classes, mark_classes);
        if (bits(bytes) != 0) masks.marks |= bits(is(bytes, static_cast<char>(wide_at_sign_end)));
        return masks;
    }
};

struct Avx2Classifier {
    [[gnu::always_inline, gnu::target("avx2")]] static inline Masks whole(const char* bytes) {
        return classify(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));  // NOLINT
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline Masks part(const Part& part) {
        const Halves both = load_part(part);
        return classify(_mm256_set_m128i(both.high, both.low));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline std::uint32_t bits(__m256i bytes) {
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline __m256i is(__m256i bytes, char c) {
        return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline std::uint32_t any(
        __m256i classes, unsigned wanted
    ) {
        const __m256i of_them =
            _mm256_and_si256(classes, _mm256_set1_epi8(static_cast<char>(wanted)));
        return ~bits(_mm256_cmpeq_epi8(of_them, _mm256_setzero_si256()));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline Masks classify(__m256i bytes) {
        const __m256i low_16 = _mm256_broadcastsi128_si256(load_16(low_table.data()));
        const __m256i high_16 = _mm256_broadcastsi128_si256(load_16(high_table.data()));
        const __m256i lows = _mm256_shuffle_epi8(low_16, bytes);
        const __m256i high_half =
            _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
        const __m256i classes = _mm256_and_si256(lows, _mm256_shuffle_epi8(high_16, high_half));
        Masks masks;
        masks.digits = bits(_mm256_slli_epi16(classes, 7));
        masks.separators = bits(_mm256_slli_epi16(classes, 6));
        masks.marks = any(classes, mark_classes);
        if (bits(bytes) != 0) masks.marks |= bits(is(bytes, static_cast<char>(wide_at_sign_end)));
        return masks;
    }
};

}  // namespace

[[gnu::target("ssse3")]] AnchorBlock find_short_ssse3(std::string_view text) {
    Words words;
    const bool is_whole = text.size() == anchor_block_bytes;
    return anchors_of(
        words,
        is_whole ? Ssse3Classifier::whole(text.data())
                 : Ssse3Classifier::part({text.data(), text.size(), 0})
    );
}

[[gnu::target("ssse3")]] void find_ssse3(Walk& shared) {
    Walk walk = shared;  // a copy of its own stays in registers
    while (walk.goes_on())
        walk.take(
            walk.is_whole() ? Ssse3Classifier::whole(walk.text.data() + walk.at)
                            : Ssse3Classifier::part(walk.part())
        );
    shared = walk;
}

[[gnu::target("avx2,bmi,bmi2")]] AnchorBlock find_short_avx2(std::string_view text) {
    Words words;
    const bool is_whole = text.size() == anchor_block_bytes;
    return anchors_of(
        words,
        is_whole ? Avx2Classifier::whole(text.data())
                 : Avx2Classifier::part({text.data(), text.size(), 0})
    );
}

[[gnu::target("avx2,bmi,bmi2")]] void find_avx2(Walk& shared) {
    Walk walk = shared;  // a copy of its own stays in registers
    while (walk.goes_on())
        walk.take(
            walk.is_whole() ? Avx2Classifier::whole(walk.text.data() + walk.at)
                            : Avx2Classifier::part(walk.part())
        );
    shared = walk;
}

}  // namespace spangate::anchors

#endif
