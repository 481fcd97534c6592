// A timeline while it is put together, and the stages that do it, in this order. Included by this
// room's .cc files alone.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "session/evidence_check.h"
#include "timeline/event_ledger.h"
#include "timeline/span_tree.h"
#include "timeline/timeline_builder.h"

namespace spangate {

struct Draft {
    const TimelineSettings& settings;
    EventLedger& ledger;
    SpanTree spans;
    const EvidenceReport* evidence = nullptr;  // null: not readable
    WallNanos now = 0;
    Timeline timeline;
    std::vector<std::uint32_t> event_steps;    // the step of each event; no_index: none
    std::set<std::uint32_t> damaged_evidence;  // events whose evidence is there and cannot be read

    [[nodiscard]] bool is_readable(EventClass event_class) const;

    // Of one event, or of the session as a whole.
    void tell(FindingKind kind, Severity severity, std::uint32_t event, std::string text);
    void tell_range(
        FindingKind kind,
        Severity severity,
        std::uint32_t first_event,
        std::uint32_t last_event,
        std::string text
    );

    // The step of an event, or of the nearest event around it that has one.
    [[nodiscard]] std::uint32_t step_near(std::uint32_t event) const;

    // Records of one event come one after the other: of one this new, some may still be coming.
    [[nodiscard]] bool is_settled(const StoryEvent& event) const;
};

// «3 events», «1 event».
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

// Steps from events: which events belong together, in which order, under which step.
void make_steps(Draft& draft);

// What each step cost and changed, its agent, its attempts, the sums.
void measure_steps(Draft& draft);

// What is missing or told twice: gaps, classes, copies, damaged records, stored order.
void check_numbers(Draft& draft);
void check_copies(Draft& draft);

// What is odd in the story itself: late, skew, orphan, unfinished, cost drift.
void check_story(Draft& draft);

// What the loop detector tells.
void find_loops(Draft& draft);

// Worst first, then by step; at most `findings_max` of a kind.
void sort_findings(Timeline& timeline);

}  // namespace spangate
