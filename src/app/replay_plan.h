// What a command line of `spangate replay` asks for, checked.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "app/reading_commands.h"
#include "base/result.h"
#include "replay/replay.h"

namespace spangate {

// First and last step, from 1.
using StepRange = std::pair<std::uint32_t, std::uint32_t>;

// «7», «3..9», «3..», «..9» or «all».
[[nodiscard]] Result<StepRange> step_range_from(const std::string& option, const std::string& text);

struct ReplayPlan {
    ReplayFormat format = ReplayFormat::text;
    ReplayView view;
    bool reads_details = true;  // input and output are shown, or searched
};

// invalid_argument: the message names the option.
[[nodiscard]] Result<ReplayPlan> plan_replay(const ReplayArguments& arguments);

}  // namespace spangate
