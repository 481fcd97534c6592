// What interpret makes of a span: one item with one or more typed events (contract §2). All views
// are borrowed from the batch (the request's body or its arena).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "model/event_type.h"
#include "model/field_set.h"
#include "model/session_key.h"
#include "model/span_view.h"
#include "model/ticket.h"

namespace spangate {

// 32 lower-case hex characters (contract §3).
using EventId = std::array<char, 32>;

[[nodiscard]] inline std::string_view view(const EventId& id) {
    return {id.data(), id.size()};
}

struct AgentEvent {
    EventType type = EventType::other;
    bool at_end = true;       // else at the item's start
    bool is_primary = false;  // the one that detail and evidence belong to
    EventId event_id{};
    WallNanos timestamp = 0;
    TimeSource time_source = TimeSource::span;
    const FieldSet* fields = nullptr;  // the item's, or the event's own; never null
};

// Whether `field` stands on `event`: the table's `on`, `at_end` and `primary_only` columns.
[[nodiscard]] inline bool stands_on(const FieldInfo& field, const AgentEvent& event) {
    if ((field.on & bit(event.type)) == 0) return false;
    if (field.id == FieldId::primary_event_id && event.is_primary) return false;
    if (field.at_end && !event.at_end && !event.is_primary) return false;
    return !field.primary_only || event.is_primary;
}

// One span or log record with its events, or an event that the gateway makes of itself (`source`
// gateway: a session_alias). The latter has no content: it makes an operational record only, and of
// `span` only the ids are set. A keyless item's session may be given by its trace; `session_source`
// tells how (contract §4).
struct AgentItem {
    EventSource source = EventSource::span;
    const SpanView* span = nullptr;
    Ticket* ticket = nullptr;
    WallNanos received_at = 0;

    // The tenant is an Id. The session id is an Id, or `h:`, `trace:`, `log:` made by the gateway;
    // when `session_is_from_client`, detectors have yet to look at it (redact does).
    SessionKey session;
    std::string_view session_source;
    bool session_is_from_client = false;

    std::string_view user_id;                             // raw; published only as user_ref
    std::span<const std::string_view> session_keys_seen;  // the other keys' values, for detail

    const FieldSet* fields = nullptr;  // never null
    std::span<AgentEvent> events;      // the rule's events, then span events', then overlays'
    std::uint32_t primary = 0;         // index into events

    [[nodiscard]] const AgentEvent& primary_event() const { return events[primary]; }
};

}  // namespace spangate
