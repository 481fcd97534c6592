#include <algorithm>
#include <array>
#include <cstdlib>

#include "interpret/call_ledger.h"
#include "interpret/explanation.h"

namespace spangate {
namespace {

using Carrier = ToolTellings::Carrier;
using ToolTelling = ToolTellings::Telling;

constexpr double milli_nanos = 1e6;
constexpr double duration_millis_max = 1e11;  // three years; a longer one is none

std::string_view bytes_of(std::span<const std::uint8_t> id) {
    return {reinterpret_cast<const char*>(id.data()), id.size()};  // NOLINT: bytes as bytes
}

std::string_view text_of(const FieldSet& fields, FieldId id) {
    const FieldValue* value = fields.find(id);
    return value == nullptr ? std::string_view() : value->text();
}

Carrier carrier_of(const Draft& draft, const AgentEvent& event) {
    if (draft.span->is_log()) return Carrier::log;
    return event.fields == draft.fields ? Carrier::span : Carrier::span_event;
}

// Span events and log records are written at the end of what they tell.
ToolTelling telling_of(const Draft& draft, const AgentEvent& event, Carrier carrier) {
    ToolTelling telling;
    telling.event_id = event.event_id;
    telling.carriers = static_cast<std::uint8_t>(1U << static_cast<unsigned>(carrier));
    const std::string_view call = text_of(*event.fields, FieldId::tool_call_id);
    if (!call.empty()) telling.call = memory_key(std::span(&call, 1)).low | 1;
    telling.began_at = draft.started_at;
    telling.ended_at = draft.ended_at;
    if (carrier == Carrier::span) return telling;
    telling.ended_at = event.timestamp;
    telling.began_at = event.timestamp;
    if (const FieldValue* duration = event.fields->find(FieldId::duration_ms)) {
        const double millis = std::clamp(duration->real, 0.0, duration_millis_max);
        telling.began_at -= static_cast<WallNanos>(millis * milli_nanos);
    }
    return telling;
}

bool tell_one_call(const ToolTelling& one, const ToolTelling& other) {
    if ((one.carriers & other.carriers) != 0) return false;
    if (one.call != 0 && other.call != 0) return one.call == other.call;
    return one.began_at <= other.ended_at && other.began_at <= one.ended_at;
}

// The first telling of the call that `mine` tells once more; null: there is none yet. Of several,
// the one that ended at about the same time.
const ToolTelling* first_of(ToolTellings& known, const ToolTelling& mine) {
    const ToolTelling* best = nullptr;
    const auto distance = [&](const ToolTelling& telling) {
        return std::abs(telling.ended_at - mine.ended_at);
    };
    for (const ToolTelling& telling : known.all()) {
        if (telling.first != EventId{} || !tell_one_call(telling, mine)) continue;
        if (best == nullptr || distance(telling) < distance(*best)) best = &telling;
    }
    return best;
}

const ToolTelling* find_telling(ToolTellings& known, const EventId& event_id) {
    for (const ToolTelling& telling : known.all()) {
        if (telling.event_id == event_id) return &telling;
    }
    return nullptr;
}

}  // namespace

// Under which names a telling of a tool's call is known: the call's id, in its trace and in its
// session, and for tellings without one the tool in its trace.
CallLedger::Names CallLedger::names_of_tool(const Draft& draft, const AgentEvent& event) const {
    Names names;
    const std::string_view type = name_of(event.type);
    const std::string_view call = text_of(*event.fields, FieldId::tool_call_id);
    const std::string_view tool = text_of(*event.fields, FieldId::tool_name);
    const bool has_trace = !is_zero(draft.span->trace_id);
    const std::string_view trace = bytes_of(draft.span->trace_id);
    const auto add = [&](std::string_view kind, std::string_view scope, std::string_view name) {
        const std::array<std::string_view, 5> pieces = {kind, type, draft.tenant_id, scope, name};
        names.keys[names.count++] = memory_key(pieces);
    };
    if (!call.empty() && has_trace) add("call of trace", trace, call);
    if (!call.empty() && draft.session.is_from_client) {
        add("call of session", draft.session.session_id, call);
    }
    if (!tool.empty() && has_trace) add("tool of trace", trace, tool);
    return names;
}

// The event that told this call first; all zero: this one does, or did when it was sent before.
EventId CallLedger::first_telling(const Draft& draft, const AgentEvent& event) {
    const Names names = names_of_tool(draft, event);
    const WallNanos now = now_of(draft);
    ToolTelling mine = telling_of(draft, event, carrier_of(draft, event));
    const auto known_at = [&](std::size_t name) -> ToolTellings& {
        return memory_.tools().at(names.keys[name], names.keys[name].low, now);
    };
    for (std::size_t i = 0; i < names.count; ++i) {
        const ToolTelling* sent_before = find_telling(known_at(i), mine.event_id);
        if (sent_before != nullptr) return sent_before->first;
    }
    for (std::size_t i = 0; i < names.count && mine.first == EventId{}; ++i) {
        if (const ToolTelling* first = first_of(known_at(i), mine)) mine.first = first->event_id;
    }
    for (std::size_t i = 0; i < names.count; ++i) {
        ToolTellings& known = known_at(i);
        for (ToolTelling& telling : known.all()) {
            if (telling.event_id == mine.first) telling.carriers |= mine.carriers;
        }
        known.add(mine);
    }
    return mine.first;
}

// A tool's call that a span, its events and log records tell has one request and one response
// without twin_of. What stands on a primary event stays, with what only this telling knows; any
// other event would say nothing more.
void CallLedger::settle_tools(Draft& draft) {
    for (std::size_t i = 0; i < draft.events.size();) {
        const AgentEvent& event = draft.events[i];
        const EventId first = is_tool_event(event.type) ? first_telling(draft, event) : EventId{};
        if (first == EventId{}) {
            ++i;
        } else if (event.is_primary) {
            const std::array values = {
                FieldValue::of_text(FieldId::twin_of, arena_->copy(view(first)))};
            put(draft, values);
            note_twin(draft, "another span, span event or log record told the tool's call before");
            ++i;
        } else {
            drop_event(draft, i);
        }
    }
}

// What extra events and overlays make of a log record, they make of the span it joins as well:
// the first one tells it.
void CallLedger::settle_joined(Draft& draft) {
    const std::string_view trace = bytes_of(draft.span->trace_id);
    const std::string_view span = bytes_of(draft.span->span_id);
    for (std::size_t i = draft.also; i < draft.events.size();) {
        const AgentEvent& event = draft.events[i];
        const std::array<std::string_view, 5> pieces = {
            "also", name_of(event.type), draft.tenant_id, trace, span};
        const MemoryKey key = memory_key(pieces);
        ToldCall& told = memory_.calls().at(key, key.low, now_of(draft));
        if (told.event_id == EventId{}) told.event_id = event.event_id;
        if (told.event_id == event.event_id) {
            ++i;
        } else {
            drop_event(draft, i);
        }
    }
}

void CallLedger::drop_event(Draft& draft, std::size_t index) {
    note_dropped(draft, index);
    const auto at = draft.events.begin() + static_cast<std::ptrdiff_t>(index);
    std::move(at + 1, draft.events.end(), at);
    draft.events = draft.events.first(draft.events.size() - 1);
    ++draft.events_room;
    if (draft.primary > index) --draft.primary;
    if (draft.also > index) --draft.also;
    if (draft.handoff == no_index || draft.handoff < index) return;
    draft.handoff = draft.handoff == index ? no_index : draft.handoff - 1;
}

}  // namespace spangate
