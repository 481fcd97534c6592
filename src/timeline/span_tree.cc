#include "timeline/span_tree.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace spangate {
namespace {

constexpr std::uint32_t unmeasured = UINT32_MAX;

auto key_of(const StoryEvent& event) {
    return std::tie(event.trace_id, event.span_id);
}

void add_facts(const StoryEvent& event, SpanFacts& span) {
    if (is_zero(span.parent_id)) span.parent_id = event.parent_span_id;
    if (is_zero(span.ancestor_id)) span.ancestor_id = event.ancestor_span_id;
    span.has_time_fault |= event.has_time_fault;
    // A log record has its own time, not the span's.
    if (event.source == EventSource::log) return;
    if (event.start_at > 0 && (span.start_at == 0 || event.start_at < span.start_at)) {
        span.start_at = event.start_at;
    }
    span.end_at = std::max(span.end_at, event.end_at);
}

}  // namespace

SpanTree::SpanTree(const EventLedger& ledger) {
    collect(ledger);
    link();
    for (std::uint32_t i = 0; i < size(); ++i)
        measure(i);
}

void SpanTree::collect(const EventLedger& ledger) {
    std::vector<std::uint32_t> sorted;
    for (std::uint32_t i = 0; i < ledger.size(); ++i) {
        if (!is_zero(ledger.event(i).span_id)) sorted.push_back(i);
    }
    std::sort(sorted.begin(), sorted.end(), [&ledger](std::uint32_t a, std::uint32_t b) {
        const StoryEvent& left = ledger.event(a);
        const StoryEvent& right = ledger.event(b);
        return std::tie(left.trace_id, left.span_id, left.timestamp, left.id) <
               std::tie(right.trace_id, right.span_id, right.timestamp, right.id);
    });
    event_spans_.assign(ledger.size(), no_index);
    for (const std::uint32_t index : sorted) {
        const StoryEvent& event = ledger.event(index);
        const bool is_new = spans_.empty() || spans_.back().trace_id != event.trace_id ||
                            spans_.back().span_id != event.span_id;
        if (is_new) {
            SpanFacts span;
            std::tie(span.trace_id, span.span_id) = key_of(event);
            span.depth = unmeasured;
            spans_.push_back(span);
        }
        add_facts(event, spans_.back());
        event_spans_[index] = size() - 1;
    }
}

std::uint32_t SpanTree::find(const TraceKey& trace_id, const SpanKey& span_id) const {
    if (is_zero(span_id)) return no_index;
    const auto wanted = std::tie(trace_id, span_id);
    const auto found = std::lower_bound(
        spans_.begin(),
        spans_.end(),
        wanted,
        [](const SpanFacts& span, const auto& key) {
            return std::tie(span.trace_id, span.span_id) < key;
        }
    );
    const bool is_there =
        found != spans_.end() && found->trace_id == trace_id && found->span_id == span_id;
    return is_there ? static_cast<std::uint32_t>(found - spans_.begin()) : no_index;
}

void SpanTree::link() {
    for (SpanFacts& span : spans_) {
        if (span.parent_id == span.span_id) span.parent_id = {};
        span.parent = find(span.trace_id, span.parent_id);
        if (span.parent == no_index) span.parent = find(span.trace_id, span.ancestor_id);
        span.is_orphan = span.parent == no_index && !is_zero(span.parent_id);
    }
}

// Depth and time of a span and of all above it that have none yet. A circle of parents is cut where
// it is met.
void SpanTree::measure(std::uint32_t index) {
    constexpr std::uint32_t being_measured = UINT32_MAX - 1;
    std::vector<std::uint32_t> path;
    while (index != no_index && spans_[index].depth == unmeasured) {
        spans_[index].depth = being_measured;
        path.push_back(index);
        index = spans_[index].parent;
    }
    if (index != no_index && spans_[index].depth == being_measured) {
        // The one of the circle that comes first in the tree's order becomes its root.
        const auto circle = std::find(path.begin(), path.end(), index);
        const auto root = std::min_element(circle, path.end());
        std::rotate(circle, std::next(root), path.end());
        spans_[path.back()].parent = no_index;
    }
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
        SpanFacts& span = spans_[*at];
        span.depth = span.parent == no_index ? 0 : spans_[span.parent].depth + 1;
        span.shown_from = span.start_at;
        if (span.parent != no_index) {
            span.shown_from = std::max(span.shown_from, spans_[span.parent].shown_from);
        }
    }
}

void SpanTree::renumber_events(const std::vector<std::uint32_t>& order) {
    std::vector<std::uint32_t> renumbered(order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        renumbered[i] = event_spans_[order[i]];
    event_spans_ = std::move(renumbered);
}

std::vector<std::uint32_t> story_order(const EventLedger& ledger, const SpanTree& spans) {
    struct Place {
        WallNanos at = 0;
        std::int64_t phase = 0;
        std::uint32_t event = 0;
    };

    std::vector<Place> places(ledger.size());
    for (std::uint32_t i = 0; i < ledger.size(); ++i) {
        const StoryEvent& event = ledger.event(i);
        const std::uint32_t span = spans.span_of(i);
        Place& place = places[i];
        place.event = i;
        place.at = event.timestamp;
        const std::int64_t depth = span == no_index ? 0 : spans.span(span).depth;
        // At the same time: what begins, outermost first; then what ends, innermost first.
        constexpr std::int64_t depths = std::int64_t{1} << 33;
        place.phase = event.end_at > 0 ? depths - depth : depth;
        if (span == no_index || spans.span(span).parent == no_index) continue;
        // A child that starts before its parent is shown under it.
        place.at = std::max(place.at, spans.span(spans.span(span).parent).shown_from);
    }
    std::sort(places.begin(), places.end(), [&ledger](const Place& a, const Place& b) {
        if (std::tie(a.at, a.phase) != std::tie(b.at, b.phase)) {
            return std::tie(a.at, a.phase) < std::tie(b.at, b.phase);
        }
        const StoryEvent& left = ledger.event(a.event);
        const StoryEvent& right = ledger.event(b.event);
        return std::tie(left.gateway_seq, left.id) < std::tie(right.gateway_seq, right.id);
    });
    std::vector<std::uint32_t> order(places.size());
    std::transform(places.begin(), places.end(), order.begin(), [](const Place& place) {
        return place.event;
    });
    return order;
}

}  // namespace spangate
