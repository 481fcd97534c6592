#include "interpret/convention_table.h"

#include <algorithm>

#include <re2/re2.h>

namespace spangate {
namespace {

constexpr std::string_view index_mark = "{N}";
constexpr std::string_view segment_mark = "{*}";
constexpr std::string_view rest_mark = "**";

constexpr std::array<std::string_view, targets_count - fields_count> input_names = {
    "session_id",
    "tenant_id",
    "user_id",
    "model_responded",
    "error_message",
    "policy_reason",
    "eval_explanation"};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void apply(const KeyNaming& rule, KeyFacts& facts) {
    switch (rule.what) {
        case KeyNaming::What::content:
            facts.content |= rule.conventions;
            return;
        case KeyNaming::What::exception:
            facts.exceptions |= rule.conventions;
            return;
        case KeyNaming::What::mapped:
            facts.mapped |= rule.conventions;
            return;
        case KeyNaming::What::identity:
            facts.identity |= rule.conventions;
            return;
        case KeyNaming::What::names_agent:
            facts.names_agent = true;
            return;
        case KeyNaming::What::plain:
            facts.is_plain = true;
            return;
    }
}

}  // namespace

std::optional<TargetId> target_from(std::string_view name) {
    if (const std::optional<FieldId> field = field_from(name)) return target_of(*field);
    const auto* found = std::find(input_names.begin(), input_names.end(), name);
    if (found == input_names.end()) return std::nullopt;
    return static_cast<TargetId>(
        fields_count + static_cast<std::size_t>(found - input_names.begin())
    );
}

bool KeyPattern::is_one(std::string_view text) {
    return text.find(index_mark) != std::string_view::npos ||
           text.find(segment_mark) != std::string_view::npos || text.ends_with(rest_mark);
}

bool KeyPattern::matches(std::string_view key, std::uint32_t& number) const {
    std::string_view pattern = text;
    bool has_number = false;
    while (!pattern.empty()) {
        if (pattern == rest_mark) return true;
        if (pattern.starts_with(index_mark)) {
            std::size_t digits = 0;
            std::uint32_t value = 0;
            while (digits < key.size() && digits < 9 && is_digit(key[digits])) {
                value = value * 10 + static_cast<std::uint32_t>(key[digits++] - '0');
            }
            if (digits == 0) return false;
            if (!has_number) number = value;
            has_number = true;
            key.remove_prefix(digits);
            pattern.remove_prefix(index_mark.size());
            continue;
        }
        if (pattern.starts_with(segment_mark)) {
            const std::size_t size = std::min(key.find('.'), key.size());
            if (size == 0) return false;
            key.remove_prefix(size);
            pattern.remove_prefix(segment_mark.size());
            continue;
        }
        if (key.empty() || key.front() != pattern.front()) return false;
        key.remove_prefix(1);
        pattern.remove_prefix(1);
    }
    return key.empty();
}

ConventionTable::ConventionTable() = default;
ConventionTable::~ConventionTable() = default;

KeyFacts ConventionTable::facts_of(std::string_view key) const {
    KeyFacts result;
    if (const auto named = ids.find(std::string(key)); named != ids.end()) {
        result = facts[named->second];
    }
    for (const KeyNaming& rule : key_rules) {
        std::uint32_t number = 0;
        const bool matches =
            rule.is_prefix ? key.starts_with(rule.pattern.text) : rule.pattern.matches(key, number);
        if (matches) apply(rule, result);
    }
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        if (!key.starts_with(prefixes[i].first)) continue;
        result.prefixes |= std::uint64_t{1} << i;
        result.detects |= prefixes[i].second;
    }
    for (std::size_t i = 0; i < families.size(); ++i) {
        if (key.starts_with(families[i])) result.families |= std::uint64_t{1} << i;
    }
    for (std::size_t i = 0; i < patterns.size() && result.hits_count < KeyFacts::hits_max; ++i) {
        std::uint32_t number = 0;
        if (!patterns[i].matches(key, number)) continue;
        result.hits[result.hits_count++] = {static_cast<std::uint32_t>(i), number};
    }
    for (const KeyPattern& ordinary : ordinary_keys) {
        std::uint32_t number = 0;
        if (ordinary.matches(key, number)) result.names_agent = false;
    }
    return result;
}

}  // namespace spangate
