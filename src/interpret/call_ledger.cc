#include "interpret/call_ledger.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace spangate {
namespace {

std::string_view bytes_of(const TraceId& id) {
    return {reinterpret_cast<const char*>(id.data()), id.size()};  // NOLINT: bytes as bytes
}

std::string_view bytes_of(const SpanId& id) {
    return {reinterpret_cast<const char*>(id.data()), id.size()};  // NOLINT: bytes as bytes
}

std::string_view text_of(const Draft& draft, FieldId id) {
    const FieldValue* value = draft.fields->find(id);
    return value == nullptr ? std::string_view() : value->text();
}

bool is_counted(const Draft& draft) {
    const FieldValue* counted = draft.fields->find(FieldId::counted);
    return counted != nullptr && counted->flag;
}

EventType primary_type(const Draft& draft) {
    return draft.events[draft.primary].type;
}

bool overlap(const SpanView& a, const SpanView& b) {
    return a.start_unix_nano <= b.end_unix_nano && b.start_unix_nano <= a.end_unix_nano;
}

bool are_related(const SpanView& a, const SpanView& b) {
    return a.span_id == b.parent_span_id || b.span_id == a.parent_span_id ||
           (a.parent_span_id == b.parent_span_id && !a.is_root());
}

// A call of one protocol that client and server both tell.
bool is_protocol_side(const Draft& draft) {
    const bool has_side =
        draft.span->kind == SpanKind::client || draft.span->kind == SpanKind::server;
    return has_side && draft.fields->has(FieldId::mcp_method) && !is_zero(draft.span->trace_id);
}

}  // namespace

CallLedger::CallLedger(const ConventionTable& table, UsageMemory& memory)
    : table_(table),
      memory_(memory) {
    for (std::size_t i = 0; i < table.overlays.size(); ++i) {
        if (table.overlays[i].repeat) repeats_.push_back(i);
    }
}

bool CallLedger::has_repeat(const Draft& draft) const {
    return std::any_of(repeats_.begin(), repeats_.end(), [&](std::size_t overlay) {
        const EventType wanted = table_.overlays[overlay].repeat->event;
        return std::any_of(draft.events.begin(), draft.events.end(), [&](const AgentEvent& event) {
            return event.type == wanted;
        });
    });
}

void CallLedger::collect(std::span<const Draft> drafts, std::span<const std::uint32_t> order) {
    tellings_.clear();
    keepers_.clear();
    tool_handoffs_.clear();
    agent_handoffs_.clear();
    protocol_calls_.clear();
    repeatable_.clear();
    for (const std::uint32_t index : order) {
        const Draft& draft = drafts[index];
        if (draft.fate != Fate::kept) continue;
        if (is_counted(draft)) tellings_.push_back({index});
        const bool is_inference = primary_type(draft) == EventType::inference;
        if (draft.keeps_usage != 0 && is_inference) keepers_.push_back(index);
        if (draft.handoff != no_index && !is_zero(draft.span->trace_id)) {
            (draft.may_be_handed_off ? agent_handoffs_ : tool_handoffs_).push_back(index);
        }
        if (is_protocol_side(draft)) protocol_calls_.push_back(index);
        if (has_repeat(draft)) repeatable_.push_back(index);
    }
    std::stable_sort(keepers_.begin(), keepers_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return drafts[a].span->trace_id < drafts[b].span->trace_id;
    });
}

// The fields of all events that share the draft's set change with it.
void CallLedger::put(Draft& draft, std::span<const FieldValue> values) {
    fields_.assign(*draft.fields);
    for (const FieldValue& value : values)
        fields_.put(value);
    *draft.fields = fields_.pack(*arena_);
}

void CallLedger::become_twin(Draft& draft, const EventId& of) {
    const std::array values = {
        FieldValue::of_flag(FieldId::counted, false),
        FieldValue::of_text(
            FieldId::usage_role, usage_role_names[static_cast<std::size_t>(UsageRole::twin)]
        ),
        FieldValue::of_text(FieldId::twin_of, arena_->copy(view(of)))};
    put(draft, values);
}

const Draft* CallLedger::keeper_of(std::span<const Draft> drafts, const Draft& draft) const {
    const auto first = std::lower_bound(
        keepers_.begin(),
        keepers_.end(),
        draft.span->trace_id,
        [&](std::uint32_t index, const TraceId& trace_id) {
            return drafts[index].span->trace_id < trace_id;
        }
    );
    for (auto at = first; at != keepers_.end(); ++at) {
        const Draft& keeper = drafts[*at];
        if (keeper.span->trace_id != draft.span->trace_id) return nullptr;
        const bool is_pair =
            (keeper.keeps_usage & draft.drops_usage) != 0 && keeper.authority == draft.authority &&
            are_related(*keeper.span, *draft.span) && overlap(*keeper.span, *draft.span);
        if (is_pair) return &keeper;
    }
    return nullptr;
}

// Two libraries tell one call: the table says whose numbers count.
void CallLedger::settle_scopes(std::span<Draft> drafts) {
    if (keepers_.empty()) return;
    for (Telling& telling : tellings_) {
        Draft& draft = drafts[telling.draft];
        if (draft.drops_usage == 0 || primary_type(draft) != EventType::inference) continue;
        const Draft* keeper = keeper_of(drafts, draft);
        if (keeper == nullptr) continue;
        become_twin(draft, keeper->events[keeper->primary].event_id);
        telling.is_settled = true;
    }
}

// Equal response ids tell one call; the first telling published keeps the count.
void CallLedger::settle_responses(std::span<Draft> drafts) {
    for (const Telling& telling : tellings_) {
        Draft& draft = drafts[telling.draft];
        const std::string_view response_id = text_of(draft, FieldId::response_id);
        if (telling.is_settled || response_id.empty()) continue;
        const bool has_trace = !is_zero(draft.span->trace_id);
        const std::array<std::string_view, 4> pieces = {
            "call",
            draft.tenant_id,
            has_trace ? bytes_of(draft.span->trace_id) : draft.session.session_id,
            response_id};
        const MemoryKey key = memory_key(pieces);
        const EventId& mine = draft.events[draft.primary].event_id;
        ToldCall& told = memory_.calls().at(key, key.low, now_of(draft));
        if (told.occurrences == 0) {
            told.event_id = mine;
            told.occurrences = 1;
        } else if (told.event_id != mine) {
            become_twin(draft, told.event_id);
        }
    }
}

// The server's span of a call that the client tells as well gives `other`; when the client's comes
// later, it names the server's event.
void CallLedger::settle_protocol_twins(std::span<Draft> drafts) {
    const auto key_of = [](const Draft& draft, std::string_view side, const SpanId& client) {
        const std::array<std::string_view, 6> pieces = {
            side,
            draft.authority,
            bytes_of(draft.span->trace_id),
            bytes_of(client),
            text_of(draft, FieldId::mcp_method),
            text_of(draft, FieldId::tool_name)};
        return memory_key(pieces);
    };
    for (const std::uint32_t index : protocol_calls_) {
        Draft& draft = drafts[index];
        if (draft.span->kind != SpanKind::client) continue;
        const EventId& mine = draft.events[draft.primary].event_id;
        const MemoryKey key = key_of(draft, "client", draft.span->span_id);
        memory_.calls().at(key, key.low, now_of(draft)).event_id = mine;
        const MemoryKey other = key_of(draft, "server", draft.span->span_id);
        if (const ToldCall* told = memory_.calls().find(other, other.low, now_of(draft))) {
            const std::array values = {
                FieldValue::of_text(FieldId::twin_of, arena_->copy(view(told->event_id)))};
            put(draft, values);
        }
    }
    for (const std::uint32_t index : protocol_calls_) {
        Draft& draft = drafts[index];
        if (draft.span->kind != SpanKind::server || draft.span->is_root()) continue;
        const SpanId& client = draft.span->parent_span_id;
        const MemoryKey key = key_of(draft, "client", client);
        if (memory_.calls().find(key, key.low, now_of(draft)) == nullptr) {
            const MemoryKey own = key_of(draft, "server", client);
            memory_.calls().at(own, own.low, now_of(draft)).event_id =
                draft.events[draft.primary].event_id;
            continue;
        }
        draft.events = draft.events.subspan(draft.primary, 1);
        draft.primary = 0;
        draft.events_room = 0;
        draft.handoff = no_index;
        draft.events[0].type = EventType::other;
        char* hex = static_cast<char*>(arena_->allocate(client.size() * 2, 1));
        write_hex(client, hex);
        const std::array values = {FieldValue::of_text(FieldId::joins, {hex, client.size() * 2})};
        put(draft, values);
    }
}

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
    const std::string index_text = std::to_string(overlay_index);
    std::array<std::string_view, 16> pieces = {"repeat", index_text, draft.tenant_id};
    std::size_t count = 3;
    if (repeat.same_parent) {
        if (draft.span->is_root()) return;
        pieces[count++] = bytes_of(draft.span->trace_id);
        pieces[count++] = bytes_of(draft.span->parent_span_id);
    }
    if (repeat.same_session) pieces[count++] = draft.session.session_id;
    for (const FieldId field : repeat.same_fields) {
        const FieldValue* value = draft.fields->find(field);
        if (value == nullptr || count == pieces.size()) return;
        pieces[count++] = value->text();
    }
    const MemoryKey key = memory_key(std::span(pieces).first(count));
    ToldCall* told = memory_.calls().find(key, key.low, now);
    const EventId mine = event->event_id;
    const bool failed = text_of(draft, FieldId::outcome) == repeat.outcome;
    const auto start = static_cast<WallNanos>(draft.span->start_unix_nano);
    constexpr WallNanos second = 1'000'000'000;
    const bool is_repeat = told != nullptr && told->occurrences > 0 &&
                           told->last_event_id != mine && told->at <= start &&
                           start - told->at <= repeat.within_s * second;
    if (is_repeat) add_retry(draft, overlay, *told, reader);
    if (!failed) {
        if (repeat.previous_only && told != nullptr) told->occurrences = 0;
        return;
    }
    ToldCall& next = memory_.calls().at(key, key.low, now);
    if (next.last_event_id == mine) return;  // sent again
    if (next.occurrences == 0) next.event_id = mine;
    ++next.occurrences;
    next.at = static_cast<WallNanos>(draft.span->end_unix_nano);
    next.last_event_id = mine;
}

void CallLedger::add_retry(
    Draft& draft, const Overlay& overlay, const ToldCall& told, SpanReader& reader
) {
    fields_.assign(*draft.fields);
    for (const OverlaySet& set : overlay.set) {
        if (set.is_occurrence && !fields_.has(set.field)) {
            fields_.put(FieldValue::of_integer(set.field, told.occurrences));
        }
    }
    fields_.put(FieldValue::of_text(FieldId::attempt_of, arena_->copy(view(told.event_id))));
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

void CallLedger::settle(
    std::span<Draft> drafts,
    std::span<const std::uint32_t> order,
    std::span<const WallNanos> received_at,
    SpanReader& reader,
    Arena& arena
) {
    arena_ = &arena;
    received_at_ = received_at;
    collect(drafts, order);
    const bool asks_nothing = tellings_.empty() && tool_handoffs_.empty() &&
                              agent_handoffs_.empty() && protocol_calls_.empty() &&
                              repeatable_.empty();
    if (asks_nothing) return;
    settle_scopes(drafts);
    // One lock a batch, for a few hundred nanoseconds a span at most.
    const std::lock_guard lock(memory_.mutex());
    settle_responses(drafts);
    settle_handoffs(drafts);
    settle_protocol_twins(drafts);
    settle_repeats(drafts, reader);
}

}  // namespace spangate
