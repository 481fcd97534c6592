// L1 … L12 over one session's events, in the order in which they come: the same code tells the
// guard while a session runs (spans at their end, parents last) and the replay afterwards (by
// time), and both tell the same. State is bounded, at most 3.3 KB a session (loop_state.h), and can
// be saved. One thread. What each signal means, and what is let pass: timeline/loops.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "timeline/finding.h"
#include "timeline/story_event.h"

namespace spangate {

// One telling of a signal. Told when its threshold is crossed and again when its severity rises or
// `repeats` doubles, never at each step.
struct LoopTelling {
    LoopSignal signal = LoopSignal::no_progress_repeat;
    Severity severity = Severity::warning;
    EventKey first_event_id{};
    EventKey last_event_id{};
    WallNanos at = 0;  // of the event that completed it
    std::uint32_t repeats = 0;
    double cost_so_far_usd = 0;  // of the session
    double projected_usd = no_real;
    std::string text;  // a sentence for people; names and numbers, no content
};

// A signal that was told goes on, and is not told again yet: for who wants to know where it ends.
struct LoopGrowth {
    LoopSignal signal = LoopSignal::no_progress_repeat;
    EventKey first_event_id{};  // as it was told
    EventKey last_event_id{};
    std::uint32_t repeats = 0;
};

class LoopDetector {
  public:
    // Outlived by `config`.
    explicit LoopDetector(const GuardConfig& config);
    ~LoopDetector();
    LoopDetector(LoopDetector&&) noexcept;
    LoopDetector& operator=(LoopDetector&&) noexcept;

    // Appends what this event completes. An event seen before (by id, among the last ones) is
    // passed over.
    void observe(
        const StoryEvent& event,
        const TextPool& texts,
        std::vector<LoopTelling>& told,
        std::vector<LoopGrowth>* grown = nullptr
    );

    // What time alone tells: silence, a budget that runs out.
    void tick(WallNanos now, std::vector<LoopTelling>& told);

    // Worst severity of the signals that still hold.
    [[nodiscard]] Severity standing() const;

    [[nodiscard]] WallNanos last_event_at() const;
    [[nodiscard]] double cost_usd() const;

    // Bytes that restore() makes the same detector of; versioned.
    [[nodiscard]] std::string save() const;
    [[nodiscard]] static Result<LoopDetector> restore(
        const GuardConfig& config, std::string_view saved
    );

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
