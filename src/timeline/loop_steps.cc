// Tool calls and states as steps; L2, L5 and L6.
#include <algorithm>

#include <fmt/format.h>

#include "timeline/loop_moment.h"
#include "timeline/loop_rounds.h"
#include "timeline/loop_words.h"

namespace spangate {
namespace {

constexpr double nanos_per_ms = 1e6;
constexpr double nanos_per_s = 1e9;
// Spans that end and begin at about the same moment ran after each other.
constexpr WallNanos overlap_min = 1'000'000;
// Polls that cost money are judged by it from so many on.
constexpr std::uint32_t paid_polls_min = 10;

std::uint16_t shortened(std::uint32_t hash) {
    const auto low = static_cast<std::uint16_t>(hash ^ hash >> 16U);
    return low == 0 && hash != 0 ? 1 : low;
}

// The request that the event answers, if it was told apart from it.
LoopRequest take_request(LoopMoment& moment) {
    const std::uint32_t span = span_hash(moment.event);
    const std::uint32_t call_id = loop_hash(moment.text(moment.event.tool_call_id));
    for (LoopRequest& request : moment.state.requests) {
        const bool is_same = request.span == span || (call_id != 0 && request.call_id == call_id);
        if (request.at == 0 || !is_same) continue;
        return std::exchange(request, LoopRequest{});
    }
    return {};
}

std::uint32_t result_of(const LoopMoment& moment, std::uint16_t failure) {
    const std::uint32_t digest = loop_hash(moment.text(moment.event.result_digest));
    if (digest != 0) return digest;
    return failure == 0 ? 0 : loop_mix(failure, 1);
}

std::uint16_t failure_of(const LoopMoment& moment) {
    const StoryEvent& event = moment.event;
    if (!is_failure(event)) return 0;
    const std::string_view error_class = moment.text(event.error_class);
    if (!error_class.empty()) return loop_short_hash(error_class);
    const auto status = static_cast<std::uint32_t>(std::max<std::int64_t>(event.http_status, 0));
    return shortened(loop_mix(status, static_cast<std::uint32_t>(event.outcome)));
}

bool is_waiting_for_approval(const LoopMoment& moment) {
    return moment.text(moment.event.policy_decision) == "ask" ||
           is_interrupt(moment.text(moment.event.error_class));
}

LoopStep step_of(const LoopMoment& moment, const LoopLane& lane, const LoopRequest& request) {
    const StoryEvent& event = moment.event;
    LoopStep step;
    step.lane = lane.name;
    step.tool = event.tool_name != no_text ? loop_short_hash(moment.text(event.tool_name))
                                           : std::max<std::uint16_t>(request.tool, 1);
    const std::uint32_t args = loop_hash(moment.text(event.args_digest));
    step.call = args != 0 ? loop_mix(args, step.tool) : request.call;
    const std::uint32_t shape = loop_hash(moment.text(event.args_shape_digest));
    step.shape = shape != 0 ? shortened(shape) : request.shape;
    if (is_waiting_for_approval(moment)) {
        step.marks |= is_suspended;
    } else {
        step.failure = failure_of(moment);
    }
    step.result = result_of(moment, step.failure);
    if (event.retry_count > 0) step.marks |= is_retry;
    return step;
}

bool is_known(const LoopState& state, const LoopStep& step) {
    for (std::size_t back = 0; back < steps_kept(state); ++back) {
        const LoopStep& older = step_back(state, back);
        if (older.tool != step.tool || older.result != step.result) continue;
        if (older.call == step.call) return step.result != 0 || step.call != 0;
    }
    return false;
}

bool is_given(const LoopState& state, const LoopStep& step) {
    for (std::size_t back = 0; back < steps_kept(state); ++back) {
        const LoopStep& older = step_back(state, back);
        if (older.tool == step.tool && older.result == step.result) return true;
    }
    return false;
}

// What went on since the lane's last step, as marks and codes of this one.
void note_meanwhile(const LoopMoment& moment, LoopLane& lane, LoopStep& step) {
    LoopState& state = moment.state;
    // Of an agent that is heard to think its own thoughts count, else those of anybody.
    const bool is_named = lane.name != unnamed_lane;
    const std::uint32_t thoughts =
        is_named && lane.has_thought ? lane.own_thoughts : state.thoughts - lane.thoughts_before;
    step.thoughts = static_cast<std::uint8_t>(std::min(thoughts, 255U));
    // Who waits while others think or act may be waiting for them, but for a program.
    const bool is_program = is_named && !lane.has_thought;
    const bool waits_alone = state.thoughts > 0 && (thoughts == 0 || is_program);
    const float shared_idle_ms = std::min(lane.idle_ms, state.idle_ms - lane.session_idle_ms);
    step.pause = coded_pause(waits_alone ? lane.idle_ms : shared_idle_ms);
    step.cost = coded_cost(state.cost_usd - lane.cost_before);
    const bool ran_beside =
        lane.own_thoughts == 0 && start_of(moment.event) + overlap_min < lane.round_end;
    if (ran_beside) step.marks |= joins_round;
    if (lane.has_new_state) step.marks |= after_new_state;
    if (lane.has_turn) step.marks |= starts_turn;
    lane.round_end =
        ran_beside ? std::max(lane.round_end, end_of(moment.event)) : end_of(moment.event);
    lane.thoughts_before = state.thoughts;
    lane.own_thoughts = 0;
    lane.idle_ms = 0;
    lane.session_idle_ms = state.idle_ms;
    lane.cost_before = static_cast<float>(state.cost_usd);
    lane.has_new_state = false;
    lane.has_turn = false;
}

// A call that was put off for an approval and comes again is the same call. True when it was.
bool resume_suspended(LoopState& state, const LoopStep& step) {
    if ((step.marks & is_suspended) != 0) return false;
    for (std::size_t back = 0; back < steps_kept(state); ++back) {
        LoopStep& older = step_back(state, back);
        if (older.lane != step.lane || older.tool == 0) continue;
        const bool is_same = older.tool == step.tool && older.call == step.call;
        if ((older.marks & is_suspended) == 0 || !is_same) return false;
        older.result = step.result;
        older.failure = step.failure;
        older.marks = static_cast<std::uint8_t>((older.marks & ~is_suspended) | is_new);
        return true;
    }
    return false;
}

}  // namespace

void judge_polls(LoopMoment& moment, LoopLane& lane, const LoopStep& step) {
    const LoopThresholds& limits = moment.limits();
    if (step.call == 0 || step.call != lane.poll_call || (step.marks & starts_turn) != 0) {
        lane.poll_call = step.call;
        lane.polls = 0;
        lane.changed_polls = 0;
        lane.polls_since = end_of(moment.event);
        lane.polls_cost_before = static_cast<float>(moment.state.cost_usd);
        clear_alarm(moment.state, LoopSignal::changed_repeat, lane.name);
    }
    ++lane.polls;
    if (lane.polls > 1 && (step.marks & is_new) != 0) ++lane.changed_polls;
    if (2 * lane.changed_polls < lane.polls || lane.polls < 2) return;
    const double seconds =
        static_cast<double>(end_of(moment.event) - lane.polls_since) / nanos_per_s;
    const double cost = moment.state.cost_usd - lane.polls_cost_before;
    const bool is_fast =
        lane.polls > limits.polls_max && lane.polls - 1 > limits.polls_per_second_max * seconds;
    const bool is_dear = lane.polls >= paid_polls_min && cost > limits.polls_cost_usd;
    if (!is_fast && !is_dear && lane.polls <= limits.polls_max) return;
    LoopSign sign{LoopSignal::changed_repeat, Severity::info, lane.name, lane.polls};
    if (is_fast || is_dear) sign.severity = Severity::warning;
    sign.first = id_back(moment.state, lane.polls - 1);
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        fmt::format(
            "{} asked {} times for a result that changes, in {:.0f} s for "
            "${:.2f}",
            moment.text(moment.event.tool_name),
            lane.polls,
            seconds,
            cost
        )
    );
}

void judge_retries(LoopMoment& moment, LoopLane& lane, const LoopStep& step) {
    const std::int64_t told = moment.event.retry_count;
    const std::uint32_t call = step.call != 0 ? step.call : step.tool;
    const bool goes_on = call == lane.retry_call && (step.marks & after_new_state) == 0;
    const bool is_mended = goes_on && step.failure == 0 && step.result != lane.retry_result;
    if (!goes_on || is_mended || !is_told(told)) {
        lane.rises = 0;
        clear_alarm(moment.state, LoopSignal::uncorrected_retry, lane.name);
    }
    const bool rises = goes_on && !is_mended && told > lane.retry_count;
    lane.retry_call = call;
    lane.retry_result = step.result;
    lane.retry_count = static_cast<std::uint16_t>(std::clamp<std::int64_t>(told, 0, 65'535));
    if (!rises) return;
    if (lane.rises < 65'535) ++lane.rises;
    const LoopThresholds& limits = moment.limits();
    LoopRounds rounds(moment.state, lane.name, RoundsOf::calls);
    const bool is_waiting = step.failure != 0 && rounds.has(lane.rises) &&
                            is_backed_off(moment.state, rounds, lane.rises + 1U);
    const bool is_unsure = is_waiting || step.call == 0;
    const std::uint32_t warn = is_unsure ? limits.retries_critical : limits.retries_warn;
    if (lane.rises < warn) return;
    LoopSign sign{LoopSignal::uncorrected_retry, Severity::warning, lane.name, lane.rises};
    if (!is_unsure && lane.rises >= limits.retries_critical) sign.severity = Severity::critical;
    sign.first = id_back(moment.state, lane.rises);
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        fmt::format(
            "{} retried {} times with nothing changed",
            moment.text(moment.event.tool_name),
            sign.count
        )
    );
}

void count_acting_step(LoopState& state, LoopLane& lane, bool is_news) {
    // Calls that name no agent are those of the one that tells its state.
    LoopLane* owner = &lane;
    for (LoopLane& other : state.lanes) {
        const bool is_owner = other.state != 0 && other.name == state.state_lane;
        if (lane.name == unnamed_lane && lane.state == 0 && is_owner) owner = &other;
    }
    if (owner->state == 0) return;
    if (is_news) {
        owner->has_news = true;
    } else if (owner->waiting < 65'535) {
        ++owner->waiting;
    }
}

void observe_state(LoopMoment& moment, LoopLane& lane) {
    const std::uint32_t told = loop_hash(moment.text(moment.event.state_snapshot_hash));
    if (told == 0) return;
    LoopState& state = moment.state;
    state.state_lane = lane.name;
    const std::uint32_t value = loop_mix(told, lane.name);
    if (value == lane.state) {
        lane.frozen = static_cast<std::uint16_t>(std::min(lane.frozen + lane.waiting, 65'535));
        lane.waiting = 0;
    } else {
        const auto kept = std::min<std::size_t>(state.states_count, loop_states_count);
        const bool is_old = std::find(state.states.begin(), state.states.begin() + kept, value) !=
                            state.states.begin() + kept;
        lane.returns = is_old && !lane.has_news ? static_cast<std::uint16_t>(lane.returns + 1) : 0;
        if (!is_old) {
            state.states[state.states_count++ % loop_states_count] = value;
            lane.has_new_state = lane.state != 0;
        }
        lane.state = value;
        lane.frozen = 0;
        lane.waiting = 0;
        lane.has_news = false;
    }
    const LoopThresholds& limits = moment.limits();
    const bool is_frozen = lane.frozen >= limits.frozen_steps_warn;
    if (!is_frozen && lane.returns < 2) {
        clear_alarm(state, LoopSignal::frozen_state, lane.name);
        return;
    }
    LoopSign sign{LoopSignal::frozen_state, Severity::warning, lane.name};
    sign.count = is_frozen ? lane.frozen : lane.returns;
    if (lane.frozen >= limits.frozen_steps_critical) sign.severity = Severity::critical;
    sign.first = steps_kept(state) == 0 ? moment.event.id : id_back(state, sign.count - 1);
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        is_frozen
            ? fmt::format("{} steps brought nothing new and left the state as it was", sign.count)
            : fmt::format("the state came back to an earlier one {} times", sign.count)
    );
}

void observe_tool_call(LoopMoment& moment, LoopLane& lane) {
    LoopState& state = moment.state;
    const LoopRequest request = take_request(moment);
    if (is_sleeping_tool(moment.text(moment.event.tool_name))) {
        const double ms =
            static_cast<double>(end_of(moment.event) - start_of(moment.event)) / nanos_per_ms;
        lane.idle_ms += static_cast<float>(std::max(ms, 0.0));
        state.idle_ms += static_cast<float>(std::max(ms, 0.0));
        return;
    }
    LoopStep step = step_of(moment, lane, request);
    const std::uint32_t span = span_hash(moment.event);
    if (span == state.handed_span) step.marks |= is_handoff;
    note_meanwhile(moment, lane, step);
    // Equal answers to other arguments are no news to a state that does not move.
    const bool is_news = step.failure == 0 && !is_given(state, step);
    if (!resume_suspended(state, step)) {
        if (!is_known(state, step)) step.marks |= is_new;
        push_step(state, step, moment.event.id);
    }
    judge_repeats(moment, lane);
    judge_cycles(moment, lane);
    judge_failures(moment, lane);
    judge_polls(moment, lane, step);
    judge_retries(moment, lane, step);
    count_acting_step(state, lane, is_news);
}

}  // namespace spangate
