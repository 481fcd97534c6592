#include <algorithm>
#include <array>

#include <xxhash.h>

#include "base/text.h"
#include "interpret/call_ledger.h"

namespace spangate {
namespace {

using Handoff = TraceHandoffs::Handoff;

constexpr std::array<std::string_view, 2> tool_prefixes = {"transfer_to_", "handoff to "};
constexpr std::size_t name_bytes_max = 128;

std::string_view text_of(const Draft& draft, FieldId id) {
    const FieldValue* value = draft.fields->find(id);
    return value == nullptr ? std::string_view() : value->text();
}

// «Refund Agent» and «refund_agent» are one agent.
std::uint64_t hash_of_name(std::string_view name) {
    if (name.empty()) return 0;
    std::array<char, name_bytes_max> folded{};
    const std::size_t size = std::min(name.size(), folded.size());
    for (std::size_t i = 0; i < size; ++i) {
        const char c = ascii_lower(name[i]);
        folded[i] = c == ' ' || c == '-' ? '_' : c;
    }
    return XXH3_64bits(folded.data(), size) | 1;  // 0 says «unknown»
}

// The agent a tool hands off to; unknown when it only repeats the tool's own name.
std::uint64_t target_of_tool(const Draft& draft) {
    std::string_view name = text_of(draft, FieldId::handoff_target);
    const std::string_view tool = text_of(draft, FieldId::tool_name);
    for (const std::string_view prefix : tool_prefixes) {
        if (name.starts_with(prefix)) return hash_of_name(name.substr(prefix.size()));
    }
    return name == tool ? 0 : hash_of_name(name);
}

std::uint64_t name_of_agent(const Draft& draft) {
    const std::string_view name = text_of(draft, FieldId::agent_name);
    return hash_of_name(name.empty() ? text_of(draft, FieldId::handoff_target) : name);
}

bool may_be_same(std::uint64_t a, std::uint64_t b) {
    return a == 0 || b == 0 || a == b;
}

}  // namespace

TraceHandoffs& CallLedger::handoffs_of(const Draft& draft, WallNanos now) {
    const TraceId& id = draft.span->trace_id;
    const std::string_view trace(reinterpret_cast<const char*>(id.data()), id.size());  // NOLINT
    const std::array<std::string_view, 2> pieces = {draft.tenant_id, trace};
    const MemoryKey key = memory_key(pieces);
    return memory_.handoffs().at(key, key.low, now);
}

// The tool's span ends before the agent it leads to starts. When the agent's own telling is already
// published, the tool's names it.
void CallLedger::settle_tool_handoff(Draft& draft, WallNanos now) {
    TraceHandoffs& known = handoffs_of(draft, now);
    const EventId& mine = draft.events[draft.handoff].event_id;
    const auto ended_at = static_cast<WallNanos>(draft.span->end_unix_nano);
    const std::uint64_t target = target_of_tool(draft);
    const std::span<Handoff> all = std::span(known.handoffs).first(known.count);
    const bool is_resend = std::any_of(all.begin(), all.end(), [&](const Handoff& handoff) {
        return handoff.event_id == mine;
    });
    if (is_resend) return;
    Handoff own{mine, {}, ended_at, target, true};
    for (Handoff& agent : all) {
        const bool is_pair = !agent.is_tool && agent.partner == EventId{} && agent.at >= ended_at &&
                             may_be_same(agent.target, target);
        if (!is_pair) continue;
        agent.partner = mine;
        own.partner = agent.event_id;
        if (draft.events[draft.handoff].is_primary) {
            const std::array values = {
                FieldValue::of_text(FieldId::twin_of, arena_->copy(view(agent.event_id)))};
            put(draft, values);
        }
        break;
    }
    known.add(own);
}

void CallLedger::settle_agent_handoff(Draft& draft, WallNanos now) {
    TraceHandoffs& known = handoffs_of(draft, now);
    AgentEvent& event = draft.events[draft.handoff];
    const EventId mine = event.event_id;
    const auto started_at = static_cast<WallNanos>(draft.span->start_unix_nano);
    const std::uint64_t name = name_of_agent(draft);
    for (std::size_t i = known.count; i-- > 0;) {
        Handoff& other = known.handoffs[i];
        if (!other.is_tool && other.event_id == mine) return;  // sent again: told as it was
        if (!other.is_tool) continue;
        const bool is_free =
            other.partner == EventId{} && other.at <= started_at && may_be_same(other.target, name);
        if (!is_free && other.partner != mine) continue;
        other.partner = mine;
        event.type = draft.unless_handed_off;
        return;
    }
    known.add({mine, {}, started_at, name, false});
}

void CallLedger::settle_handoffs(std::span<Draft> drafts) {
    for (const std::uint32_t index : tool_handoffs_) {
        settle_tool_handoff(drafts[index], now_of(drafts[index]));
    }
    for (const std::uint32_t index : agent_handoffs_) {
        settle_agent_handoff(drafts[index], now_of(drafts[index]));
    }
}

}  // namespace spangate
