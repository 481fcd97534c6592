// What the loop detector tells of the events in the order of the story, as steps.
#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "timeline/draft.h"
#include "timeline/loop_detector.h"

namespace spangate {
namespace {

using LoopName = std::tuple<LoopSignal, EventKey>;

// A policy that says stop, an end, a failed run or another agent: whichever comes first.
std::uint32_t stop_of(const Timeline& timeline, const Loop& loop) {
    for (std::uint32_t i = loop.last_step + 1; i < timeline.steps.size(); ++i) {
        const Step& step = timeline.steps[i];
        const std::string_view decision = timeline.text(timeline.event_of(step).policy_decision);
        const bool is_stopped =
            step.kind == StepKind::policy && (decision == "stop" || decision == "deny");
        const bool is_over = step.kind == StepKind::termination || step.kind == StepKind::handoff ||
                             step.kind == StepKind::end;
        if (is_stopped || is_over) return i;
    }
    return no_index;
}

// Of two loops that a step belongs to, the one that is smaller here names it: worse first, then
// what says more about why.
std::tuple<int, std::ptrdiff_t, std::uint32_t> rank_of(const Loop& loop) {
    constexpr auto telling = std::to_array<LoopSignal>({
        LoopSignal::uncorrected_retry,
        LoopSignal::no_progress_repeat,
        LoopSignal::failure_streak,
        LoopSignal::cosmetic_variation,
        LoopSignal::cycle,
        LoopSignal::handoff_ping_pong,
        LoopSignal::changed_repeat,
        LoopSignal::frozen_state,
    });
    const auto place = std::find(telling.begin(), telling.end(), loop.signal) - telling.begin();
    return {-static_cast<int>(loop.severity), place, loop.first_step};
}

bool is_of_spending(LoopSignal signal) {
    return signal == LoopSignal::cost_slope || signal == LoopSignal::context_growth ||
           signal == LoopSignal::budget || signal == LoopSignal::silence;
}

bool is_one_call(LoopSignal signal) {
    return signal == LoopSignal::no_progress_repeat || signal == LoopSignal::changed_repeat ||
           signal == LoopSignal::failure_streak || signal == LoopSignal::uncorrected_retry ||
           signal == LoopSignal::cosmetic_variation;
}

// What a loop consists of; what stops it or begins a run never hides in it. Between the turns of a
// repeated call its agent thinks, which is what the loop costs; other calls are no part of it.
bool is_of_loop(const Timeline& timeline, const Loop& loop, const Step& step) {
    switch (step.kind) {
        case StepKind::policy:
        case StepKind::termination:
        case StepKind::start:
        case StepKind::end:
            return false;
        default:
            break;
    }
    const Step& last = timeline.steps[loop.last_step];
    const TextId tool = timeline.event_of(last).tool_name;
    if (!is_one_call(loop.signal) || tool == no_text) return true;
    const bool is_thought = step.kind == StepKind::inference && step.lane == last.lane;
    return is_thought || timeline.event_of(step).tool_name == tool;
}

// The sentence tells the count as a word of its own.
void count_again(LoopTelling& telling, std::uint32_t repeats) {
    const std::string sentence = " " + telling.text;
    const std::string told = fmt::format(" {} ", telling.repeats);
    const std::size_t at = sentence.find(told);
    telling.repeats = repeats;
    if (at == std::string::npos) return;
    telling.text =
        sentence.substr(1, at) + std::to_string(repeats) + sentence.substr(at + told.size() - 1);
}

// A telling reaches as far as its signal went on, also where that was not told anew.
void extend(std::vector<LoopTelling>& told, const std::vector<LoopGrowth>& grown) {
    std::map<LoopName, const LoopGrowth*> last;
    for (const LoopGrowth& growth : grown)
        last.insert_or_assign(LoopName(growth.signal, growth.first_event_id), &growth);
    for (LoopTelling& telling : told) {
        const auto found = last.find(LoopName(telling.signal, telling.first_event_id));
        if (found == last.end() || found->second->repeats <= telling.repeats) continue;
        telling.last_event_id = found->second->last_event_id;
        count_again(telling, found->second->repeats);
    }
}

void fill(Timeline& timeline, std::uint32_t number) {
    Loop& loop = timeline.loops[number];
    const Step& first = timeline.steps[loop.first_step];
    const Step& last = timeline.steps[loop.last_step];
    loop.is_state_unchanged = true;
    WallNanos end = first.start_at;
    for (std::uint32_t i = loop.first_step; i <= loop.last_step; ++i) {
        Step& step = timeline.steps[i];
        loop.cost_usd += is_told(step.cost_usd) ? step.cost_usd : 0;
        end = std::max(end, step.end_at);
        if (i > loop.first_step && step.changes_state) loop.is_state_unchanged = false;
        if (!is_of_loop(timeline, loop, step)) continue;
        const bool is_named = step.loop != no_index;
        // What is spent is no pattern of steps: it names one step, when nothing else does.
        if (is_of_spending(loop.signal) && (is_named || loop.first_step != loop.last_step))
            continue;
        if (!is_named || rank_of(loop) < rank_of(timeline.loops[step.loop])) step.loop = number;
    }
    loop.duration = std::max<WallNanos>(0, std::max(end, last.end_at) - first.start_at);
    loop.stop_step = stop_of(timeline, loop);
}

}  // namespace

void find_loops(Draft& draft) {
    Timeline& timeline = draft.timeline;
    if (!draft.settings.guard.enabled || timeline.steps.empty()) return;
    LoopDetector detector(draft.settings.guard);
    std::vector<LoopTelling> told;
    std::vector<LoopGrowth> grown;
    for (const StoryEvent& event : timeline.events)
        detector.observe(event, timeline.texts, told, &grown);
    if (told.empty()) return;
    extend(told, grown);
    std::map<EventKey, std::uint32_t> steps;
    for (const LoopTelling& telling : told) {
        steps.emplace(telling.first_event_id, no_index);
        steps.emplace(telling.last_event_id, no_index);
    }
    for (std::uint32_t i = 0; i < timeline.events.size(); ++i) {
        const auto found = steps.find(timeline.events[i].id);
        if (found != steps.end()) found->second = draft.step_near(i);
    }
    // A signal is told again as it grows: the last telling is the whole loop.
    std::map<LoopName, std::size_t> newest;
    for (std::size_t i = 0; i < told.size(); ++i)
        newest.insert_or_assign(LoopName(told[i].signal, told[i].first_event_id), i);
    for (std::size_t i = 0; i < told.size(); ++i) {
        const LoopTelling& telling = told[i];
        if (newest[LoopName(telling.signal, telling.first_event_id)] != i) continue;
        Loop loop;
        loop.first_step = steps[telling.first_event_id];
        loop.last_step = steps[telling.last_event_id];
        if (loop.last_step == no_index) continue;
        if (loop.first_step == no_index) loop.first_step = loop.last_step;
        if (loop.first_step > loop.last_step) std::swap(loop.first_step, loop.last_step);
        loop.signal = telling.signal;
        loop.severity = telling.severity;
        loop.repeats = telling.repeats;
        Finding finding;
        finding.kind = FindingKind::loop;
        finding.severity = telling.severity;
        finding.signal = telling.signal;
        finding.first_step = loop.first_step;
        finding.last_step = loop.last_step;
        finding.event_id = telling.last_event_id;
        finding.text = telling.text;
        timeline.loops.push_back(loop);
        timeline.findings.push_back(std::move(finding));
    }
    for (std::uint32_t i = 0; i < timeline.loops.size(); ++i)
        fill(timeline, i);
    timeline.totals.loops = timeline.loops.size();
}

}  // namespace spangate
