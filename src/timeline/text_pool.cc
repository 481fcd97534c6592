#include "timeline/text_pool.h"

#include <cstring>

#include <xxhash.h>

namespace spangate {
namespace {

constexpr std::size_t slots_first = 64;

}  // namespace

TextPool::TextPool() : texts_(1), slots_(slots_first, 0) {}

TextId TextPool::intern(std::string_view text) {
    // A text that no record can hold is none.
    if (text.empty() || text.size() > UINT32_MAX) return no_text;
    const auto hash = static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
    std::size_t slot = hash & (slots_.size() - 1);
    for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
        const Text& known = texts_[slots_[slot]];
        const bool is_same = known.hash == hash && known.size == text.size() &&
                             std::memcmp(known.first, text.data(), text.size()) == 0;
        if (is_same) return TextId{slots_[slot]};
    }
    const auto number = static_cast<std::uint32_t>(texts_.size());
    texts_.push_back({keep(text), static_cast<std::uint32_t>(text.size()), hash});
    slots_[slot] = number;
    bytes_ += text.size();
    if (texts_.size() * 4 > slots_.size() * 3) grow_slots();
    return TextId{number};
}

const char* TextPool::keep(std::string_view text) {
    if (text.size() > block_left_) {
        const bool is_long = text.size() > block_bytes / 4;
        const std::size_t size = is_long ? text.size() : block_bytes;
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
        if (is_long) {
            // A block of its own; the open one stays open.
            std::memcpy(blocks_.back().get(), text.data(), text.size());
            return blocks_.back().get();
        }
        block_at_ = blocks_.back().get();
        block_left_ = size;
    }
    char* const kept = block_at_;
    std::memcpy(kept, text.data(), text.size());
    block_at_ += text.size();
    block_left_ -= text.size();
    return kept;
}

void TextPool::grow_slots() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::uint32_t number = 1; number < texts_.size(); ++number) {
        std::size_t slot = texts_[number].hash & (slots_.size() - 1);
        while (slots_[slot] != 0)
            slot = (slot + 1) & (slots_.size() - 1);
        slots_[slot] = number;
    }
}

std::string_view TextPool::operator[](TextId id) const {
    const Text& text = texts_[static_cast<std::uint32_t>(id)];
    return {text.first, text.size};
}

void TextPool::clear() {
    *this = TextPool();
}

}  // namespace spangate
