// The spans that a session's events name: who is under whom. Included by this room's .cc files
// alone.
#pragma once

#include <cstdint>
#include <vector>

#include "timeline/event_ledger.h"

namespace spangate {

struct SpanFacts {
    TraceKey trace_id{};
    SpanKey span_id{};
    SpanKey parent_id{};
    SpanKey ancestor_id{};
    std::uint32_t parent = no_index;  // the nearest that is there
    std::uint32_t depth = 0;
    WallNanos start_at = 0;  // 0: not told
    WallNanos end_at = 0;
    WallNanos shown_from = 0;  // start_at, but never before the parent's
    bool is_orphan = false;    // it names a parent, and neither that nor an ancestor is there
    bool has_time_fault = false;
};

class SpanTree {
  public:
    explicit SpanTree(const EventLedger& ledger);

    // The span of each event; no_index: it has none.
    [[nodiscard]] std::uint32_t span_of(std::uint32_t event) const { return event_spans_[event]; }

    [[nodiscard]] const SpanFacts& span(std::uint32_t index) const { return spans_[index]; }

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(spans_.size()); }

    [[nodiscard]] std::uint32_t find(const TraceKey& trace_id, const SpanKey& span_id) const;

    // After the events have been put in this order.
    void renumber_events(const std::vector<std::uint32_t>& order);

  private:
    void collect(const EventLedger& ledger);
    void link();
    void measure(std::uint32_t span);

    std::vector<SpanFacts> spans_;  // by trace and span
    std::vector<std::uint32_t> event_spans_;
};

// All events of the ledger in the order of the story (contract §3).
[[nodiscard]] std::vector<std::uint32_t> story_order(
    const EventLedger& ledger, const SpanTree& spans
);

}  // namespace spangate
