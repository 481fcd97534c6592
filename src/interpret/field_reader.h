// Reads the fields of the contract from one span by the table's entry lists. The merged lists of a
// set of conventions (a FieldPlan) are made once and kept; reading takes nothing from the heap.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/arena.h"
#include "digest/hash_key.h"
#include "interpret/attribute_index.h"
#include "interpret/condition.h"
#include "interpret/convention_table.h"
#include "interpret/draft.h"
#include "interpret/json_lookup.h"
#include "model/field_set.h"
#include "model/span_view.h"

namespace spangate {

// A set of targets, one bit each.
struct TargetMask {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    void set(TargetId target) { (target < 64 ? low : high) |= std::uint64_t{1} << (target % 64U); }

    [[nodiscard]] bool has(TargetId target) const {
        return ((target < 64 ? low : high) >> (target % 64U) & 1U) != 0;
    }

    TargetMask& operator|=(const TargetMask& other) {
        low |= other.low;
        high |= other.high;
        return *this;
    }

    [[nodiscard]] TargetMask without(const TargetMask& other) const {
        return {low & ~other.low, high & ~other.high};
    }

    friend TargetMask operator&(const TargetMask& a, const TargetMask& b) {
        return {a.low & b.low, a.high & b.high};
    }
};

static_assert(targets_count <= 128);

// The entries of each target in the order in which they are tried. `by_key` says which targets an
// attribute key may feed: a span has some twenty keys and the lists name hundreds.
struct FieldPlan {
    struct Entry {
        KeyId key = 0;
        bool is_attribute = false;
        const FieldEntry* entry = nullptr;
    };

    std::vector<Entry> entries;
    std::array<std::uint32_t, targets_count + 1> first{};  // of each target in `entries`
    std::vector<TargetMask> by_key;                        // index: KeyId
    TargetMask without_attribute;  // targets with entries that read the span, its name or resource
    TargetMask with_pattern;       // with {N} keys
    TargetMask with_span_event;

    [[nodiscard]] std::span<const Entry> of(TargetId target) const {
        return std::span(entries).subspan(first[target], first[target + 1] - first[target]);
    }
};

class FieldPlans {
  public:
    static constexpr std::size_t plans_max = 1'024;

    explicit FieldPlans(const ConventionTable& table) : table_(table) {}

    // `matched` is the convention whose rule decided; `holding` are all that hold.
    [[nodiscard]] const FieldPlan& plan(std::uint32_t matched, ConventionMask holding);

  private:
    struct Key {
        std::uint32_t matched = 0;
        ConventionMask holding = 0;

        friend bool operator==(const Key&, const Key&) = default;
    };

    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            return static_cast<std::size_t>((key.holding * 0x9E3779B97F4A7C15U) ^ key.matched);
        }
    };

    [[nodiscard]] FieldPlan make(std::uint32_t matched, ConventionMask holding) const;

    const ConventionTable& table_;
    std::unordered_map<Key, FieldPlan, KeyHash> plans_;
    Key last_key_;
    const FieldPlan* last_ = nullptr;
};

// What entries may read. `attributes` are the span's own, or those of one of its span events.
struct FieldSource {
    const SpanView& span;
    const AttributeIndex& attributes;
    const AttributeIndex& resource;
    bool attributes_only = false;    // of a span event: nothing else is read
    TargetMask candidates;           // targets that may have a value; see candidates_of()
    std::string_view record_name{};  // of a log record: `span_event` entries read its body
};

// Which targets may get a value from this source at all.
[[nodiscard]] TargetMask candidates_of(const FieldPlan& plan, const FieldSource& source);

class FieldReader {
  public:
    explicit FieldReader(const ConventionTable& table) : table_(table) {}

    // Before the first read of a span.
    void begin(Arena& arena);

    // The keyed references read since begin(); still to be written, because they hold the tenant.
    [[nodiscard]] const KeyedReference* references() const { return references_; }

    // Whether raw() is kept, for explanations.
    void keep_raw(bool keeps) { keeps_raw_ = keeps; }

    // What the last entry that had a value read, before any map.
    [[nodiscard]] const Value& raw() const { return raw_; }

    // Puts the field when one of its entries gives a value. The entry, or null.
    const FieldEntry* read(
        const FieldPlan& plan, FieldId id, const FieldSource& source, FieldSetBuilder& fields
    );

    // The first text that an entry gives, and the entry; empty when none does.
    struct Text {
        std::string_view text;
        const FieldEntry* entry = nullptr;
    };

    [[nodiscard]] Text read_text(const FieldEntry& entry, const FieldSource& source);
    [[nodiscard]] Text read_text(const FieldPlan& plan, TargetId target, const FieldSource& source);

  private:
    [[nodiscard]] std::optional<Value> raw_value(
        const FieldEntry& entry, const FieldSource& source
    );
    [[nodiscard]] std::optional<Value> value(const FieldEntry& entry, const FieldSource& source);
    [[nodiscard]] std::optional<Value> list(const FieldEntry& entry, const FieldSource& source);
    [[nodiscard]] std::optional<Value> captured(std::string_view text, const FieldEntry& entry);
    [[nodiscard]] bool put(
        const FieldInfo& field,
        const FieldEntry& entry,
        const FieldSource& source,
        FieldSetBuilder& fields
    );
    [[nodiscard]] bool put_text(
        const FieldInfo& field, const FieldEntry& entry, const Value& value, FieldSetBuilder& fields
    );
    [[nodiscard]] bool put_number(
        const FieldInfo& field, const Value& value, FieldSetBuilder& fields
    );
    [[nodiscard]] bool put_list(
        const FieldInfo& field, const Value& value, FieldSetBuilder& fields
    );
    [[nodiscard]] std::string_view in_words_of(
        TargetId target, const FieldEntry& entry, std::string_view raw
    ) const;
    [[nodiscard]] std::string_view mapped(std::uint32_t map, std::string_view raw) const;

    const ConventionTable& table_;
    JsonLookup json_;
    const KeyedReference* references_ = nullptr;
    bool keeps_raw_ = false;
    Value raw_;
    Arena* arena_ = nullptr;
};

}  // namespace spangate
