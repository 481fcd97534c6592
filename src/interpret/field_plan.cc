#include <algorithm>
#include <bit>

#include "interpret/field_reader.h"

namespace spangate {
namespace {

bool is_plain_key(const FieldEntry& entry) {
    return entry.source == FieldEntry::Source::attribute && entry.takes_whole_value() &&
           entry.item_index == no_index && entry.when == no_index;
}

// An entry that reads a key which an earlier one of the list reads the same way gives nothing new.
bool is_repeated(std::span<const FieldPlan::Entry> earlier, const FieldEntry& entry) {
    if (!is_plain_key(entry)) return false;
    return std::any_of(earlier.begin(), earlier.end(), [&](const FieldPlan::Entry& other) {
        return is_plain_key(*other.entry) && other.key == entry.key;
    });
}

void note(FieldPlan& plan, TargetId target, const FieldEntry& entry) {
    switch (entry.source) {
        case FieldEntry::Source::attribute:
            plan.by_key[entry.key].set(target);
            return;
        case FieldEntry::Source::pattern:
            plan.with_pattern.set(target);
            return;
        case FieldEntry::Source::span_event:
            plan.with_span_event.set(target);
            return;
        case FieldEntry::Source::resource:
        case FieldEntry::Source::span_name:
        case FieldEntry::Source::span_status_message:
        case FieldEntry::Source::span_kind:
        case FieldEntry::Source::span_status:
        case FieldEntry::Source::name_regex:
            plan.without_attribute.set(target);
            return;
    }
}

}  // namespace

TargetMask candidates_of(const FieldPlan& plan, const FieldSource& source) {
    TargetMask mask;
    for (const KeyFacts* facts : source.attributes.facts()) {
        if (facts->id != 0) mask |= plan.by_key[facts->id];
    }
    if (!source.attributes.patterns().empty()) mask |= plan.with_pattern;
    if (source.attributes_only) return mask;
    mask |= plan.without_attribute;
    const bool has_events = !source.span.events.empty() || !source.record_name.empty();
    if (has_events) mask |= plan.with_span_event;
    return mask;
}

FieldPlan FieldPlans::make(std::uint32_t matched, ConventionMask holding) const {
    FieldPlan plan;
    plan.by_key.resize(table_.keys.size());
    for (std::size_t i = 0; i < targets_count; ++i) {
        const auto target = static_cast<TargetId>(i);
        plan.first[i] = static_cast<std::uint32_t>(plan.entries.size());
        const std::size_t first = plan.entries.size();
        const auto append = [&](const FieldEntries& list) {
            for (const FieldEntry& entry : list) {
                const std::span<const FieldPlan::Entry> earlier(plan.entries);
                if (is_repeated(earlier.subspan(first), entry)) continue;
                const bool is_attribute = entry.source == FieldEntry::Source::attribute;
                plan.entries.push_back({entry.key, is_attribute, &entry});
                note(plan, target, entry);
            }
        };
        append(table_.conventions[matched].fields[i]);
        for (ConventionMask rest = holding & ~common_bit; rest != 0; rest &= rest - 1) {
            const auto index = static_cast<std::uint32_t>(std::countr_zero(rest));
            if (index != matched) append(table_.conventions[index].fields[i]);
        }
        append(table_.common_fields[i]);
    }
    plan.first[targets_count] = static_cast<std::uint32_t>(plan.entries.size());
    for (const FieldEntry& entry : table_.session_keys)
        note(plan, target::session_id, entry);
    return plan;
}

const FieldPlan& FieldPlans::plan(std::uint32_t matched, ConventionMask holding) {
    const Key key{matched, holding};
    if (last_ != nullptr && last_key_ == key) return *last_;
    auto found = plans_.find(key);
    if (found == plans_.end()) {
        if (plans_.size() == plans_max) plans_.clear();
        found = plans_.emplace(key, make(matched, holding)).first;
    }
    last_key_ = key;
    last_ = &found->second;
    return *last_;
}

}  // namespace spangate
