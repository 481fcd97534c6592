// Decisions and handoffs as steps; L8.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "timeline/loop_moment.h"
#include "timeline/loop_rounds.h"
#include "timeline/loop_words.h"

namespace spangate {
namespace {

bool is_told_handoff(const LoopStep& step) {
    return step.tool == 0 && (step.marks & is_handoff) != 0;
}

// The same handoff may be told by two spans: nothing was done between.
bool is_told_again(const LoopState& state, const LoopStep& step) {
    for (std::size_t back = 0; back < steps_kept(state); ++back) {
        const LoopStep& older = step_back(state, back);
        if (is_told_handoff(older)) return older.call == step.call && state.handed_events == 0;
    }
    return false;
}

struct Turns {
    std::size_t count = 0;
    std::size_t first_back = 0;
};

// Handoffs that went to and fro without a new result, the newest last. With `is_self` those of an
// agent to itself, which else are only tellings of who has the work now.
Turns turns_of(const LoopState& state, const LoopStep& newest, bool is_self) {
    Turns turns;
    std::uint32_t wanted = newest.call;
    std::uint32_t other = newest.result;
    for (std::size_t back = 0; back < steps_kept(state); ++back) {
        const LoopStep& step = step_back(state, back);
        if (!is_told_handoff(step)) {
            if ((step.marks & is_new) != 0) break;
            continue;
        }
        if (!is_self && step.call == step.result) continue;
        if (step.call != wanted) break;
        turns = {turns.count + 1, back};
        std::swap(wanted, other);
        if ((step.marks & starts_turn) != 0) break;
    }
    return turns;
}

// How deep the work was passed on: back to one on the path ends what lies below.
std::size_t depth_after(LoopState& state, std::uint32_t source, std::uint32_t target) {
    const auto end = [&] {
        return state.path.begin() + state.path_size;
    };
    const auto cut_to = [&](std::uint32_t agent) {
        const auto place = std::find(state.path.begin(), end(), agent);
        if (place == end()) return false;
        state.path_size = static_cast<std::uint8_t>(place - state.path.begin() + 1);
        return true;
    };
    if (!cut_to(source)) {
        state.path[0] = source;
        state.path_size = 1;
    }
    if (!cut_to(target) && state.path_size < loop_path_count)
        state.path[state.path_size++] = target;
    return state.path_size - 1U;
}

void judge_depth(LoopMoment& moment, std::size_t depth) {
    // A key of its own beside the ping-pong, which belongs to the session as a whole.
    constexpr std::uint16_t depth_key = 1;
    LoopState& state = moment.state;
    if (depth <= moment.limits().delegation_depth_max) {
        clear_alarm(state, LoopSignal::handoff_ping_pong, depth_key);
        return;
    }
    LoopSign sign{LoopSignal::handoff_ping_pong, Severity::warning, depth_key};
    sign.count = static_cast<std::uint32_t>(depth);
    sign.first = moment.event.id;
    if (raise_alarm(moment, sign))
        tell(moment, sign, fmt::format("work was handed on {} agents deep", depth));
}

void judge_turns(LoopMoment& moment, const LoopStep& step, std::string_view target) {
    LoopState& state = moment.state;
    const bool is_self = step.call == step.result;
    const Turns turns = turns_of(state, step, is_self);
    const std::size_t warn = moment.limits().handoff_turns_warn;
    // A handoff may be told twice, the second time as one to itself.
    if (turns.count < (is_self ? 2 * warn : warn)) {
        if (!is_self) clear_alarm(state, LoopSignal::handoff_ping_pong, 0);
        return;
    }
    LoopSign sign{LoopSignal::handoff_ping_pong, Severity::warning, 0};
    sign.count = static_cast<std::uint32_t>(turns.count);
    sign.first = id_back(state, turns.first_back);
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        is_self
            ? fmt::format("{} handed to itself {} times with no new result", target, turns.count)
            : fmt::format(
                  "{} and another agent handed to each other {} times with no new result",
                  target,
                  turns.count
              )
    );
}

}  // namespace

void observe_decision(LoopMoment& moment, LoopLane& lane) {
    if (moment.event.decision_chosen == no_text) return;
    LoopStep step;
    step.lane = lane.name;
    step.call = loop_mix(loop_hash(moment.text(moment.event.decision_chosen)), 2);
    push_step(moment.state, step, moment.event.id);
    judge_cycles(moment, lane);
}

void observe_handoff(LoopMoment& moment, LoopLane& lane) {
    const StoryEvent& event = moment.event;
    LoopState& state = moment.state;
    const std::string_view target = handed_agent(moment.text(event.handoff_target));
    if (target.empty()) return;
    const std::uint32_t to = loop_hash(target);
    // Who is not told to give the work away is the one who has it.
    const TextId giver = event.handoff_source != no_text ? event.handoff_source : event.agent_name;
    std::uint32_t from = loop_hash(moment.text(giver));
    if (event.handoff_source == no_text && (from == 0 || from == to)) from = state.holder;
    state.handed_span = span_hash(event);
    LoopStep step;
    step.lane = lane.name;
    step.call = loop_mix(from, to);
    step.result = loop_mix(to, from);
    step.marks = is_handoff;
    if (lane.has_turn) step.marks |= starts_turn;
    if (is_told_again(state, step)) return;
    state.handed_events = 0;
    state.holder = to;
    push_step(state, step, event.id);
    judge_depth(moment, depth_after(state, from, to));
    judge_cycles(moment, lane);
    judge_turns(moment, step, target);
}

}  // namespace spangate
