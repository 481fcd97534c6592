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

// Where a window's bytes match, by group: each look-up of the first two is kept for the next block.
class Ssse3Classifier {
  public:
    [[gnu::always_inline, gnu::target("ssse3")]] inline Masks whole(const char* bytes) {
        return classify({load_16(bytes), load_16(bytes + 16)});
    }

    [[gnu::always_inline, gnu::target("ssse3")]] inline Masks part(const Part& part) {
        return classify(load_part(part));
    }

  private:
    [[gnu::always_inline, gnu::target("ssse3")]] inline Masks classify(const Halves& both) {
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

    [[gnu::always_inline, gnu::target("ssse3")]] static inline __m128i of(
        __m128i classes, unsigned wanted
    ) {
        return _mm_and_si128(classes, _mm_set1_epi8(static_cast<char>(wanted)));
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline std::uint32_t any(__m128i classes) {
        return bits(_mm_cmpeq_epi8(classes, _mm_setzero_si128())) ^ 0xFFFFU;
    }

    [[gnu::always_inline, gnu::target("ssse3")]] static inline __m128i look_up(
        const ByteTable& table, __m128i bytes, __m128i high_half
    ) {
        return _mm_and_si128(
            _mm_shuffle_epi8(load_16(table.low.data()), bytes),
            _mm_shuffle_epi8(load_16(table.high.data()), high_half)
        );
    }

    [[gnu::always_inline, gnu::target("ssse3")]] inline Masks classify_half(__m128i bytes) {
        const __m128i high_half = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
        const __m128i classes = look_up(class_table, bytes, high_half);
        const __m128i first = look_up(window_tables[0], bytes, high_half);
        const __m128i second = look_up(window_tables[1], bytes, high_half);
        const __m128i third = look_up(window_tables[2], bytes, high_half);
        const __m128i windows_found = _mm_and_si128(
            third,
            _mm_and_si128(_mm_alignr_epi8(second, second_, 15), _mm_alignr_epi8(first, first_, 14))
        );
        first_ = first;
        second_ = second;
        Masks masks;
        masks.digits = bits(_mm_slli_epi16(classes, 7));
        masks.separators = bits(_mm_slli_epi16(classes, 6));
        masks.marks = any(_mm_or_si128(of(classes, mark_classes), windows_found));
        if (bits(bytes) != 0) masks.marks |= bits(is(bytes, static_cast<char>(wide_at_sign_end)));
        return masks;
    }

    __m128i first_{};
    __m128i second_{};
};

class Avx2Classifier {
  public:
    [[gnu::always_inline, gnu::target("avx2")]] inline Avx2Classifier()
        : classes_(table_of(class_table)),
          firsts_(table_of(window_tables[0])),
          seconds_(table_of(window_tables[1])),
          thirds_(table_of(window_tables[2])) {}

    [[gnu::always_inline, gnu::target("avx2")]] inline Masks whole(const char* bytes) {
        return classify(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));  // NOLINT
    }

    [[gnu::always_inline, gnu::target("avx2")]] inline Masks part(const Part& part) {
        const Halves both = load_part(part);
        return classify(_mm256_set_m128i(both.high, both.low));
    }

  private:
    struct Table {
        __m256i low;
        __m256i high;
    };

    // Values that the compiler knows nothing of stay in registers; constants it loads for every
    // block anew.
    [[gnu::always_inline, gnu::target("avx2")]] static inline __m256i kept(__m256i value) {
        asm("" : "+x"(value));  // NOLINT: no instruction
        return value;
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline Table table_of(const ByteTable& table
    ) {
        return {
            kept(_mm256_broadcastsi128_si256(load_16(table.low.data()))),
            kept(_mm256_broadcastsi128_si256(load_16(table.high.data())))};
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline std::uint32_t bits(__m256i bytes) {
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline __m256i is(__m256i bytes, char c) {
        return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline __m256i of(
        __m256i classes, unsigned wanted
    ) {
        return _mm256_and_si256(classes, _mm256_set1_epi8(static_cast<char>(wanted)));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline std::uint32_t any(__m256i classes) {
        return ~bits(_mm256_cmpeq_epi8(classes, _mm256_setzero_si256()));
    }

    [[gnu::always_inline, gnu::target("avx2")]] static inline __m256i look_up(
        const Table& table, __m256i bytes, __m256i high_half
    ) {
        return _mm256_and_si256(
            _mm256_shuffle_epi8(table.low, bytes), _mm256_shuffle_epi8(table.high, high_half)
        );
    }

    // The bytes `steps` before those of `now`.
    template <int steps>
    [[gnu::always_inline, gnu::target("avx2")]] static inline __m256i moved_up(
        __m256i before, __m256i now
    ) {
        return _mm256_alignr_epi8(now, _mm256_permute2x128_si256(before, now, 0x21), 16 - steps);
    }

    [[gnu::always_inline, gnu::target("avx2")]] inline Masks classify(__m256i bytes) {
        const __m256i high_half =
            _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
        const __m256i classes = look_up(classes_, bytes, high_half);
        const __m256i first = look_up(firsts_, bytes, high_half);
        const __m256i second = look_up(seconds_, bytes, high_half);
        const __m256i third = look_up(thirds_, bytes, high_half);
        const __m256i windows_found = _mm256_and_si256(
            third, _mm256_and_si256(moved_up<1>(second_, second), moved_up<2>(first_, first))
        );
        first_ = first;
        second_ = second;
        Masks masks;
        masks.digits = bits(_mm256_slli_epi16(classes, 7));
        masks.separators = bits(_mm256_slli_epi16(classes, 6));
        masks.marks = any(_mm256_or_si256(of(classes, mark_classes), windows_found));
        if (bits(bytes) != 0) masks.marks |= bits(is(bytes, static_cast<char>(wide_at_sign_end)));
        return masks;
    }

    Table classes_;
    Table firsts_;
    Table seconds_;
    Table thirds_;
    __m256i first_{};
    __m256i second_{};
};

}  // namespace

[[gnu::target("ssse3")]] AnchorBlock find_short_ssse3(std::string_view text) {
    Words words;
    Ssse3Classifier classifier;
    const bool is_whole = text.size() == anchor_block_bytes;
    return anchors_of(
        words,
        is_whole ? classifier.whole(text.data()) : classifier.part({text.data(), text.size(), 0})
    );
}

[[gnu::target("ssse3")]] void find_ssse3(Walk& shared) {
    Walk walk = shared;  // copies of its own stay in registers
    Ssse3Classifier classifier;
    if (walk.at > 0) (void)classifier.whole(walk.before());
    while (walk.goes_on() && walk.is_whole())
        walk.take(classifier.whole(walk.text.data() + walk.at));
    if (walk.goes_on()) walk.take(classifier.part(walk.part()));
    shared = walk;
}

[[gnu::target("avx2,bmi,bmi2")]] AnchorBlock find_short_avx2(std::string_view text) {
    Words words;
    Avx2Classifier classifier;
    const bool is_whole = text.size() == anchor_block_bytes;
    return anchors_of(
        words,
        is_whole ? classifier.whole(text.data()) : classifier.part({text.data(), text.size(), 0})
    );
}

[[gnu::target("avx2,bmi,bmi2")]] void find_avx2(Walk& shared) {
    Walk walk = shared;  // copies of its own stay in registers
    Avx2Classifier classifier;
    if (walk.at > 0) (void)classifier.whole(walk.before());
    while (walk.goes_on() && walk.is_whole())
        walk.take(classifier.whole(walk.text.data() + walk.at));
    if (walk.goes_on()) walk.take(classifier.part(walk.part()));
    shared = walk;
}

}  // namespace spangate::anchors

#endif
