// What a step is compared by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replay/diff.h"
#include "replay/diff_noise.h"
#include "replay/step_view.h"
#include "timeline/timeline.h"

namespace spangate {

// Hashes; 0: not told.
struct StepToken {
    std::uint64_t kind = 0;
    std::uint64_t structure = 0;  // kind, and tool or agent
    std::uint64_t input = 0;
    std::uint64_t input_shape = 0;
    std::uint64_t output = 0;  // with the outcome
    std::uint64_t state = 0;   // after the step
};

// Facts of a step by name, beside its content.
using StepFacts = std::vector<std::pair<std::string_view, std::string>>;

// One of the two runs.
class DiffSide {
  public:
    // Reads every step's content once. `has_digests`: those of both runs may be compared.
    DiffSide(Timeline& timeline, bool has_digests);

    [[nodiscard]] const std::vector<StepToken>& tokens() const { return tokens_; }

    [[nodiscard]] const RunValues& values() const { return values_; }

    [[nodiscard]] StepContent content(std::uint32_t step) const;

    [[nodiscard]] const Step& step(std::uint32_t index) const { return timeline_.steps[index]; }

    // Of the step's request or response, whichever tells it; empty when none may be compared.
    [[nodiscard]] std::string_view args_digest(std::uint32_t step) const;
    [[nodiscard]] std::string_view args_shape_digest(std::uint32_t step) const;
    [[nodiscard]] std::string_view result_digest(std::uint32_t step) const;

    // Who did what: kind, tool, agent.
    [[nodiscard]] StepFacts deed(std::uint32_t step) const;
    // What was asked for, and what came of it.
    [[nodiscard]] StepFacts asked(std::uint32_t step) const;
    [[nodiscard]] StepFacts got(std::uint32_t step) const;

    [[nodiscard]] std::string_view chosen(std::uint32_t step) const;

    [[nodiscard]] const Timeline& timeline() const { return timeline_; }

  private:
    [[nodiscard]] std::string_view told(std::uint32_t step, TextId StoryEvent::*field) const;
    [[nodiscard]] StepToken token_of(std::uint32_t step, ContentReader& reader);

    Timeline& timeline_;
    ReplayView view_;
    StepViews views_;
    bool has_digests_;
    RunValues values_;
    std::vector<StepToken> tokens_;
};

// Whether a digest of one run equals the other's exactly when what was digested does.
[[nodiscard]] bool have_comparable_digests(const Timeline& a, const Timeline& b);

}  // namespace spangate
