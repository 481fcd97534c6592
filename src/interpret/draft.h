// A span on its way through this room: what was found out so far. One for each span of a batch,
// dropped ones too, because they may be the bridge between two others.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "digest/sha256.h"
#include "interpret/convention_table.h"
#include "interpret/session_memory.h"
#include "model/agent_event.h"
#include "model/span_view.h"

namespace spangate {

enum class Fate : std::uint8_t { kept, dropped_other, dropped_partial };

// Who said a span's tenant.
enum class TenantBy : std::uint8_t {
    own,  // authentication, configuration, its resource or itself
    ancestor,
    root,
    trace_batch,
    trace_memory,
    link,
    nobody,
};

// A keyed reference holds the tenant: it is written into `out` when that is known.
struct KeyedReference {
    std::string_view text;
    char* out = nullptr;  // room for HashKey::user_ref_size bytes
    const KeyedReference* next = nullptr;
};

struct Explanation;
struct EventOrigin;

struct Draft {
    SpanView* span = nullptr;
    std::uint32_t request = 0;
    Fate fate = Fate::kept;
    Explanation* explanation = nullptr;  // null: nobody asks (explanation.h)

    // The client's times where they can be true, else when the request came.
    WallNanos started_at = 0;
    WallNanos ended_at = 0;
    const Sha256Digest* record_digest = nullptr;  // log records: what their event ids are made of

    // Identity.
    std::string_view authority;  // authenticated or configured tenant; empty: none
    std::string_view tenant_id;  // empty until the TenantFinder has run when it says none itself
    TenantBy tenant_by = TenantBy::own;
    const KeyedReference* references = nullptr;
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

    // For doubles: whether a log record and its span may tell one call (`joins_span`), bits of the
    // table's twin_scopes, and which event may be relabelled.
    bool may_join = false;
    bool may_repeat_tool = false;  // span, span events and log records may tell one tool call
    std::uint32_t also = 0;        // from here on, events of extra_events and overlays
    std::uint32_t drops_usage = 0;
    std::uint32_t keeps_usage = 0;
    std::uint32_t handoff = no_index;  // the event that is a hand-off
    EventType unless_handed_off = EventType::other;
    bool may_be_handed_off = false;  // `handoff` is told by the nested agent's own span
};

}  // namespace spangate
