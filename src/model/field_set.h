// The fields of one item: built densely in a FieldSetBuilder, then packed into the batch's arena.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/arena.h"
#include "model/field.h"

namespace spangate {

// Which fields are present: one bit each.
class FieldMask {
  public:
    void set(FieldId id) { words_[word(id)] |= bit_of(id); }

    void clear(FieldId id) { words_[word(id)] &= ~bit_of(id); }

    [[nodiscard]] bool has(FieldId id) const { return (words_[word(id)] & bit_of(id)) != 0; }

    // How many fields before `id` are present: the index of `id` in a packed set.
    [[nodiscard]] std::size_t rank(FieldId id) const {
        const auto below =
            static_cast<std::size_t>(std::popcount(words_[word(id)] & (bit_of(id) - 1)));
        return word(id) == 0 ? below : below + static_cast<std::size_t>(std::popcount(words_[0]));
    }

  private:
    static constexpr std::size_t word(FieldId id) { return static_cast<std::size_t>(id) / 64; }

    static constexpr std::uint64_t bit_of(FieldId id) {
        return std::uint64_t{1} << (static_cast<unsigned>(id) % 64);
    }

    static_assert(fields_count <= 128);
    std::array<std::uint64_t, 2> words_{};
};

// Immutable, in FieldId order; lives in the batch's arena.
class FieldSet {
  public:
    FieldSet() = default;

    FieldSet(FieldMask mask, std::span<const FieldValue> values) : mask_(mask), values_(values) {}

    [[nodiscard]] const FieldValue* find(FieldId id) const {
        return mask_.has(id) ? &values_[mask_.rank(id)] : nullptr;
    }

    [[nodiscard]] bool has(FieldId id) const { return mask_.has(id); }

    [[nodiscard]] std::span<const FieldValue> values() const { return values_; }

  private:
    FieldMask mask_;
    std::span<const FieldValue> values_;
};

// Reused item after item; clear() is two words.
class FieldSetBuilder {
  public:
    void clear() { mask_ = {}; }

    // A later value replaces an earlier one.
    void put(const FieldValue& value) {
        mask_.set(value.id);
        values_[static_cast<std::size_t>(value.id)] = value;
    }

    void erase(FieldId id) { mask_.clear(id); }

    [[nodiscard]] bool has(FieldId id) const { return mask_.has(id); }

    [[nodiscard]] const FieldValue* find(FieldId id) const {
        return mask_.has(id) ? &values_[static_cast<std::size_t>(id)] : nullptr;
    }

    // Starts from what `fields` holds.
    void assign(const FieldSet& fields) {
        clear();
        for (const FieldValue& value : fields.values())
            put(value);
    }

    [[nodiscard]] FieldSet pack(Arena& arena) const {
        std::array<FieldValue, fields_count> packed;
        std::size_t count = 0;
        for (std::size_t i = 0; i < fields_count; ++i) {
            if (mask_.has(static_cast<FieldId>(i))) packed[count++] = values_[i];
        }
        return {mask_, arena.copy_array(std::span<const FieldValue>(packed.data(), count))};
    }

  private:
    FieldMask mask_;
    std::array<FieldValue, fields_count> values_;
};

}  // namespace spangate
