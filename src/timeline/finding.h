// What is wrong, or worth a look, in a session: the words shared by replay, guard, list and report.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "timeline/story_event.h"

namespace spangate {

enum class Severity : std::uint8_t { info, warning, critical };
inline constexpr std::array<std::string_view, 3> severity_names = {"info", "warning", "critical"};

[[nodiscard]] constexpr std::string_view name_of(Severity severity) {
    return severity_names[static_cast<std::size_t>(severity)];
}

// L1 … L12: what the loop detector looks for.
enum class LoopSignal : std::uint8_t {
    no_progress_repeat = 1,  // same call, same result
    changed_repeat,          // same call, changing result: polling
    cycle,                   // a block of calls repeats
    failure_streak,          // the same tool fails the same way
    frozen_state,            // steps act and the state stays
    uncorrected_retry,       // retried with nothing changed
    cosmetic_variation,      // the same but for counters, ids, times
    handoff_ping_pong,       // agents hand to each other in turns
    cost_slope,              // spends much faster than it did
    context_growth,          // the prompt grows and grows
    budget,                  // nothing left, or soon
    silence,                 // open steps and no events
};

inline constexpr std::array<std::string_view, 13> loop_signal_names = {
    "",
    "no_progress_repeat",
    "changed_repeat",
    "cycle",
    "failure_streak",
    "frozen_state",
    "uncorrected_retry",
    "cosmetic_variation",
    "handoff_ping_pong",
    "cost_slope",
    "context_growth",
    "budget",
    "silence",
};

[[nodiscard]] constexpr std::string_view name_of(LoopSignal signal) {
    return loop_signal_names[static_cast<std::size_t>(signal)];
}

enum class FindingKind : std::uint8_t {
    gap,                // numbers missing, and nothing explains them
    explained_gap,      // the gateway says what was not delivered
    conflict,           // two copies of one event differ
    duplicate,          // equal copies
    out_of_order,       // stored in another order than numbered
    late,               // arrived long after it ended
    skew,               // a child outside its parent's time
    orphan,             // its parent span was never seen
    class_missing,      // promised in a class and not there
    evidence_mismatch,  // the evidence is not what was committed to
    evidence_missing,
    cost_drift,  // the steps do not add up to what the session's end says
    unfinished,  // opened and never closed
    damaged,     // records that could not be read
    loop,        // a LoopSignal
};

inline constexpr std::array<std::string_view, 15> finding_kind_names = {
    "gap",
    "explained_gap",
    "conflict",
    "duplicate",
    "out_of_order",
    "late",
    "skew",
    "orphan",
    "class_missing",
    "evidence_mismatch",
    "evidence_missing",
    "cost_drift",
    "unfinished",
    "damaged",
    "loop"};

[[nodiscard]] constexpr std::string_view name_of(FindingKind kind) {
    return finding_kind_names[static_cast<std::size_t>(kind)];
}

struct Finding {
    FindingKind kind = FindingKind::gap;
    Severity severity = Severity::warning;
    std::optional<LoopSignal> signal;
    std::uint32_t first_step = UINT32_MAX;  // index; UINT32_MAX: of the session as a whole
    std::uint32_t last_step = UINT32_MAX;
    EventKey event_id{};
    std::string text;  // a sentence for people; names and numbers, no content
};

}  // namespace spangate
