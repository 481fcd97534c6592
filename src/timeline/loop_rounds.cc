#include "timeline/loop_rounds.h"

#include <algorithm>

#include "timeline/loop_words.h"

namespace spangate {
namespace {

constexpr double thinking_pause_min_ms = 5'000;
constexpr double polling_pause_min_ms = 500;
constexpr double backoff_pause_min_ms = 100;
constexpr double backoff_growth_min = 1.4;
constexpr double pause_shrink_max = 0.5;
constexpr std::uint32_t handoff_salt = 0x68616e64;

// A wait that is as long as the one before, or longer by the usual factors of a backoff.
bool is_even(double ratio) {
    return (ratio > 0.85 && ratio < 1.15) || (ratio > 1.35 && ratio < 2.2);
}

void add_step(LoopRound& round, const LoopStep& step, std::size_t number) {
    const bool is_call = step.tool != 0;
    // A call whose arguments were not told equals no other.
    const std::uint32_t call =
        step.call != 0 ? step.call : loop_mix(static_cast<std::uint32_t>(number), step.tool);
    round.calls += loop_mix(call, step.tool);
    round.pairs += loop_mix(call, step.result ^ (is_call ? 0 : handoff_salt));
    round.shapes += loop_mix(std::uint32_t{step.shape} << 16U | step.tool, step.result);
    round.forms += loop_mix(step.shape, step.tool);
    round.marks |= step.marks;
    round.has_tools = round.has_tools || is_call;
    round.has_calls = round.has_calls && step.call != 0;
    round.has_results = round.has_results && (step.result != 0 || !is_call);
    round.has_shapes = round.has_shapes && step.shape != 0;
    round.is_failed = (round.size == 0 || round.is_failed) && step.failure != 0;
    round.cost_usd += coded_cost_usd(step.cost);
    round.thoughts += step.thoughts;
    ++round.size;
}

}  // namespace

void push_step(LoopState& state, const LoopStep& step, const EventKey& id) {
    state.steps[state.steps_count % loop_steps_count] = step;
    state.ids[state.steps_count % loop_ids_count] = id;
    ++state.steps_count;
}

LoopStep& step_back(LoopState& state, std::size_t back) {
    return state.steps[(state.steps_count - 1 - back) % loop_steps_count];
}

const LoopStep& step_back(const LoopState& state, std::size_t back) {
    return state.steps[(state.steps_count - 1 - back) % loop_steps_count];
}

std::size_t steps_kept(const LoopState& state) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(state.steps_count, loop_steps_count));
}

const EventKey& id_back(const LoopState& state, std::size_t back) {
    const std::size_t kept =
        std::min<std::size_t>({back, loop_ids_count - 1, steps_kept(state) - 1});
    return state.ids[(state.steps_count - 1 - kept) % loop_ids_count];
}

// Ends at the step that ran beside no older one.
bool LoopRounds::put_next() {
    LoopRound round;
    std::uint16_t lane = 0;
    for (; next_back_ < steps_kept(state_); ++next_back_) {
        const LoopStep& step = step_back(state_, next_back_);
        if (lane_ != 0 && step.lane != lane_) continue;
        if (what_ == RoundsOf::calls && step.tool == 0) continue;
        // Only calls of one lane, next to each other, are one round.
        if (round.size != 0 && (step.lane != lane || step.tool == 0)) break;
        lane = step.lane;
        add_step(round, step, (state_.steps_count - next_back_) % loop_steps_count);
        round.back = next_back_;
        round.pause_ms = pause_ms(step.pause);
        if ((step.marks & joins_round) == 0) {
            ++next_back_;
            break;
        }
    }
    if (round.size == 0) return false;
    if (rounds_.empty()) rounds_.reserve(loop_steps_count / 4);
    rounds_.push_back(round);
    if ((round.marks & starts_turn) != 0 && turn_size_ == SIZE_MAX) turn_size_ = rounds_.size();
    return true;
}

bool LoopRounds::has(std::size_t i) {
    while (rounds_.size() <= i) {
        if (!put_next()) return false;
    }
    return true;
}

bool LoopRounds::has_in_turn(std::size_t i) {
    return has(i) && i < turn_size_;
}

std::size_t same_rounds(LoopRounds& rounds, std::uint32_t LoopRound::*sum) {
    if (!rounds.has(0)) return 0;
    std::size_t count = 1;
    while (rounds.has_in_turn(count) && rounds[count].*sum == rounds[0].*sum &&
           rounds[count].size == rounds[0].size)
        ++count;
    return count;
}

LoopCycle cycle_of(LoopRounds& rounds, std::uint32_t LoopRound::*sum, std::size_t period_max) {
    LoopCycle best;
    for (std::size_t period = 1; period <= period_max; ++period) {
        std::size_t matched = 0;
        while (rounds.has_in_turn(matched + period) &&
               rounds[matched].*sum == rounds[matched + period].*sum)
            ++matched;
        const std::size_t times = matched / period + 1;
        if (times < 2) continue;
        if (period == 1 && times >= 3) return {1, times};
        if (period > 1 && times > best.times) best = {period, times};
    }
    return best;
}

bool is_paced(const LoopState& state, const LoopRound& round) {
    const bool may_have_thought = round.thoughts > 0 || state.thoughts == 0;
    return round.pause_ms >= (may_have_thought ? thinking_pause_min_ms : polling_pause_min_ms);
}

bool is_paced_run(const LoopState& state, LoopRounds& rounds, std::size_t count) {
    for (std::size_t i = 0; i + 1 < count; ++i) {
        const double pause = rounds[i].pause_ms;
        const double older = i + 2 < count ? rounds[i + 1].pause_ms : 0;
        if (pause >= thinking_pause_min_ms) continue;
        if (older > 0 && pause < pause_shrink_max * older) return false;
        if (is_paced(state, rounds[i])) continue;
        // Where no model is heard, a program's waits are known by being even, or growing evenly.
        const bool may_be_program = state.thoughts == 0 && rounds[i].size == 1;
        if (!may_be_program || pause < polling_pause_min_ms) return false;
        if (older > 0 && !is_even(pause / older)) return false;
    }
    return true;
}

bool is_backed_off(const LoopState& state, LoopRounds& rounds, std::size_t count) {
    if (is_paced_run(state, rounds, count)) return true;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        if (rounds[i].pause_ms < backoff_pause_min_ms || rounds[i].thoughts > 0) return false;
        const bool has_older = i + 2 < count;
        if (has_older && rounds[i].pause_ms < backoff_growth_min * rounds[i + 1].pause_ms)
            return false;
    }
    return true;
}

}  // namespace spangate
