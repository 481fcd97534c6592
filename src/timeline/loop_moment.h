// One event on its way through the loop detector, and the alarms it may raise. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "timeline/loop_detector.h"
#include "timeline/loop_state.h"
#include "timeline/story_event.h"

namespace spangate {

// What an event is looked at with; everything is borrowed for the call.
struct LoopMoment {
    const GuardConfig& config;
    LoopState& state;
    const StoryEvent& event;
    const TextPool& texts;
    std::vector<LoopTelling>& told;
    std::vector<LoopGrowth>* grown = nullptr;  // of signals that hold and are not told again

    [[nodiscard]] const LoopThresholds& limits() const { return config.loops; }

    [[nodiscard]] std::string_view text(TextId id) const { return texts[id]; }
};

struct LoopSign {
    LoopSignal signal = LoopSignal::no_progress_repeat;
    Severity severity = Severity::warning;
    std::uint16_t key = 0;  // a lane's name; 0: the session
    std::uint32_t count = 0;
    EventKey first{};
    double projected_usd = no_real;
};

// Notes that the sign holds. True when it is to be told: it is new, worse than when it was told
// last, or twice as often.
[[nodiscard]] bool raise_alarm(LoopState& state, const LoopSign& sign);
[[nodiscard]] bool raise_alarm(LoopMoment& moment, const LoopSign& sign);
void clear_alarm(LoopState& state, LoopSignal signal, std::uint16_t key);
[[nodiscard]] const LoopAlarm* find_alarm(
    const LoopState& state, LoopSignal signal, std::uint16_t key
);

// The telling of a sign at this moment; `text` says what it is about.
void tell(LoopMoment& moment, const LoopSign& sign, std::string text);

// Of the event: its end, else its time.
[[nodiscard]] WallNanos end_of(const StoryEvent& event);
[[nodiscard]] WallNanos start_of(const StoryEvent& event);
[[nodiscard]] std::uint32_t span_hash(const StoryEvent& event);
[[nodiscard]] bool is_failure(const StoryEvent& event);

// The lane of the event's agent; the one used longest ago makes room.
[[nodiscard]] LoopLane& lane_of(LoopMoment& moment);

// L1 to L7 of a finished tool call; `step` is then among the last steps.
void observe_tool_call(LoopMoment& moment, LoopLane& lane);

// What repeats among the last steps, after one was added or its result became known.
void judge_repeats(LoopMoment& moment, const LoopLane& lane);
void judge_cycles(LoopMoment& moment, const LoopLane& lane);
void judge_failures(LoopMoment& moment, const LoopLane& lane);
void judge_polls(LoopMoment& moment, LoopLane& lane, const LoopStep& step);
void judge_retries(LoopMoment& moment, LoopLane& lane, const LoopStep& step);

// L5.
void observe_state(LoopMoment& moment, LoopLane& lane);
void count_acting_step(LoopState& state, LoopLane& lane, bool is_news);

// L8, and the steps that planners and handoffs are.
void observe_decision(LoopMoment& moment, LoopLane& lane);
void observe_handoff(LoopMoment& moment, LoopLane& lane);

// L9, L10, L11, L12.
void observe_spend(LoopMoment& moment);
void observe_prompt(LoopMoment& moment, LoopLane& lane);
void observe_budget(LoopMoment& moment, LoopLane& lane);
void judge_silence(
    const GuardConfig& config, LoopState& state, WallNanos now, std::vector<LoopTelling>& told
);

}  // namespace spangate
