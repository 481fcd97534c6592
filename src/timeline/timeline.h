// The story of one session, put together from what is stored: steps in order, what they cost, where
// they loop, and what is missing. Everything that shows a session (replay, diff, report, list)
// works on this alone.
//
//   TimelineBuilder::add(record)…  ─▶  finish()  ─▶  Timeline
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "timeline/detail_store.h"
#include "timeline/finding.h"
#include "timeline/story_event.h"
#include "timeline/text_pool.h"

namespace spangate {

inline constexpr std::uint32_t no_index = UINT32_MAX;

enum class StepKind : std::uint8_t {
    start,  // of a run
    decision,
    inference,
    tool,
    retry,  // told alone; a retried call is a tool step with attempt > 0
    handoff,
    policy,
    state,
    retrieval,
    evaluation,
    cost,
    error,
    termination,
    end,  // of a run
    other,
};

inline constexpr std::array<std::string_view, 15> step_kind_names = {
    "start",
    "decision",
    "inference",
    "tool",
    "retry",
    "handoff",
    "policy",
    "state",
    "retrieval",
    "evaluation",
    "cost",
    "error",
    "termination",
    "end",
    "other"};
inline constexpr std::string_view step_kind_letters = "[DITRHPSQVCEX].";

[[nodiscard]] constexpr std::string_view name_of(StepKind kind) {
    return step_kind_names[static_cast<std::size_t>(kind)];
}

[[nodiscard]] constexpr char letter_of(StepKind kind) {
    return step_kind_letters[static_cast<std::size_t>(kind)];
}

// One thing that an agent did: the events of one span that belong to one moment of it. A tool's
// request and response are one step.
struct Step {
    StepKind kind = StepKind::other;
    std::uint32_t event = 0;              // Timeline::events: the one that names the step
    std::uint32_t request = no_index;     // its tool_request, told apart
    std::uint32_t parent = no_index;      // the step of the nearest ancestor span
    std::uint32_t lane = 0;               // Timeline::lanes
    std::uint32_t loop = no_index;        // Timeline::loops
    std::uint32_t attempt_of = no_index;  // the step that this one repeats
    std::uint32_t paired = no_index;      // start ↔ end of a run; a request told by another span
    DetailNo detail = no_detail;
    EventTypes types = 0;  // of all events that the step joins
    std::uint16_t depth = 0;
    bool is_unfinished = false;       // opened and never closed
    bool is_failed = false;           // outcome other than ok, or an error told with it
    bool changes_state = false;       // state_after differs from the state before
    std::int64_t attempt = no_count;  // 0: the first
    WallNanos start_at = 0;
    WallNanos end_at = 0;
    double cost_usd = no_real;       // of this step, counted once
    std::int64_t tokens = no_count;  // prompt + completion, counted once
    double cost_sum_usd = 0;         // up to and with this step
    std::int64_t tokens_sum = 0;
    double budget_left = no_real;  // last told, up to and with this step
    TextId state_before = no_text;
    TextId state_after = no_text;
    TextId error_class = no_text;
};

// One agent, in the order of first appearance.
struct Lane {
    TextId agent_id = no_text;
    TextId agent_name = no_text;
    std::uint32_t steps = 0;
    double cost_usd = 0;
};

struct Handoff {
    std::uint32_t step = 0;
    std::uint32_t from_lane = no_index;
    std::uint32_t to_lane = no_index;
};

// Steps that repeat without getting on, as the loop detector tells.
struct Loop {
    std::uint32_t first_step = 0;
    std::uint32_t last_step = 0;
    LoopSignal signal = LoopSignal::no_progress_repeat;
    Severity severity = Severity::warning;
    std::uint32_t repeats = 0;
    std::uint32_t stop_step = no_index;  // what ended it: a policy, a termination, an error
    double cost_usd = 0;
    WallNanos duration = 0;
    bool is_state_unchanged = true;
};

struct ClassCompleteness {
    bool is_readable = false;    // the caller asked for the class and may read it
    std::uint64_t promised = 0;  // events whose `classes` name it
    std::uint64_t present = 0;   // of these, read
};

struct Completeness {
    std::array<ClassCompleteness, event_classes_count> classes{};
    std::uint64_t events_missing = 0;    // numbers that nothing explains
    std::uint64_t events_explained = 0;  // numbers told by a gateway_gap
    std::uint64_t duplicates = 0;        // equal copies beyond the first
    std::uint64_t conflicts = 0;         // copies that differ
    std::uint64_t reordered = 0;         // adjacent inversions on a partition
    std::uint64_t displacement_max = 0;
    std::uint64_t late = 0;
    std::uint64_t skewed = 0;
    std::uint64_t orphans = 0;
    std::uint64_t unfinished = 0;
    std::uint64_t damaged = 0;           // records that could not be read
    std::uint64_t evidence_checked = 0;  // tellings whose commitment was recomputed
    std::uint64_t evidence_mismatches = 0;

    [[nodiscard]] bool is_complete() const;
};

struct Totals {
    std::uint64_t events = 0;
    std::uint64_t steps = 0;
    std::uint64_t inferences = 0;
    std::uint64_t tool_calls = 0;
    std::uint64_t retries = 0;
    std::uint64_t errors = 0;
    std::uint64_t policies = 0;
    std::uint64_t handoffs = 0;
    std::uint64_t loops = 0;
    std::int64_t tokens_prompt = 0;
    std::int64_t tokens_completion = 0;
    std::int64_t tokens_cache_read = 0;
    double cost_usd = 0;
    double budget = no_real;       // what there was at first, where it can be told
    double budget_left = no_real;  // last told
    WallNanos started_at = 0;
    WallNanos ended_at = 0;
};

struct Timeline {
    Timeline() = default;
    Timeline(Timeline&&) noexcept = default;
    Timeline& operator=(Timeline&&) noexcept = default;

    std::string tenant_id;
    std::string session_id;
    std::vector<std::string> aliases;  // other sessions whose events stand here too
    TextPool texts;
    std::vector<StoryEvent> events;  // one of each id, in the order of the story
    std::vector<Step> steps;         // in the order of the story; number = index + 1
    std::vector<Lane> lanes;
    std::vector<Handoff> handoffs;
    std::vector<Loop> loops;
    std::vector<Finding> findings;  // worst first, then by step
    Completeness completeness;
    Totals totals;
    DetailStore details;

    [[nodiscard]] std::string_view text(TextId id) const { return texts[id]; }

    [[nodiscard]] const StoryEvent& event_of(const Step& step) const { return events[step.event]; }

    [[nodiscard]] Severity worst() const;  // of the findings; Severity::info when there are none
};

}  // namespace spangate
