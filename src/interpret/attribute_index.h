// Finds a span's attributes by KeyId in one step. KeyCache knows what each key of the stream means
// (one hash lookup an attribute); AttributeIndex holds where the named keys of one attribute list
// stand. Both belong to one lane.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "interpret/convention_table.h"
#include "model/span_view.h"

namespace spangate {

// A stream has few distinct keys; what does not fit is worked out anew each time.
class KeyCache {
  public:
    static constexpr std::size_t learnt_keys_max = 16'384;
    static constexpr std::size_t learnt_key_bytes_max = 256;

    // The table outlives the cache.
    explicit KeyCache(const ConventionTable& table);

    // Between batches: when strange keys have filled the cache, it starts anew, so that a flood of
    // them does not slow the rest of the stream for ever. What facts_of() gave is gone then.
    void begin();

    // Valid until the arena is reset or the next begin().
    [[nodiscard]] const KeyFacts& facts_of(std::string_view key, Arena& arena);

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        std::string key;
        KeyFacts facts;
    };

    struct Place {
        std::uint32_t tag = 0;    // upper hash bits
        std::uint32_t entry = 0;  // index + 1; 0: free
    };

    void learn_named_keys();
    [[nodiscard]] bool is_full() const;
    void learn(std::string_view key, std::uint64_t hash);
    void insert(std::uint64_t hash, std::uint32_t entry);

    const ConventionTable& table_;
    std::deque<Entry> entries_;  // addresses stay
    std::vector<Place> places_;
    std::uint64_t mask_ = 0;
};

// A field pattern that an attribute's key matches.
struct PatternPlace {
    std::uint32_t pattern = 0;
    std::uint32_t number = 0;
    std::uint32_t attribute = 0;
};

class AttributeIndex {
  public:
    explicit AttributeIndex(const ConventionTable& table) : slots_(table.keys.size()) {}

    // Reads `attributes` anew; the last of equal keys counts. Sets each attribute's key_id.
    void read(std::span<Attribute> attributes, KeyCache& keys, Arena& arena);

    void clear() { read_nothing(); }

    // Null when the key is not there or its value is empty.
    [[nodiscard]] const Value* find(KeyId key) const {
        const Slot& slot = slots_[key];
        return slot.epoch == epoch_ ? &attributes_[slot.attribute].value : nullptr;
    }

    [[nodiscard]] Attribute* attribute(KeyId key) const {
        const Slot& slot = slots_[key];
        return slot.epoch == epoch_ ? &attributes_[slot.attribute] : nullptr;
    }

    [[nodiscard]] std::span<Attribute> attributes() const { return attributes_; }

    // One for each attribute, in order.
    [[nodiscard]] std::span<const KeyFacts* const> facts() const { return facts_; }

    // In ascending order of the number, for each pattern.
    [[nodiscard]] std::span<const PatternPlace> patterns() const { return patterns_; }

    // Unions over all attributes.
    [[nodiscard]] ConventionMask detects() const { return detects_; }

    [[nodiscard]] std::uint64_t prefixes() const { return prefixes_; }

    [[nodiscard]] std::uint64_t families() const { return families_; }

    [[nodiscard]] bool names_agent() const { return names_agent_; }

  private:
    struct Slot {
        std::uint32_t epoch = 0;
        std::uint32_t attribute = 0;
    };

    void read_nothing();
    void add_patterns(const KeyFacts& facts, std::uint32_t attribute);

    std::vector<Slot> slots_;
    std::uint32_t epoch_ = 0;
    std::span<Attribute> attributes_;
    std::vector<const KeyFacts*> facts_;
    std::vector<PatternPlace> patterns_;
    ConventionMask detects_ = 0;
    std::uint64_t prefixes_ = 0;
    std::uint64_t families_ = 0;
    bool names_agent_ = false;
};

}  // namespace spangate
