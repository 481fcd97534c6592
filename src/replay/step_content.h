// What went into a step and what came out, found in its detail record or in its evidence. The keys
// are those of `content_roles` in config/conventions.yaml; a test holds the two together.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "timeline/timeline.h"

namespace spangate {

struct FoundContent {
    std::string input;   // a text as it is; anything else as JSON
    std::string output;  // several parts of one side: a JSON array or object
    std::string error;

    [[nodiscard]] bool is_empty() const { return input.empty() && output.empty() && error.empty(); }
};

// One thread.
class StepContentFinder {
  public:
    StepContentFinder();
    ~StepContentFinder();
    StepContentFinder(const StepContentFinder&) = delete;
    StepContentFinder& operator=(const StepContentFinder&) = delete;

    // Of a detail record; nothing when it is no JSON object.
    [[nodiscard]] FoundContent in_detail(std::string_view json, StepKind kind);

    // Of the `parts` of evidence.
    [[nodiscard]] FoundContent in_parts(std::string_view json);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
