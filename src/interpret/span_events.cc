#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "interpret/explanation.h"
#include "interpret/loose_value.h"
#include "interpret/span_reader.h"

namespace spangate {
namespace {

constexpr std::string_view id_domain = "spangate/event/1";
constexpr std::string_view slot_start = "start";
constexpr std::string_view slot_end = "end";
constexpr std::string_view slot_event = "event:";
constexpr std::string_view slot_also = "also:";
constexpr std::size_t span_events_max = 128;  // that may make events of their own

}  // namespace

void SlotText::add(std::string_view part) {
    const std::size_t room = text_.size() - size_;
    const std::size_t count = std::min(part.size(), room);
    std::memcpy(text_.data() + size_, part.data(), count);
    size_ += count;
}

void SlotText::add(std::size_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    add(std::string_view(digits.data(), static_cast<std::size_t>(end.ptr - digits.data())));
}

AgentEvent SpanReader::event(const Draft& draft, EventType type, std::string_view slot) {
    if (draft.record_digest != nullptr) {
        AgentEvent event;
        event.type = type;
        event.event_id = record_event_id(draft, slot);
        return event;
    }
    const Sha256Digest digest = hasher_.add(id_domain)
                                    .add_byte(0)
                                    .add(std::span(draft.span->trace_id))
                                    .add(std::span(draft.span->span_id))
                                    .add(slot)
                                    .finish();
    AgentEvent event;
    event.type = type;
    write_hex(std::span(digest).first(event.event_id.size() / 2), event.event_id.data());
    return event;
}

void SpanReader::stamp(AgentEvent& event, bool at_end) const {
    event.at_end = at_end;
    event.timestamp = at_end ? times_.end : times_.start;
    const bool is_sent = at_end ? times_.end_is_sent : times_.start_is_sent;
    event.time_source = is_sent ? TimeSource::span : times_.otherwise;
}

void SpanReader::make_events(Draft& draft, const Rule* rule, const RequestFacts& facts) {
    events_.clear();
    types_ = 0;
    fields_.clear();
    are_read_ = {};
    cache_is_included_ = true;
    add_rule_events(draft, rule);
    if (explanation_ != nullptr) explain_rule(rule);
    marker_.mark_roles(*draft.span, attributes_, holding_, types_);
    if (!draft.span->events.empty()) add_span_events(draft);

    const FieldSource source{*draft.span, attributes_, resource_, false, candidates_, record_name_};
    read_fields(source, overlay_fields_);
    read_fields(source, standing_on(types_));
    derive(draft, facts);
    draft.also = static_cast<std::uint32_t>(events_.size());
    add_extra_events(draft);
    apply_overlays(draft);
    read_fields(source, standing_on(types_));
    derive_last(draft, rule);
    finish(draft);
}

void SpanReader::add_rule_events(Draft& draft, const Rule* rule) {
    if (rule == nullptr) {
        events_.push_back({event(draft, EventType::other, slot_end), no_index});
        stamp(events_.back().event, true);
        types_ |= bit(EventType::other);
    } else {
        for (const Emit& emit : rule->emit) {
            const EventType type = type_of(emit);
            if (type == EventType::handoff) {
                draft.handoff = static_cast<std::uint32_t>(events_.size());
                draft.may_be_handed_off = emit.unless_handed_off.has_value();
                draft.unless_handed_off = emit.unless_handed_off.value_or(type);
            }
            // A log record has one time, and its events count as those at the end.
            const bool at_end = emit.at_end || draft.span->is_log();
            SlotText slot;
            slot.add(at_end ? slot_end : slot_start);
            if (draft.span->is_log() && !events_.empty()) {
                slot.add(":");
                slot.add(events_.size());
            }
            events_.push_back({event(draft, type, slot.view()), no_index});
            stamp(events_.back().event, at_end);
            types_ |= bit(type);
        }
    }
    draft.primary = static_cast<std::uint32_t>(events_.size() - 1);
    events_[draft.primary].event.is_primary = true;
}

const Rule* SpanReader::match_span_event(const SpanView& span, const SpanEventView& event) {
    for (ConventionMask rest = holding_; rest != 0; rest &= rest - 1) {
        const Convention& convention =
            table_.conventions[static_cast<std::size_t>(std::countr_zero(rest))];
        if (convention.span_event_rules.empty()) continue;
        event_names_.clear();
        event_names_.push_back(event.name);
        for (const EventNameSource& from : convention.event_name_from) {
            if (from.from != EventNameSource::From::key) continue;
            const Value* value = event_attributes_.find(from.key);
            if (value != nullptr && value->is_text()) event_names_.push_back(value->text());
        }
        const ConditionScope scope{table_, span, event_attributes_, resource_, event_names_};
        for (const Rule& rule : convention.span_event_rules) {
            if (holds(scope, rule.when)) return &rule;
        }
    }
    return nullptr;
}

bool SpanReader::has_event_of_its_own(const SpanView& span) {
    return std::any_of(span.events.begin(), span.events.end(), [&](const SpanEventView& event) {
        event_attributes_.read(event.attributes, keys_, *arena_);
        const Rule* rule = match_span_event(span, event);
        return rule != nullptr && (!rule->emit.empty() || rule->evidence_only);
    });
}

void SpanReader::add_span_events(Draft& draft) {
    const std::span<SpanEventView> events = draft.span->events;
    for (std::size_t i = 0; i < events.size(); ++i) {
        event_attributes_.read(events[i].attributes, keys_, *arena_);
        marker_.mark_span_event(events[i].name, event_attributes_, holding_);
        if (i >= span_events_max) continue;
        const Rule* rule = match_span_event(*draft.span, events[i]);
        if (rule == nullptr) continue;
        for (std::size_t n = 0; n < rule->emit.size(); ++n) {
            SlotText slot;
            slot.add(slot_event);
            slot.add(i);
            if (n > 0) {
                slot.add(":");
                slot.add(n);
            }
            PendingEvent pending{
                event(draft, rule->emit[n].type, slot.view()), static_cast<std::uint32_t>(i)};
            stamp(pending.event, true);
            if (is_possible_time(events[i].time_unix_nano)) {
                pending.event.timestamp = static_cast<WallNanos>(events[i].time_unix_nano);
                pending.event.time_source = TimeSource::span;
            }
            events_.push_back(pending);
        }
        if (explanation_ != nullptr) explain_span_event(*rule, i);
    }
}

void SpanReader::add_event(
    Draft& draft, EventType type, std::string_view name, std::size_t number
) {
    if ((types_ & bit(type)) != 0) return;
    SlotText slot;
    slot.add(slot_also);
    slot.add(name);
    if (number > 0) {
        slot.add(":");
        slot.add(number);
    }
    if (type == EventType::handoff) draft.handoff = static_cast<std::uint32_t>(events_.size());
    events_.push_back({event(draft, type, slot.view()), no_index});
    stamp(events_.back().event, true);
    types_ |= bit(type);
}

void SpanReader::add_extra_events(Draft& draft) {
    const ConditionScope scope{table_, *draft.span, attributes_, resource_, {}};
    for (ConventionMask rest = holding_; rest != 0; rest &= rest - 1) {
        const Convention& convention =
            table_.conventions[static_cast<std::size_t>(std::countr_zero(rest))];
        for (const ExtraEvent& extra : convention.extra_events) {
            if (!holds(scope, extra.when)) continue;
            for (std::size_t n = 0; n < extra.types.size(); ++n) {
                add_event(draft, extra.types[n], extra.name, n);
            }
            if (explanation_ != nullptr) {
                explain_extra_event(extra, static_cast<std::size_t>(std::countr_zero(rest)));
            }
        }
    }
}

void SpanReader::apply_set(const Overlay& overlay) {
    for (const OverlaySet& set : overlay.set) {
        const bool replaces =
            set.field == FieldId::outcome || set.field == FieldId::policy_decision;
        if (set.is_occurrence || (fields_.has(set.field) && !replaces)) continue;
        std::string_view text = set.text;
        if (set.from_field) {
            const FieldValue* from = fields_.find(*set.from_field);
            if (from == nullptr) continue;
            text = from->text();
        }
        fields_.put(FieldValue::of_text(set.field, text));
        are_read_.set(target_of(set.field));
        if (explanation_ != nullptr) explain_set(set.field, overlay);
    }
}

// Those with `repeat` need the batch and the memory: see call_ledger.h.
void SpanReader::apply_overlays(Draft& draft) {
    for (const Overlay& overlay : table_.overlays) {
        if (overlay.repeat) continue;
        const ConditionScope scope{
            table_, *draft.span, attributes_, resource_, {}, &fields_, types_};
        if (!holds(scope, overlay.when)) continue;
        apply_set(overlay);
        if ((overlay.unless_event & types_) != 0) continue;
        for (std::size_t n = 0; n < overlay.also.size(); ++n) {
            add_event(draft, overlay.also[n], overlay.name, n);
        }
        if (explanation_ != nullptr) explain_overlay(overlay);
    }
}

// A span event tells its own fields; the span's measures are not its own.
const FieldSet* SpanReader::fields_of_span_event(const Draft& draft, const PendingEvent& pending) {
    constexpr std::array measures = {
        FieldId::start_ts,
        FieldId::end_ts,
        FieldId::duration_ms,
        FieldId::time_fault,
        FieldId::ttft_ms,
        FieldId::status_code,
        FieldId::outcome};
    const SpanEventView& event = draft.span->events[pending.span_event];
    event_attributes_.read(event.attributes, keys_, *arena_);
    event_fields_ = fields_;
    for (const FieldId measure : measures)
        event_fields_.erase(measure);
    FieldSource source{*draft.span, event_attributes_, resource_, true, {}, {}};
    source.candidates = candidates_of(*plan_, source);
    for (const FieldInfo& field : field_table) {
        if ((field.on & bit(pending.event.type)) == 0 || field.primary_only) continue;
        const FieldEntry* entry = reader_.read(*plan_, field.id, source, event_fields_);
        if (explanation_ != nullptr && entry != nullptr) {
            explain_event_field(
                static_cast<std::size_t>(&pending - events_.data()), field.id, entry
            );
        }
    }
    if (pending.event.type == EventType::error && !event_fields_.has(FieldId::outcome)) {
        event_fields_.put(FieldValue::of_text(FieldId::outcome, "error"));
    }
    return arena_->make<FieldSet>(event_fields_.pack(*arena_));
}

void SpanReader::finish(Draft& draft) {
    const std::size_t room = table_.repeats_count;
    const std::span<AgentEvent> events = arena_->make_array<AgentEvent>(events_.size() + room);
    for (std::size_t i = 0; i < events_.size(); ++i)
        events[i] = events_[i].event;
    draft.events = events.first(events_.size());
    draft.events_room = static_cast<std::uint32_t>(room);
    if (events_.size() > 1) {
        const EventId& primary = events[draft.primary].event_id;
        fields_.put(FieldValue::of_text(FieldId::primary_event_id, view(primary)));
    }
    draft.fields = arena_->make<FieldSet>(fields_.pack(*arena_));
    for (std::size_t i = 0; i < events_.size(); ++i) {
        const bool is_own = events_[i].span_event != no_index;
        events[i].fields = is_own ? fields_of_span_event(draft, events_[i]) : draft.fields;
    }
    draft.references = reader_.references();
}

}  // namespace spangate
