// What is odd in the story itself; see README.md.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "timeline/draft.h"

namespace spangate {
namespace {

std::string duration_text(WallNanos nanos) {
    constexpr double second = 1e9;
    const double seconds = static_cast<double>(nanos) / second;
    if (seconds < 120) return fmt::format("{:.1f} s", seconds);
    if (seconds < 7'200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.0f} h", seconds / 3'600);
}

std::int64_t tokens_of(const StoryEvent& event) {
    return std::max<std::int64_t>(event.tokens_prompt, 0) +
           std::max<std::int64_t>(event.tokens_completion, 0);
}

// What the runs of one trace tell.
struct RunSum {
    std::uint32_t end = no_index;  // of an outermost run
    std::uint32_t outermost = 0;
    std::uint32_t runs = 0;
    double cost = 0;
    std::int64_t tokens = 0;
    double last_cost = no_real;
    std::int64_t last_tokens = 0;
    TextId agent = no_text;
    bool has_other_agents = false;
};

class StoryCheck {
  public:
    explicit StoryCheck(Draft& draft) : draft_(draft), timeline_(draft.timeline) {}

    void check() {
        find_span_events();
        check_late();
        check_skew();
        check_orphans();
        check_unfinished();
        check_drift();
    }

  private:
    void find_span_events();
    void check_late();
    void tell_late(std::uint32_t first, std::uint32_t last, std::uint64_t count, WallNanos most);
    void check_skew();
    void check_orphans();
    void check_unfinished();
    void check_drift();
    void judge_drift(const RunSum& run);

    // A record that is missing, or wrong, may be the very one: it is not told twice.
    [[nodiscard]] bool is_explained() const {
        const Completeness& facts = timeline_.completeness;
        return facts.events_missing + facts.events_explained + facts.damaged + facts.conflicts > 0;
    }

    Draft& draft_;
    Timeline& timeline_;
    std::vector<std::uint32_t> span_events_;  // the first event of each span
};

void StoryCheck::find_span_events() {
    span_events_.assign(draft_.spans.size(), no_index);
    for (std::uint32_t i = 0; i < timeline_.events.size(); ++i) {
        const std::uint32_t span = draft_.spans.span_of(i);
        if (span != no_index && span_events_[span] == no_index) span_events_[span] = i;
    }
}

// Steps that came late one after the other are one finding.
void StoryCheck::check_late() {
    std::uint32_t first = no_index;
    std::uint32_t last = no_index;
    std::uint64_t count = 0;
    WallNanos most = 0;
    for (const Step& step : timeline_.steps) {
        const StoryEvent& event = timeline_.event_of(step);
        if (event.end_at == 0 || event.received_at == 0 || event.source == EventSource::import)
            continue;
        const WallNanos lateness = event.received_at - event.end_at;
        if (lateness > draft_.settings.late_after) {
            if (count == 0) first = step.event;
            last = step.event;
            most = std::max(most, lateness);
            ++count;
        } else if (count > 0) {
            tell_late(first, last, count, most);
            count = 0;
            most = 0;
        }
    }
    if (count > 0) tell_late(first, last, count, most);
}

void StoryCheck::tell_late(
    std::uint32_t first, std::uint32_t last, std::uint64_t count, WallNanos most
) {
    timeline_.completeness.late += count;
    draft_.tell_range(
        FindingKind::late,
        Severity::warning,
        first,
        last,
        fmt::format(
            "{} reached the gateway up to {} after the end",
            counted(count, "step"),
            duration_text(most)
        )
    );
}

void StoryCheck::check_skew() {
    for (std::uint32_t i = 0; i < draft_.spans.size(); ++i) {
        const SpanFacts& span = draft_.spans.span(i);
        if (span.parent == no_index || span.has_time_fault || span.start_at == 0) continue;
        const SpanFacts& parent = draft_.spans.span(span.parent);
        const bool is_parent = parent.span_id == span.parent_id;
        if (!is_parent || parent.has_time_fault || parent.start_at == 0) continue;
        const WallNanos early = parent.start_at - span.start_at;
        const WallNanos over = parent.end_at > 0 ? span.end_at - parent.end_at : 0;
        if (early <= draft_.settings.skew_min && over <= draft_.settings.skew_min) continue;
        ++timeline_.completeness.skewed;
        const bool is_early = early > draft_.settings.skew_min;
        draft_.tell(
            FindingKind::skew,
            is_early ? Severity::warning : Severity::info,
            span_events_[i],
            is_early ? fmt::format("starts {} before its parent", duration_text(early))
                     : fmt::format("ends {} after its parent", duration_text(over))
        );
    }
}

// One for each parent that is not there.
void StoryCheck::check_orphans() {
    if (is_explained() || draft_.settings.since > 0) return;
    std::map<std::pair<TraceKey, SpanKey>, std::pair<std::uint32_t, std::uint64_t>> parents;
    for (std::uint32_t i = 0; i < draft_.spans.size(); ++i) {
        const SpanFacts& span = draft_.spans.span(i);
        if (!span.is_orphan) continue;
        if (!draft_.is_settled(timeline_.events[span_events_[i]])) continue;
        auto& [first, count] =
            parents.try_emplace({span.trace_id, span.parent_id}, no_index, 0).first->second;
        first = std::min(first, span_events_[i]);
        ++count;
    }
    for (const auto& [parent, facts] : parents) {
        ++timeline_.completeness.orphans;
        draft_.tell(
            FindingKind::orphan,
            Severity::info,
            facts.first,
            fmt::format("the parent of {} was never seen", counted(facts.second, "span"))
        );
    }
}

void StoryCheck::check_unfinished() {
    const std::vector<Step>& steps = timeline_.steps;
    std::uint32_t last_end = no_index;
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        if (steps[i].kind == StepKind::end) last_end = i;
    }
    const bool is_silent = !timeline_.events.empty() &&
                           draft_.now - timeline_.totals.ended_at > draft_.settings.silent_after;
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        Step& step = timeline_.steps[i];
        const StoryEvent& event = timeline_.event_of(step);
        const bool is_open_tool = step.kind == StepKind::tool &&
                                  event.type == EventType::tool_request && event.end_at == 0 &&
                                  event.outcome == EventOutcome::none;
        // A client that logs may never tell ends.
        const bool is_open_run = step.kind == StepKind::start && step.paired == no_index &&
                                 event.source != EventSource::log;
        step.is_unfinished = is_open_tool || is_open_run;
        if (!step.is_unfinished) continue;
        ++timeline_.completeness.unfinished;
        const bool has_ended = is_silent || (last_end != no_index && last_end > i);
        if (!has_ended || is_explained()) continue;
        draft_.tell(
            FindingKind::unfinished,
            Severity::warning,
            step.event,
            is_open_tool ? "the call was opened and never closed"
                         : "the run was started and never ended"
        );
    }
}

// A run's own sum against what its steps tell: where the trace has one outermost run, and that
// tells a sum. Clients may tell what the last call used, or leave out what runs within it used: a
// run that tells less than its steps counts only when one agent does all of it, in one run, and no
// call tells the same.
void StoryCheck::check_drift() {
    if (is_explained() || draft_.settings.since > 0) return;
    std::map<TraceKey, RunSum> sums;
    for (std::uint32_t i = 0; i < timeline_.events.size(); ++i) {
        const StoryEvent& event = timeline_.events[i];
        if (is_zero(event.trace_id)) continue;
        RunSum& sum = sums[event.trace_id];
        const std::uint32_t span = draft_.spans.span_of(i);
        const bool is_outermost = span != no_index && draft_.spans.span(span).depth == 0;
        if (event.type == EventType::session_end) ++sum.runs;
        if (event.type == EventType::session_end && is_outermost) {
            sum.end = i;
            ++sum.outermost;
        } else if (event.counted == Told::yes) {
            sum.cost += is_told(event.cost_usd) ? event.cost_usd : 0;
            sum.tokens += tokens_of(event);
            sum.last_tokens = tokens_of(event);
            sum.last_cost = event.cost_usd;
            sum.has_other_agents |= sum.agent != no_text && sum.agent != event.agent_name;
            sum.agent = event.agent_name;
        }
    }
    for (const auto& [trace, sum] : sums) {
        // A run that is counted itself stands alone: no step tells anything.
        if (sum.outermost == 1 && timeline_.events[sum.end].counted != Told::yes) judge_drift(sum);
    }
}

void StoryCheck::judge_drift(const RunSum& run) {
    constexpr double drift_max = 0.01;
    const StoryEvent& event = timeline_.events[run.end];
    const auto is_off = [&run](double told, double sum, double last) {
        if (!(told > 0 && sum > 0) || std::abs(told - sum) <= drift_max * std::max(told, sum)) {
            return false;
        }
        const bool is_alone = run.runs == 1 && !run.has_other_agents;
        return told > sum || (is_alone && std::abs(told - last) > drift_max * told);
    };
    if (is_told(event.cost_usd) && is_off(event.cost_usd, run.cost, run.last_cost)) {
        draft_.tell(
            FindingKind::cost_drift,
            Severity::warning,
            run.end,
            fmt::format(
                "the run tells ${:.6g}, its steps add up to ${:.6g}", event.cost_usd, run.cost
            )
        );
        return;
    }
    if (!is_told(event.tokens_prompt) || !is_told(event.tokens_completion)) return;
    const std::int64_t told = tokens_of(event);
    const bool is_drift = is_off(
        static_cast<double>(told),
        static_cast<double>(run.tokens),
        static_cast<double>(run.last_tokens)
    );
    if (!is_drift) return;
    draft_.tell(
        FindingKind::cost_drift,
        Severity::warning,
        run.end,
        fmt::format("the run tells {} tokens, its steps add up to {}", told, run.tokens)
    );
}

}  // namespace

void check_story(Draft& draft) {
    StoryCheck(draft).check();
}

}  // namespace spangate
