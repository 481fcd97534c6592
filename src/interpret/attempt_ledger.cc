#include <algorithm>
#include <array>
#include <cstring>

#include "interpret/call_ledger.h"
#include "interpret/explanation.h"

namespace spangate {
namespace {

constexpr WallNanos second_nanos = 1'000'000'000;
constexpr double milli_nanos = 1e6;
constexpr double duration_millis_max = 1e11;  // three years; a longer one is none

std::string_view bytes_of(std::span<const std::uint8_t> id) {
    return {reinterpret_cast<const char*>(id.data()), id.size()};  // NOLINT: bytes as bytes
}

std::string_view text_of(const Draft& draft, FieldId id) {
    const FieldValue* value = draft.fields->find(id);
    return value == nullptr ? std::string_view() : value->text();
}

// A log record is written at the end of what it tells.
WallNanos began_at(const Draft& draft) {
    const FieldValue* duration = draft.fields->find(FieldId::duration_ms);
    if (!draft.span->is_log() || duration == nullptr) return draft.started_at;
    const double millis = std::clamp(duration->real, 0.0, duration_millis_max);
    return draft.ended_at - static_cast<WallNanos>(millis * milli_nanos);
}

using Attempt = AttemptChain::Attempt;

// A program that sends both spans and log records tells one attempt twice.
bool is_same_attempt(const Attempt& one, const Attempt& other) {
    return one.is_log != other.is_log && one.began_at <= other.ended_at &&
           other.began_at <= one.ended_at;
}

// The failures that came before an attempt.
struct Failures {
    const EventId* first = nullptr;
    std::uint32_t count = 0;
    WallNanos last_ended_at = 0;
};

Failures failures_before(std::span<const Attempt> attempts, WallNanos began, bool previous_only) {
    Failures failures;
    for (const Attempt& attempt : attempts) {
        if (attempt.ended_at > began) break;
        if (!attempt.failed) {
            if (previous_only) failures = {};
            continue;
        }
        if (failures.count++ == 0) failures.first = &attempt.event_id;
        failures.last_ended_at = attempt.ended_at;
    }
    return failures;
}

}  // namespace

// Empty: the draft has no such chain.
std::optional<MemoryKey> CallLedger::chain_of(
    const Draft& draft, std::size_t overlay, const RepeatTest& repeat
) const {
    const std::string index_text = std::to_string(overlay);
    std::array<std::string_view, 16> pieces = {"repeat", index_text, draft.tenant_id};
    std::size_t count = 3;
    if (repeat.same_parent) {
        if (is_zero(draft.span->parent_span_id)) return std::nullopt;
        pieces[count++] = bytes_of(draft.span->trace_id);
        pieces[count++] = bytes_of(draft.span->parent_span_id);
    }
    if (repeat.same_session) pieces[count++] = draft.session.session_id;
    for (const FieldId field : repeat.same_fields) {
        const FieldValue* value = draft.fields->find(field);
        if (value == nullptr || count == pieces.size()) return std::nullopt;
        pieces[count++] = value->text();
    }
    return memory_key(std::span(pieces).first(count));
}

// What came before an attempt is found by times alone, so that a resend tells what was told.
void CallLedger::settle_repeat(
    Draft& draft, std::size_t overlay_index, WallNanos now, SpanReader& reader
) {
    const Overlay& overlay = table_.overlays[overlay_index];
    const RepeatTest& repeat = *overlay.repeat;
    const auto event =
        std::find_if(draft.events.begin(), draft.events.end(), [&](const AgentEvent& candidate) {
            return candidate.type == repeat.event;
        });
    if (event == draft.events.end()) return;
    const std::optional<MemoryKey> key = chain_of(draft, overlay_index, repeat);
    if (!key) return;
    const bool failed = text_of(draft, FieldId::outcome) == repeat.outcome;
    AttemptChain* chain = memory_.attempts().find(*key, key->low, now);
    if (chain == nullptr) {
        if (!failed) return;
        chain = &memory_.attempts().at(*key, key->low, now);
    }
    const Attempt mine{
        event->event_id, began_at(draft), draft.ended_at, failed, draft.span->is_log()};
    bool is_known = false;
    for (Attempt& attempt : chain->all()) {
        is_known = is_known || attempt.event_id == mine.event_id;
        if (!is_same_attempt(attempt, mine)) continue;
        attempt.failed = attempt.failed || failed;
        return;
    }
    const Failures before = failures_before(chain->all(), mine.began_at, repeat.previous_only);
    const bool is_repeat =
        before.count > 0 && mine.began_at - before.last_ended_at <= repeat.within_s * second_nanos;
    if (is_repeat) add_retry(draft, overlay, *before.first, before.count, reader);
    if (!is_known) chain->add(mine);
}

void CallLedger::add_retry(
    Draft& draft,
    const Overlay& overlay,
    const EventId& first,
    std::uint32_t occurrence,
    SpanReader& reader
) {
    fields_.assign(*draft.fields);
    for (const OverlaySet& set : overlay.set) {
        if (set.is_occurrence && !fields_.has(set.field)) {
            fields_.put(FieldValue::of_integer(set.field, occurrence));
        }
    }
    fields_.put(FieldValue::of_text(FieldId::attempt_of, arena_->copy(view(first))));
    const EventId& primary = draft.events[draft.primary].event_id;
    fields_.put(FieldValue::of_text(FieldId::primary_event_id, view(primary)));
    *draft.fields = fields_.pack(*arena_);
    for (std::size_t n = 0; n < overlay.also.size() && draft.events_room > 0; ++n) {
        const EventType type = overlay.also[n];
        const bool is_there =
            std::any_of(draft.events.begin(), draft.events.end(), [&](const AgentEvent& event) {
                return event.type == type;
            });
        if (is_there) continue;
        SlotText slot;
        slot.add("also:");
        slot.add(overlay.name);
        if (n > 0) {
            slot.add(":");
            slot.add(n);
        }
        AgentEvent added = reader.event(draft, type, slot.view());
        const AgentEvent& at_end = draft.events[draft.primary];
        added.timestamp = at_end.timestamp;
        added.time_source = at_end.time_source;
        added.fields = draft.fields;
        // The room was left behind the events when they were made.
        draft.events = {draft.events.data(), draft.events.size() + 1};
        draft.events.back() = added;
        note_repeat(draft, overlay);
        --draft.events_room;
    }
}

void CallLedger::settle_repeats(std::span<Draft> drafts, SpanReader& reader) {
    for (const std::uint32_t index : repeatable_) {
        for (const std::size_t overlay : repeats_) {
            settle_repeat(drafts[index], overlay, now_of(drafts[index]), reader);
        }
    }
}

}  // namespace spangate
