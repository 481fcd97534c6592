// The last steps, seen as rounds: calls of one agent that ran beside each other are one round, and
// compare as a multiset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "timeline/loop_state.h"

namespace spangate {

// Appends, and keeps the event's id beside it.
void push_step(LoopState& state, const LoopStep& step, const EventKey& id);

// 0 is the newest; `back` < min(steps_count, loop_steps_count).
[[nodiscard]] LoopStep& step_back(LoopState& state, std::size_t back);
[[nodiscard]] const LoopStep& step_back(const LoopState& state, std::size_t back);
[[nodiscard]] std::size_t steps_kept(const LoopState& state);

// Of the step so far back, else of the oldest step whose id is still kept.
[[nodiscard]] const EventKey& id_back(const LoopState& state, std::size_t back);

struct LoopRound {
    std::uint32_t calls = 0;   // sum over its steps of call
    std::uint32_t pairs = 0;   // of call and result
    std::uint32_t shapes = 0;  // of tool, shape and result
    std::uint32_t forms = 0;   // of tool and shape
    std::uint32_t thoughts = 0;
    std::uint16_t size = 0;
    std::uint8_t marks = 0;  // of any of its steps
    bool has_tools = false;  // not a decision or handoff
    bool has_calls = true;   // all arguments were told
    bool has_results = true;
    bool has_shapes = true;
    bool is_failed = false;  // all of it
    double pause_ms = 0;     // before its first step
    double cost_usd = 0;     // since the round before
    std::size_t back = 0;    // of its oldest step
};

enum class RoundsOf : std::uint8_t { calls, all };

// The rounds of a lane, newest first, put together as far as one looks: most looks end at the
// second. `state` is borrowed.
class LoopRounds {
  public:
    // Tool calls alone or with decisions and handoffs; of every lane with `lane` 0.
    LoopRounds(const LoopState& state, std::uint16_t lane, RoundsOf what)
        : state_(state),
          lane_(lane),
          what_(what) {}

    [[nodiscard]] bool has(std::size_t i);

    // The same, and no person has spoken between it and the newest.
    [[nodiscard]] bool has_in_turn(std::size_t i);

    // has(i) was true.
    [[nodiscard]] const LoopRound& operator[](std::size_t i) const { return rounds_[i]; }

  private:
    bool put_next();

    const LoopState& state_;
    std::uint16_t lane_;
    RoundsOf what_;
    std::size_t next_back_ = 0;
    std::size_t turn_size_ = SIZE_MAX;  // rounds since a person has spoken
    std::vector<LoopRound> rounds_;
};

// Rounds from the newest on that equal it by `sum`, up to where a person has spoken.
[[nodiscard]] std::size_t same_rounds(LoopRounds& rounds, std::uint32_t LoopRound::*sum);

// A block of 2 … period_max rounds that the rounds end with again and again.
struct LoopCycle {
    std::size_t period = 0;
    std::size_t times = 0;
};

[[nodiscard]] LoopCycle cycle_of(
    LoopRounds& rounds, std::uint32_t LoopRound::*sum, std::size_t period_max
);

// Whether time was left before a repeat, as one does who waits for something: some seconds where
// a model thought meanwhile, or may have, and half a second where none did.
[[nodiscard]] bool is_paced(const LoopState& state, const LoopRound& round);

// All of the newest `count` rounds but the first of them, with waits that do not shrink.
[[nodiscard]] bool is_paced_run(const LoopState& state, LoopRounds& rounds, std::size_t count);

// As is_paced_run() of failures that waiting mends: shorter waits count too where they grow.
[[nodiscard]] bool is_backed_off(const LoopState& state, LoopRounds& rounds, std::size_t count);

}  // namespace spangate
