// The closed vocabularies of the event contract, version 1 (proto/spangate/v1/events.proto).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace spangate {

enum class EventType : std::uint8_t {
    session_start,
    session_end,
    planner_decision,
    inference,
    tool_request,
    tool_response,
    handoff,
    policy_intervention,
    retry,
    termination,
    state_snapshot,
    retrieval,
    evaluation,
    step_cost,
    error,
    other,
    session_alias,  // made by the gateway: a session turned out to be another one too
    gateway_gap,    // made by the gateway: numbers given but not delivered
};

inline constexpr std::array<std::string_view, 18> event_type_names = {
    "session_start",
    "session_end",
    "planner_decision",
    "inference",
    "tool_request",
    "tool_response",
    "handoff",
    "policy_intervention",
    "retry",
    "termination",
    "state_snapshot",
    "retrieval",
    "evaluation",
    "step_cost",
    "error",
    "other",
    "session_alias",
    "gateway_gap",
};

inline constexpr std::size_t event_types_count = event_type_names.size();

[[nodiscard]] constexpr std::string_view name_of(EventType type) {
    return event_type_names[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr std::optional<EventType> event_type_from(std::string_view name) {
    for (std::size_t i = 0; i < event_types_count; ++i) {
        if (event_type_names[i] == name) return static_cast<EventType>(i);
    }
    return std::nullopt;
}

// A set of event types, one bit each.
using EventTypes = std::uint32_t;

[[nodiscard]] constexpr EventTypes bit(EventType type) {
    return EventTypes{1} << static_cast<unsigned>(type);
}

inline constexpr EventTypes all_event_types = (EventTypes{1} << event_types_count) - 1;

// Who may read a record; each class has its own topic.
enum class EventClass : std::uint8_t { operational, detail, evidence };

inline constexpr std::array<std::string_view, 3> event_class_names = {
    "operational", "detail", "evidence"};
inline constexpr std::size_t event_classes_count = event_class_names.size();

[[nodiscard]] constexpr std::string_view name_of(EventClass event_class) {
    return event_class_names[static_cast<std::size_t>(event_class)];
}

// Where an event's time came from (contract §3).
enum class TimeSource : std::uint8_t { span, observed, received };
inline constexpr std::array<std::string_view, 3> time_source_names = {
    "span", "observed", "received"};

[[nodiscard]] constexpr std::string_view name_of(TimeSource source) {
    return time_source_names[static_cast<std::size_t>(source)];
}

// What an event was made from (contract §3).
enum class EventSource : std::uint8_t { span, log, import, gateway, guard };
inline constexpr std::array<std::string_view, 5> event_source_names = {
    "span", "log", "import", "gateway", "guard"};

[[nodiscard]] constexpr std::string_view name_of(EventSource source) {
    return event_source_names[static_cast<std::size_t>(source)];
}

}  // namespace spangate
