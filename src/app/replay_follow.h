// `spangate replay --follow`: the story so far, then each step when its events come; and what all
// commands of replay share.
#pragma once

#include "app/reading_commands.h"
#include "app/reading_place.h"
#include "app/replay_plan.h"

namespace spangate {

// Until SIGINT or SIGTERM, or until nobody reads the output. Steps come in the order in which they
// arrive: one that belongs further up is marked. Findings come once, when they are found.
[[nodiscard]] ExitCode follow_replay(
    const ReadingPlace& place, const ReplayArguments& arguments, const ReplayPlan& plan
);

// By the worst finding.
[[nodiscard]] ExitCode verdict_of(const Timeline& timeline);

[[nodiscard]] TimelineSettings settings_of(
    const ReadingPlace& place, const ReplayArguments& arguments, const ReplayPlan& plan
);

// --budget, where the events tell none.
void apply_budget(const ReplayArguments& arguments, Timeline& timeline);

}  // namespace spangate
