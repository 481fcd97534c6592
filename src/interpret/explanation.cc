#include "interpret/explanation.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <re2/re2.h>

#include "interpret/span_reader.h"

namespace spangate {
namespace {

// Named so that the list can be found in the file.
std::string in_list(const ConventionTable& table, ConventionMask mask, std::string_view list) {
    if ((mask & ~common_bit) == 0) return fmt::format("common {}", list);
    const auto index = static_cast<std::size_t>(std::countr_zero(mask & ~common_bit));
    return fmt::format("{} {}", table.conventions[index].id, list);
}

ConventionMask mask_of(const KeyFacts& facts, KeyNaming::What what) {
    switch (what) {
        case KeyNaming::What::content:
            return facts.content;
        case KeyNaming::What::exception:
            return facts.exceptions;
        case KeyNaming::What::mapped:
            return facts.mapped;
        case KeyNaming::What::identity:
            return facts.identity;
        case KeyNaming::What::plain:
            return facts.is_plain ? common_bit : 0;
        case KeyNaming::What::names_agent:
            return 0;
    }
    return 0;
}

// The prefix or pattern that names the key so; empty when the key itself stands in the list.
std::string pattern_of(
    const ConventionTable& table, std::string_view key, KeyNaming::What what, ConventionMask mask
) {
    const auto named = table.ids.find(std::string(key));
    if (named != table.ids.end() && (mask_of(table.facts[named->second], what) & mask) != 0) {
        return {};
    }
    for (const KeyNaming& rule : table.key_rules) {
        if (rule.what != what || (rule.conventions & mask) == 0) continue;
        std::uint32_t number = 0;
        if (rule.is_prefix && key.starts_with(rule.pattern.text)) return rule.pattern.text + "…";
        if (!rule.is_prefix && rule.pattern.matches(key, number)) return rule.pattern.text;
    }
    return {};
}

bool holds_rule(const std::vector<Rule>& rules, const Rule& rule) {
    return !rules.empty() && &rule >= &rules.front() && &rule <= &rules.back();
}

}  // namespace

const FieldOrigin* Explanation::origin_of(FieldId field) const {
    const auto found = std::find_if(fields.rbegin(), fields.rend(), [&](const FieldOrigin& origin) {
        return origin.field == field;
    });
    return found == fields.rend() ? nullptr : &*found;
}

Explanation& ExplanationRecorder::add(const SpanView& span) {
    Explanation& explanation = explanations_.emplace_back();
    explanation.span = &span;
    return explanation;
}

void ExplanationRecorder::conclude(std::span<const Draft> drafts) {
    for (const Draft& draft : drafts) {
        Explanation& explanation = *draft.explanation;
        explanation.fate = draft.fate;
        explanation.tenant_is_given = !draft.authority.empty();
        explanation.tenant_by = draft.tenant_by;
        explanation.tenant_id = draft.tenant_id;
        explanation.session = draft.session;
        explanation.of_resource = draft.of_resource;
    }
}

void note_twin(const Draft& draft, std::string_view because) {
    if (draft.explanation != nullptr) draft.explanation->twin_because = because;
}

void note_relabelled(const Draft& draft, const AgentEvent& event, std::string_view because) {
    if (draft.explanation == nullptr) return;
    const auto index = static_cast<std::size_t>(&event - draft.events.data());
    draft.explanation->events[index].relabelled_because = because;
}

void note_dropped(const Draft& draft, std::size_t event) {
    if (draft.explanation == nullptr) return;
    std::vector<EventOrigin>& events = draft.explanation->events;
    events.erase(events.begin() + static_cast<std::ptrdiff_t>(event));
}

// After the draft's events were cut down to the primary one.
void note_only_primary(const Draft& draft, std::string_view because) {
    if (draft.explanation == nullptr) return;
    std::vector<EventOrigin>& events = draft.explanation->events;
    const auto is_of_span = [](const EventOrigin& origin) {
        return origin.made == EventOrigin::Made::rule || origin.made == EventOrigin::Made::no_rule;
    };
    const auto primary = std::find_if(events.rbegin(), events.rend(), is_of_span);
    EventOrigin kept = primary == events.rend() ? EventOrigin{} : *primary;
    kept.relabelled_because = because;
    events.assign(1, kept);
}

void note_repeat(const Draft& draft, const Overlay& overlay) {
    if (draft.explanation == nullptr) return;
    EventOrigin origin;
    origin.made = EventOrigin::Made::repeat;
    origin.type = draft.events.back().type;
    origin.line = overlay.line;
    origin.name = overlay.name;
    draft.explanation->events.push_back(origin);
    for (const OverlaySet& set : overlay.set) {
        draft.explanation->fields.push_back({set.field, nullptr, &overlay, {}});
    }
}

// SpanReader ────────────────────────────────────────────────────────────────────────────────────

void SpanReader::explain_match(std::uint32_t convention, const Rule* rule) {
    explanation_->holding = holding_;
    explanation_->held_by_resource = resource_detects_;
    explanation_->held_by_scope = scope_detects_;
    explanation_->held_by_attributes = attributes_.detects();
    explanation_->convention = convention;
    explanation_->rule = rule;
    explanation_->record_name = record_name_;
}

void SpanReader::explain_field(FieldId field, const FieldEntry* entry) {
    explanation_->fields.push_back({field, entry, nullptr, reader_.raw()});
}

void SpanReader::explain_set(FieldId field, const Overlay& overlay) {
    explanation_->fields.push_back({field, nullptr, &overlay, {}});
}

void SpanReader::explain_event_field(std::size_t event, FieldId field, const FieldEntry* entry) {
    explanation_->events[event].fields.push_back({field, entry, nullptr, reader_.raw()});
}

void SpanReader::explain_events(const EventOrigin& origin) {
    std::vector<EventOrigin>& events = explanation_->events;
    for (std::size_t i = events.size(); i < events_.size(); ++i) {
        events.push_back(origin);
        events.back().type = events_[i].event.type;
    }
}

void SpanReader::explain_rule(const Rule* rule) {
    EventOrigin origin;
    origin.convention = explanation_->convention;
    if (rule != nullptr) {
        origin.made = EventOrigin::Made::rule;
        origin.line = rule->line;
    }
    explain_events(origin);
}

void SpanReader::explain_span_event(const Rule& rule, std::size_t span_event) {
    EventOrigin origin;
    origin.made = EventOrigin::Made::span_event;
    origin.line = rule.line;
    origin.span_event = static_cast<std::uint32_t>(span_event);
    for (std::uint32_t i = 0; i < table_.conventions.size(); ++i) {
        if (holds_rule(table_.conventions[i].span_event_rules, rule)) origin.convention = i;
    }
    explain_events(origin);
}

void SpanReader::explain_extra_event(const ExtraEvent& extra, std::size_t convention) {
    EventOrigin origin;
    origin.made = EventOrigin::Made::extra_event;
    origin.convention = static_cast<std::uint32_t>(convention);
    origin.line = extra.line;
    origin.name = extra.name;
    explain_events(origin);
}

void SpanReader::explain_overlay(const Overlay& overlay) {
    EventOrigin origin;
    origin.made = EventOrigin::Made::overlay;
    origin.line = overlay.line;
    origin.name = overlay.name;
    explain_events(origin);
}

// SessionBinder ─────────────────────────────────────────────────────────────────────────────────

void SessionBinder::explain(std::span<const Draft> drafts, std::uint32_t index) {
    Explanation& explanation = *drafts[index].explanation;
    explanation.bound_by = bound_by_[index];
    const std::uint32_t trace = trace_of_draft_[index];
    std::uint32_t from = no_index;
    switch (bound_by_[index]) {
        case BoundBy::ancestor:
            from = find_keyed_ancestor(drafts, index);
            break;
        case BoundBy::root:
            from = traces_[trace].root;
            break;
        case BoundBy::trace_batch:
            from = traces_[trace].first;
            break;
        case BoundBy::own:
        case BoundBy::trace_memory:
        case BoundBy::link:
        case BoundBy::resource:
        case BoundBy::trace_id:
        case BoundBy::log:
            return;
    }
    if (from != no_index) explanation.bound_from = drafts[from].span;
}

// Words for people ──────────────────────────────────────────────────────────────────────────────

// In the order in which the treatment is decided (treatment.cc).
Naming naming_of(const ConventionTable& table, std::string_view key, ConventionMask holding) {
    const KeyFacts facts = table.facts_of(key);
    const ConventionMask mask = holding | common_bit;
    const bool is_excepted = (facts.exceptions & mask) != 0;
    const auto named = [&](KeyNaming::What what, std::string_view list) {
        const ConventionMask by = mask_of(facts, what) & mask;
        return Naming{in_list(table, by, list), pattern_of(table, key, what, by)};
    };
    if ((facts.identity & mask) != 0) return named(KeyNaming::What::identity, "user_id");
    if ((facts.content & mask) != 0 && !is_excepted) {
        return named(KeyNaming::What::content, "content");
    }
    if ((facts.mapped & mask) != 0) return named(KeyNaming::What::mapped, "fields");
    if (is_excepted) return named(KeyNaming::What::exception, "content exceptions");
    if (!facts.is_plain) return {};
    return {"plain_keys", pattern_of(table, key, KeyNaming::What::plain, common_bit)};
}

std::string_view list_of(const ConventionTable& table, const FieldEntry& entry) {
    return entry.convention == no_index ? std::string_view("common")
                                        : std::string_view(table.conventions[entry.convention].id);
}

std::string text_of(const ConventionTable& table, const FieldEntry& entry) {
    std::string text;
    switch (entry.source) {
        case FieldEntry::Source::attribute:
        case FieldEntry::Source::pattern:
            text = entry.label;
            break;
        case FieldEntry::Source::resource:
            text = "resource " + entry.label;
            break;
        case FieldEntry::Source::span_event:
            text =
                fmt::format("event {} {}{}", entry.span_event, table.keys[entry.key], entry.label);
            break;
        case FieldEntry::Source::span_name:
            text = "the span's name";
            break;
        case FieldEntry::Source::name_regex:
            return fmt::format("the span's name ~ {}", table.regexes[entry.regex]->pattern());
        case FieldEntry::Source::span_status_message:
            text = "the span's status message";
            break;
        case FieldEntry::Source::span_kind:
            text = "the span's kind";
            break;
        case FieldEntry::Source::span_status:
            text = "the span's status";
            break;
    }
    if (entry.item_index != no_index) text += fmt::format("[{}]", entry.item_index);
    if (entry.regex != no_index)
        text += fmt::format(" ~ {}", table.regexes[entry.regex]->pattern());
    return text;
}

}  // namespace spangate
