// Vendors' keys that a prefix tells.
#include <array>

#include "redact/scan.h"
#include "redact/vendor_keys.h"

namespace spangate {
namespace {

using enum Alphabet;

// An anchor and the two bytes before it.
constexpr std::uint32_t three_bytes(char first, char second, char anchor) {
    const auto number = [](char c) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(c));
    };
    return number(first) << 16 | number(second) << 8 | number(anchor);
}

// Folded into 12 bits.
constexpr std::size_t fold(std::uint32_t three) {
    return three * 0x9E3779B1U >> 20;  // multiplicative
}

// The keys by their three bytes: most anchors are told to be none of theirs by one bit.
class PrefixIndex {
  public:
    constexpr PrefixIndex() {
        for (std::size_t i = prefixed_keys.size(); i > 0; --i) {
            const VendorKey& key = prefixed_keys[i - 1];
            const std::string_view at = key.prefix.substr(key.anchor - 2, 3);
            threes_[i - 1] = three_bytes(at[0], at[1], at[2]);
            const std::size_t folded = fold(threes_[i - 1]);
            words_[folded / 64] |= std::uint64_t{1} << (folded % 64);
            next_[i - 1] = heads_[folded / folds_per_head];
            heads_[folded / folds_per_head] = static_cast<std::uint8_t>(i);
        }
    }

    [[nodiscard]] constexpr bool may_have(std::uint32_t three) const {
        const std::size_t folded = fold(three);
        return (words_[folded / 64] >> (folded % 64) & 1U) != 0;
    }

    // Calls `take` with each key that has the three bytes, until it says true.
    template <typename Take>
    constexpr void visit(std::uint32_t three, const Take& take) const {
        for (std::size_t i = heads_[fold(three) / folds_per_head]; i != 0; i = next_[i - 1]) {
            if (threes_[i - 1] == three && take(prefixed_keys[i - 1])) return;
        }
    }

  private:
    static constexpr std::size_t folds_per_head = 16;

    std::array<std::uint64_t, 64> words_{};
    std::array<std::uint8_t, 256> heads_{};  // a key's number, counted from 1; 0: none
    std::array<std::uint8_t, prefixed_keys.size()> next_{};
    std::array<std::uint32_t, prefixed_keys.size()> threes_{};
};

static_assert(prefixed_keys.size() < 256);

constexpr bool is_in(Alphabet alphabet, char c) {
    if (is_alnum(c)) return true;
    if (alphabet == alnum) return false;
    if (c == '-' || c == '_' || c == '.') return true;
    return alphabet == base64 && is_base64(c);
}

// AWS key ids are 20 characters long; the others have at least their minimum.
bool take_vendor_key(Scan& scan, std::size_t begin, const VendorKey& key) {
    std::size_t end = begin + key.prefix.size();
    bool has_digit = false;
    bool has_upper = false;
    while (is_in(key.alphabet, scan.at(end))) {
        const char c = scan.text[end++];
        has_digit = has_digit || is_digit(c);
        has_upper = has_upper || (c >= 'A' && c <= 'Z');
    }
    while (scan.text[end - 1] == '.')
        --end;
    if (end - begin < key.prefix.size() + key.bytes_min || !(has_digit || has_upper)) return false;
    scan.add(Detector::vendor_keys, begin, end);
    return true;
}

bool try_vendor_key(Scan& scan, std::size_t anchor, const VendorKey& key) {
    if (anchor < key.anchor) return false;
    const std::size_t begin = anchor - key.anchor;
    if (scan.text[begin] != key.prefix[0] || !scan.starts_with(begin, key.prefix)) return false;
    return !scan.word_before(begin) && take_vendor_key(scan, begin, key);
}

constexpr PrefixIndex prefix_index;

// Apart, so that the filter before it costs no frame.
[[gnu::noinline]] void try_vendor_keys(Scan& scan, std::size_t anchor, std::uint32_t three) {
    if (!scan.wants(Detector::vendor_keys)) return;
    prefix_index.visit(three, [&](const VendorKey& key) {
        return try_vendor_key(scan, anchor, key);
    });
}

}  // namespace

void detect_vendor_key(Scan& scan, std::size_t anchor) {
    if (anchor < 2) return;
    const std::uint32_t three =
        three_bytes(scan.text[anchor - 2], scan.text[anchor - 1], scan.text[anchor]);
    if (prefix_index.may_have(three)) try_vendor_keys(scan, anchor, three);
}

}  // namespace spangate
