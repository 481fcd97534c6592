// What one event adds to the sums of its session, told while events stream by: the rule of
// timeline/README.md «What a step is», as far as it can be told without the whole session. The
// events of one span come one after another; a request and a response told apart are joined by the
// call's id or the span.
#pragma once

#include <cstdint>
#include <vector>

#include "report/run_sums.h"
#include "timeline/story_event.h"

namespace spangate {

// Of one session.
class StepCounter {
  public:
    // The events' usage is taken as it is told; whoever adds up removes doubles across gateways.
    [[nodiscard]] RunSums count(const StoryEvent& event, const TextPool& texts);

    // Calls that were asked for and runs that were started, and neither ended.
    [[nodiscard]] std::uint64_t unfinished() const { return open_.size() + open_runs_.size(); }

    // A session with more at once is not told apart any more: the oldest is taken for finished.
    static constexpr std::size_t open_max = 256;

  private:
    [[nodiscard]] bool begins_step(const StoryEvent& event, const TextPool& texts);
    [[nodiscard]] bool answers_open_call(const StoryEvent& event, const TextPool& texts);
    void open_call(const StoryEvent& event, const TextPool& texts);
    void follow_runs(const StoryEvent& event, const TextPool& texts);
    void count_failure(const StoryEvent& event, RunSums& sums);

    std::vector<std::uint64_t> open_;        // calls: hashes of what pairs them
    std::vector<std::uint64_t> open_runs_;   // runs: the same
    std::vector<std::uint64_t> told_items_;  // primary events whose span has told a step already
    EventKey item_{};                        // primary event of the span told last
    EventKey asked_in_{};                    // primary event of the request told last
    bool item_has_failed_ = false;
    bool item_is_run_ = false;
};

// Milliseconds that a step took by its own clock.
[[nodiscard]] double duration_ms_of(const StoryEvent& event);

// Adds what `event` tells of tokens and cost.
void add_usage(const StoryEvent& event, RunSums& sums);

}  // namespace spangate
