#include <algorithm>
#include <array>

#include <xxhash.h>

#include "base/text.h"
#include "interpret/call_ledger.h"
#include "interpret/explanation.h"
#include "interpret/session_binder.h"

namespace spangate {
namespace {

using Handoff = TraceHandoffs::Handoff;

constexpr std::array<std::string_view, 2> tool_prefixes = {"transfer_to_", "handoff to "};
constexpr std::string_view agent_suffix = "_agent";
constexpr std::size_t name_bytes_max = 128;

std::string_view text_of(const Draft& draft, FieldId id) {
    const FieldValue* value = draft.fields->find(id);
    return value == nullptr ? std::string_view() : value->text();
}

// «Refund Agent», «refund_agent» and «refund» are one agent.
std::uint64_t hash_of_name(std::string_view name) {
    if (name.empty()) return 0;
    std::array<char, name_bytes_max> folded{};
    std::string_view whole(folded.data(), std::min(name.size(), folded.size()));
    for (std::size_t i = 0; i < whole.size(); ++i) {
        const char c = ascii_lower(name[i]);
        folded[i] = c == ' ' || c == '-' ? '_' : c;
    }
    const bool has_suffix = whole.size() > agent_suffix.size() && whole.ends_with(agent_suffix);
    if (has_suffix) whole.remove_suffix(agent_suffix.size());
    return XXH3_64bits(whole.data(), whole.size()) | 1;  // 0 says «unknown»
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

// Whether the tool leads to the agent: the agent starts after it, or runs within it.
bool leads_to(const Handoff& tool, const Handoff& agent) {
    if (!is_zero(agent.tool_span) && tool.tool_span == agent.tool_span) return true;
    if (tool.ended_at <= agent.began_at) return may_be_same(tool.target, agent.target);
    const bool is_within = tool.began_at <= agent.began_at && agent.ended_at <= tool.ended_at;
    return is_within && tool.target != 0 && tool.target == agent.target;
}

bool tells_handoff(const Draft& draft) {
    return draft.fate == Fate::kept && draft.handoff != no_index;
}

// The tool's span within which the agent's runs, however deep, with no other agent between.
const EventId* enclosing_tool(std::span<const Draft> drafts, const Draft& agent) {
    std::uint32_t steps = 0;
    for (std::uint32_t at = agent.parent; at != no_index && steps < SessionBinder::depth_max;
         at = drafts[at].parent) {
        const Draft& ancestor = drafts[at];
        if (tells_handoff(ancestor)) {
            return ancestor.may_be_handed_off ? nullptr
                                              : &ancestor.events[ancestor.handoff].event_id;
        }
        ++steps;
    }
    return nullptr;
}

enum class Above : std::uint8_t { unknown, nobody, same, another };

// What the agent's ancestors say of the agent that is in control there. Only a chain that reaches
// the root can say that there is none: a workflow, or a root without an agent's name.
Above agent_above(std::span<const Draft> drafts, const Draft& agent, std::uint64_t name) {
    const Draft* top = &agent;
    std::uint32_t steps = 0;
    for (std::uint32_t at = agent.parent; at != no_index && steps < SessionBinder::depth_max;
         at = drafts[at].parent) {
        top = &drafts[at];
        const bool has_fields = top->fate == Fate::kept;
        const std::uint64_t above =
            has_fields ? hash_of_name(text_of(*top, FieldId::agent_name)) : 0;
        if (above != 0) return above == name ? Above::same : Above::another;
        ++steps;
    }
    return top->span->is_root() ? Above::nobody : Above::unknown;
}

// Control passes to another agent (contract §2): not to the first agent of a run, and not to the
// one that had it before.
bool is_handed_to_nobody(
    std::span<const Draft> drafts,
    const Draft& draft,
    const TraceHandoffs& known,
    const Handoff& own
) {
    const bool names_source =
        draft.fields->has(FieldId::handoff_source) || draft.fields->has(FieldId::parent_agent_id);
    if (names_source) return false;
    const Above above = agent_above(drafts, draft, own.target);
    if (above != Above::nobody) return above == Above::same;
    const Handoff* before = nullptr;
    for (const Handoff& other : std::span(known.handoffs).first(known.count)) {
        if (other.began_at > own.began_at) continue;
        if (before == nullptr || other.began_at >= before->began_at) before = &other;
    }
    if (before == nullptr) return true;
    const bool is_same =
        before->target == own.target && (own.target != 0 || before->name == own.name);
    return !before->is_tool && is_same;
}

}  // namespace

TraceHandoffs& CallLedger::handoffs_of(const Draft& draft, WallNanos now) {
    const TraceId& id = draft.span->trace_id;
    const std::string_view trace(reinterpret_cast<const char*>(id.data()), id.size());  // NOLINT
    const std::array<std::string_view, 2> pieces = {draft.tenant_id, trace};
    const MemoryKey key = memory_key(pieces);
    return memory_.handoffs().at(key, key.low, now);
}

// The agent's own telling is published: the tool's names it. One that cannot name it, because it is
// not the primary event, is taken back to what it is besides, the model's decision.
void CallLedger::yield_to_agent(Draft& draft, const EventId& agent) {
    AgentEvent& event = draft.events[draft.handoff];
    if (!event.is_primary) {
        event.type = EventType::planner_decision;
        return note_relabelled(draft, event, "the agent's own span told the hand-off before");
    }
    const std::array values = {FieldValue::of_text(FieldId::twin_of, arena_->copy(view(agent)))};
    put(draft, values);
    note_twin(draft, "the agent's own span told the hand-off before");
}

void CallLedger::settle_tool_handoff(Draft& draft, WallNanos now) {
    TraceHandoffs& known = handoffs_of(draft, now);
    Handoff own;
    own.event_id = draft.events[draft.handoff].event_id;
    own.began_at = draft.started_at;
    own.ended_at = draft.ended_at;
    own.tool_span = draft.span->span_id;
    own.target = target_of_tool(draft);
    own.is_tool = true;
    const std::span<Handoff> all = std::span(known.handoffs).first(known.count);
    for (const Handoff& told : all) {
        if (told.event_id != own.event_id) continue;
        if (told.yields) yield_to_agent(draft, told.partner);
        return;  // sent again: told as it was
    }
    for (Handoff& agent : all) {
        const bool is_open = !agent.is_tool && !agent.yields && agent.partner == EventId{};
        if (!is_open || !leads_to(own, agent)) continue;
        agent.partner = own.event_id;
        own.partner = agent.event_id;
        own.yields = true;
        yield_to_agent(draft, agent.event_id);
        break;
    }
    known.add(own);
}

// A hand-off that a tool's span tells is told once; the first agent of a run receives none.
void CallLedger::settle_agent_handoff(std::span<const Draft> drafts, Draft& draft, WallNanos now) {
    TraceHandoffs& known = handoffs_of(draft, now);
    AgentEvent& event = draft.events[draft.handoff];
    Handoff own;
    own.event_id = event.event_id;
    own.began_at = draft.started_at;
    own.ended_at = draft.ended_at;
    own.tool_span = draft.span->parent_span_id;
    own.target = name_of_agent(draft);
    own.name = hash_of_name(draft.span->name);
    const auto relabel = [&](std::string_view because) {
        event.type = draft.unless_handed_off;
        note_relabelled(draft, event, because);
    };
    constexpr std::string_view by_tool = "the tool's span told the hand-off before";
    constexpr std::string_view by_nobody = "no other agent hands over to it";
    const std::span<Handoff> all = std::span(known.handoffs).first(known.count);
    for (const Handoff& told : all) {
        if (told.is_tool || told.event_id != own.event_id) continue;
        if (told.yields) relabel(told.partner == EventId{} ? by_nobody : by_tool);
        return;  // sent again: told as it was
    }
    const EventId* const enclosing = enclosing_tool(drafts, draft);
    Handoff* tool = nullptr;
    for (Handoff& other : all) {
        if (!other.is_tool || other.partner != EventId{}) continue;
        const bool encloses = enclosing != nullptr && other.event_id == *enclosing;
        if (encloses || leads_to(other, own)) tool = &other;
        if (encloses) break;
    }
    if (tool != nullptr) {
        tool->partner = own.event_id;
        own.partner = tool->event_id;
        own.yields = true;
        relabel(by_tool);
    } else if (is_handed_to_nobody(drafts, draft, known, own)) {
        own.yields = true;
        relabel(by_nobody);
    }
    known.add(own);
}

void CallLedger::settle_handoffs(std::span<Draft> drafts) {
    for (const std::uint32_t index : tool_handoffs_) {
        settle_tool_handoff(drafts[index], now_of(drafts[index]));
    }
    for (const std::uint32_t index : agent_handoffs_) {
        settle_agent_handoff(drafts, drafts[index], now_of(drafts[index]));
    }
}

}  // namespace spangate
