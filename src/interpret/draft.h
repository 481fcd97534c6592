// A span on its way through this room: what was found out so far. One for each span of a batch,
// dropped ones too, because they may be the bridge between two others.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "interpret/convention_table.h"
#include "interpret/session_memory.h"
#include "model/agent_event.h"
#include "model/span_view.h"

namespace spangate {

enum class Fate : std::uint8_t { kept, dropped_other, dropped_partial };

struct Draft {
    SpanView* span = nullptr;
    std::uint32_t request = 0;
    Fate fate = Fate::kept;

    // Identity.
    std::string_view authority;  // authenticated or configured tenant; empty: none
    std::string_view tenant_id;
    std::string_view user_id;
    SessionClaim own;          // by a key of its own
    SessionClaim of_resource;  // by a key of its resource
    std::span<const std::string_view> session_keys_seen;
    SessionClaim session;  // as bound; never empty then

    // The tree; indices of drafts.
    std::uint32_t parent = no_index;
    std::uint32_t depth = 0;

    // What it tells.
    std::uint32_t convention = no_index;  // whose rule decided
    FieldSet* fields = nullptr;
    std::span<AgentEvent> events;  // with room behind for `events_room` more
    std::uint32_t events_room = 0;
    std::uint32_t primary = 0;

    // For doubles: bits of the table's twin_scopes, and which event may be relabelled.
    std::uint32_t drops_usage = 0;
    std::uint32_t keeps_usage = 0;
    std::uint32_t handoff = no_index;  // the event that is a hand-off
    EventType unless_handed_off = EventType::other;
    bool may_be_handed_off = false;  // `handoff` is told by the nested agent's own span
};

}  // namespace spangate
