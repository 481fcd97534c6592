#include "interpret/attribute_index.h"

#include <algorithm>
#include <bit>

#include <xxhash.h>

namespace spangate {
namespace {

constexpr std::size_t places_per_entry = 4;  // keeps probes short

std::uint64_t hash_of(std::string_view key) {
    return XXH3_64bits(key.data(), key.size());
}

std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace

KeyCache::KeyCache(const ConventionTable& table) : table_(table) {
    const std::size_t entries_max = table.keys.size() + learnt_keys_max;
    places_.resize(std::bit_ceil(entries_max * places_per_entry / 2));
    mask_ = places_.size() - 1;
    learn_named_keys();
}

void KeyCache::learn_named_keys() {
    for (std::size_t id = 1; id < table_.keys.size(); ++id) {
        learn(table_.keys[id], hash_of(table_.keys[id]));
    }
}

bool KeyCache::is_full() const {
    return entries_.size() >= table_.keys.size() + learnt_keys_max;
}

void KeyCache::begin() {
    if (!is_full()) return;
    entries_.clear();
    std::fill(places_.begin(), places_.end(), Place{});
    learn_named_keys();
}

void KeyCache::insert(std::uint64_t hash, std::uint32_t entry) {
    std::uint64_t at = hash & mask_;
    while (places_[at].entry != 0)
        at = (at + 1) & mask_;
    places_[at] = {tag_of(hash), entry + 1};
}

void KeyCache::learn(std::string_view key, std::uint64_t hash) {
    entries_.push_back({std::string(key), table_.facts_of(key)});
    insert(hash, static_cast<std::uint32_t>(entries_.size() - 1));
}

const KeyFacts& KeyCache::facts_of(std::string_view key, Arena& arena) {
    const std::uint64_t hash = hash_of(key);
    const std::uint32_t tag = tag_of(hash);
    for (std::uint64_t at = hash & mask_; places_[at].entry != 0; at = (at + 1) & mask_) {
        if (places_[at].tag != tag) continue;
        const Entry& entry = entries_[places_[at].entry - 1];
        if (entry.key == key) return entry.facts;
    }
    if (is_full() || key.size() > learnt_key_bytes_max) {
        return *arena.make<KeyFacts>(table_.facts_of(key));
    }
    learn(key, hash);
    return entries_.back().facts;
}

void AttributeIndex::read_nothing() {
    if (++epoch_ == 0) {
        std::fill(slots_.begin(), slots_.end(), Slot{});
        epoch_ = 1;
    }
    attributes_ = {};
    facts_.clear();
    patterns_.clear();
    detects_ = 0;
    prefixes_ = 0;
    families_ = 0;
    names_agent_ = false;
}

void AttributeIndex::add_patterns(const KeyFacts& facts, std::uint32_t attribute) {
    for (std::uint8_t i = 0; i < facts.hits_count; ++i) {
        const PatternPlace place{facts.hits[i].pattern, facts.hits[i].number, attribute};
        const auto behind = std::upper_bound(
            patterns_.begin(),
            patterns_.end(),
            place,
            [](const PatternPlace& a, const PatternPlace& b) {
                return a.pattern != b.pattern ? a.pattern < b.pattern : a.number < b.number;
            }
        );
        patterns_.insert(behind, place);
    }
}

void AttributeIndex::read(std::span<Attribute> attributes, KeyCache& keys, Arena& arena) {
    read_nothing();
    attributes_ = attributes;
    for (std::uint32_t i = 0; i < attributes.size(); ++i) {
        Attribute& attribute = attributes[i];
        const KeyFacts& facts = keys.facts_of(attribute.key, arena);
        facts_.push_back(&facts);
        attribute.key_id = facts.id;
        if (attribute.value.kind == ValueKind::empty) continue;
        if (facts.id != 0) slots_[facts.id] = {epoch_, i};
        if (facts.hits_count > 0) add_patterns(facts, i);
        detects_ |= facts.detects;
        prefixes_ |= facts.prefixes;
        families_ |= facts.families;
        names_agent_ = names_agent_ || facts.names_agent;
    }
}

}  // namespace spangate
