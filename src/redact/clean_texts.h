// The short texts of a batch in which the rules found nothing. Spans repeat the names of agents,
// models, tools, operations and sessions, and operational fields ask once more for what the detail
// has asked: four short texts of five were looked at before. Bytes are kept and compared, never
// addresses, so that an answer is only for the very same text. Belongs to one lane.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace spangate {

class CleanTexts {
  public:
    static constexpr std::size_t text_bytes_max = 32;

    // A text of at most `text_bytes_max`, in words: equal texts have equal words, others have not.
    class Key {
      public:
        explicit Key(std::string_view text) : size_(text.size()) {
            const char* const first = text.data();
            const char* const end = first + text.size();
            if (text.size() >= 8) {  // the words overlap where the text is short of four
                a_ = word(first);
                b_ = word(first + std::min<std::size_t>(8, text.size() - 8));
                c_ = word(end - std::min<std::size_t>(16, text.size()));
                d_ = word(end - 8);
            } else if (text.size() >= 4) {
                a_ = half_word(first) << 32 | half_word(end - 4);
            } else {
                for (const char c : text)
                    a_ = a_ << 8 | static_cast<unsigned char>(c);
            }
        }

        friend bool operator==(const Key& a, const Key& b) {
            return ((a.a_ ^ b.a_) | (a.b_ ^ b.b_) | (a.c_ ^ b.c_) | (a.d_ ^ b.d_) |
                    (a.size_ ^ b.size_)) == 0;
        }

        [[nodiscard]] std::size_t slot() const {
            const std::uint64_t hash = (a_ + size_) * 0x9E3779B97F4A7C15ULL +
                                       b_ * 0xD6E8FEB86659FD93ULL + c_ * 0xA0761D6478BD642FULL +
                                       d_ * 0xE7037ED1A0B428DBULL;
            return static_cast<std::size_t>(hash >> (64 - slots_bits));
        }

      private:
        static std::uint64_t word(const char* bytes) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes, sizeof word);
            return word;
        }

        static std::uint64_t half_word(const char* bytes) {
            std::uint32_t word = 0;
            std::memcpy(&word, bytes, sizeof word);
            return word;
        }

        std::uint64_t a_ = 0;
        std::uint64_t b_ = 0;
        std::uint64_t c_ = 0;
        std::uint64_t d_ = 0;
        std::uint64_t size_ = 0;
    };

    CleanTexts() : slots_(slots_count) {}

    [[nodiscard]] static bool fits(std::string_view text) { return text.size() <= text_bytes_max; }

    [[nodiscard]] bool has(const Key& key) const {
        const Slot& slot = slots_[key.slot()];
        return slot.generation == generation_ && slot.key == key;
    }

    // Takes the place of another text of that slot.
    void add(const Key& key) {
        Slot& slot = slots_[key.slot()];
        slot.key = key;
        slot.generation = generation_;
    }

    // With the batch, its texts go.
    void forget() {
        if (++generation_ != 0) return;
        slots_.assign(slots_count, Slot{});
        generation_ = 1;
    }

  private:
    static constexpr unsigned slots_bits = 9;
    static constexpr std::size_t slots_count = std::size_t{1} << slots_bits;

    struct alignas(64) Slot {  // one line of the cache
        Key key{std::string_view()};
        std::uint32_t generation = 0;  // 0: never used
    };

    std::vector<Slot> slots_;
    std::uint32_t generation_ = 1;
};

}  // namespace spangate
