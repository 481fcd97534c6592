#include "interpret/call_ledger.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "interpret/explanation.h"

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

// By which of its names a call was known before.
std::string_view reason_of_name(const Draft& draft, std::size_t lasting, std::size_t name) {
    if (name >= lasting) return "two libraries told one call; the other's numbers count";
    const bool by_response = name == 0 && !text_of(draft, FieldId::response_id).empty();
    return by_response ? "the same response_id was told before in this trace"
                       : "its span, or a log record of that span, told the call before";
}

bool marks_a_run(const Draft& draft) {
    return std::any_of(draft.events.begin(), draft.events.end(), [](const AgentEvent& event) {
        return event.type == EventType::session_start || event.type == EventType::session_end;
    });
}

bool tells_a_tool(const Draft& draft) {
    return std::any_of(draft.events.begin(), draft.events.end(), [](const AgentEvent& event) {
        return is_tool_event(event.type);
    });
}

bool is_in_joined_span(const Draft& draft) {
    return draft.may_join && !is_zero(draft.span->trace_id) && !is_zero(draft.span->span_id);
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
    runs_.clear();
    tools_.clear();
    joined_.clear();
    joins_are_told_ = false;
    for (const std::uint32_t index : order) {
        const Draft& draft = drafts[index];
        if (draft.fate != Fate::kept) continue;
        if (is_counted(draft)) tellings_.push_back({index});
        const bool is_inference = primary_type(draft) == EventType::inference;
        if (draft.keeps_usage != 0 && is_inference && !draft.span->is_log())
            keepers_.push_back(index);
        if (draft.handoff != no_index && !is_zero(draft.span->trace_id)) {
            (draft.may_be_handed_off ? agent_handoffs_ : tool_handoffs_).push_back(index);
        }
        if (is_protocol_side(draft)) protocol_calls_.push_back(index);
        if (has_repeat(draft)) repeatable_.push_back(index);
        if (marks_a_run(draft)) runs_.push_back(index);
        if (draft.may_repeat_tool && tells_a_tool(draft)) tools_.push_back(index);
        if (draft.also < draft.events.size() && is_in_joined_span(draft)) joined_.push_back(index);
        joins_are_told_ = joins_are_told_ || (draft.may_join && draft.span->is_log());
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

// Two libraries tell one call: the table says whose numbers count, unless the other's were
// published before.
void CallLedger::settle_scopes(std::span<Draft> drafts) {
    if (keepers_.empty()) return;
    for (Telling& telling : tellings_) {
        const Draft& draft = drafts[telling.draft];
        const bool may_yield = draft.drops_usage != 0 && !draft.span->is_log() &&
                               primary_type(draft) == EventType::inference;
        if (!may_yield) continue;
        const Draft* keeper = keeper_of(drafts, draft);
        if (keeper == nullptr) continue;
        if (!was_counted(draft)) {
            telling.keeper = &keeper->events[keeper->primary].event_id;
            continue;
        }
        const auto index = static_cast<std::uint32_t>(keeper - drafts.data());
        for (Telling& other : tellings_) {
            if (other.draft == index) other.keeper = &draft.events[draft.primary].event_id;
        }
    }
}

bool CallLedger::was_counted(const Draft& draft) {
    const Names names = names_of(draft);
    for (std::size_t i = 0; i < names.lasting; ++i) {
        const MemoryKey& key = names.keys[i];
        const ToldCall* told = memory_.calls().find(key, key.low, now_of(draft));
        if (told != nullptr) return told->event_id == draft.events[draft.primary].event_id;
    }
    return false;
}

// Under which names a telling is known: its response id, and the span that a log record joins.
CallLedger::Names CallLedger::names_of(const Draft& draft) const {
    Names names;
    const std::string_view response_id = text_of(draft, FieldId::response_id);
    const bool has_trace = !is_zero(draft.span->trace_id);
    if (!response_id.empty()) {
        const std::array<std::string_view, 4> pieces = {
            "call",
            draft.tenant_id,
            has_trace ? bytes_of(draft.span->trace_id) : draft.session.session_id,
            response_id};
        names.keys[names.count++] = memory_key(pieces);
    }
    // Where no log records come, a span with a response id needs no second name.
    const bool may_join = draft.may_join && (response_id.empty() || memory_.joins_are_told());
    if (may_join && has_trace && !is_zero(draft.span->span_id)) {
        const std::array<std::string_view, 4> pieces = {
            "join", draft.tenant_id, bytes_of(draft.span->trace_id), bytes_of(draft.span->span_id)};
        names.keys[names.count++] = memory_key(pieces);
    }
    names.lasting = names.count;
    if (draft.drops_usage != 0 && response_id.empty()) {
        const std::array<std::string_view, 2> pieces = {
            "yields", view(draft.events[draft.primary].event_id)};
        names.keys[names.count++] = memory_key(pieces);
    }
    return names;
}

// Tellings of equal name tell one call; the first one published keeps the count. What a scope's
// preference has settled is remembered as well, so that a resend of one telling alone is told
// alike.
void CallLedger::settle_names(std::span<Draft> drafts) {
    for (const Telling& telling : tellings_) {
        Draft& draft = drafts[telling.draft];
        const Names names = names_of(draft);
        const EventId mine = draft.events[draft.primary].event_id;
        EventId first = telling.keeper == nullptr ? mine : *telling.keeper;
        for (std::size_t i = 0; i < names.count && first == mine; ++i) {
            const MemoryKey& key = names.keys[i];
            const ToldCall* told = memory_.calls().find(key, key.low, now_of(draft));
            if (told == nullptr) continue;
            first = told->event_id;
            note_twin(draft, reason_of_name(draft, names.lasting, i));
        }
        const std::size_t kept = telling.keeper == nullptr ? names.lasting : names.count;
        for (std::size_t i = 0; i < kept; ++i) {
            const MemoryKey& key = names.keys[i];
            ToldCall& told = memory_.calls().at(key, key.low, now_of(draft));
            if (told.event_id == EventId{}) told.event_id = first;
        }
        if (first == mine) continue;
        become_twin(draft, first);
        if (telling.keeper != nullptr) {
            note_twin(
                draft, "two libraries told one call, and the table prefers the other (dedupe)"
            );
        }
    }
}

// A run has one start and one end (contract §2). Two tellings are of one run when they share the
// trace, or without a trace the run_id; different run_ids in one trace are different runs, and one
// run_id in several traces may be a program that names each of its runs alike. The second telling
// is relabelled, as a nested run's would be.
void CallLedger::settle_run(Draft& draft) {
    const std::string_view run_id = text_of(draft, FieldId::run_id);
    const bool has_trace = !is_zero(draft.span->trace_id);
    if (run_id.empty() && !has_trace) return;  // nothing pairs it with another
    const std::array<std::string_view, 3> pieces = {
        "run", draft.tenant_id, has_trace ? bytes_of(draft.span->trace_id) : run_id};
    const MemoryKey key = memory_key(pieces);
    ToldCall& told = memory_.calls().at(key, key.low, now_of(draft));
    const std::uint64_t name = run_id.empty() ? 0 : memory_key(std::span(&run_id, 1)).low | 1;
    if (told.run == 0) told.run = name;
    if (name != 0 && told.run != name) return;
    for (AgentEvent& event : draft.events) {
        const bool is_end = event.type == EventType::session_end;
        if (!is_end && event.type != EventType::session_start) continue;
        EventId& first = is_end ? told.last_event_id : told.event_id;
        if (first == EventId{}) first = event.event_id;
        if (first == event.event_id) continue;
        event.type = is_end ? EventType::step_cost : EventType::other;
        note_relabelled(draft, event, "another span told this end of the run before");
        if (!is_end || !event.is_primary) continue;
        const std::array values = {
            FieldValue::of_text(FieldId::twin_of, arena_->copy(view(first)))};
        put(draft, values);
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
            note_twin(draft, "the server's span told the same call before");
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
        note_only_primary(
            draft, "the client's span tells this call; this is the server's side of it"
        );
        char* hex = static_cast<char*>(arena_->allocate(client.size() * 2, 1));
        write_hex(client, hex);
        const std::array values = {FieldValue::of_text(FieldId::joins, {hex, client.size() * 2})};
        put(draft, values);
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
                              repeatable_.empty() && runs_.empty() && tools_.empty() &&
                              joined_.empty() && !joins_are_told_;
    if (asks_nothing) return;
    // One lock a batch, for a few hundred nanoseconds a span at most.
    const std::lock_guard lock(memory_.mutex());
    if (joins_are_told_) memory_.expect_joins();
    settle_scopes(drafts);
    settle_names(drafts);
    for (const std::uint32_t index : runs_)
        settle_run(drafts[index]);
    settle_handoffs(drafts);
    settle_protocol_twins(drafts);
    for (const std::uint32_t index : joined_)
        settle_joined(drafts[index]);
    for (const std::uint32_t index : tools_)
        settle_tools(drafts[index]);
    settle_repeats(drafts, reader);
}

}  // namespace spangate
