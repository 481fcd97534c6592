// The parts of diff_sessions(): alignment before the comparison of contents, consequences after it.
// Included by this room's .cc files alone.
#pragma once

#include <vector>

#include "replay/diff.h"
#include "replay/diff_tokens.h"

namespace spangate {

// Rows in the order of both runs; those without a partner are added or removed, all others equal
// as yet.
[[nodiscard]] std::vector<AlignedStep> align_steps(
    const DiffSide& left, const DiffSide& right, Alignment alignment
);

// Sets `carried_from` of the later steps that were given a value which only a diverged result can
// have given them. Needs the rows judged.
void find_carried(const DiffSide& left, const DiffSide& right, std::vector<AlignedStep>& rows);

[[nodiscard]] StatePaths compare_states(const DiffSide& left, const DiffSide& right);

[[nodiscard]] std::vector<OtherBranch> branches_of(
    const DiffSide& left, const DiffSide& right, const std::vector<AlignedStep>& rows
);

}  // namespace spangate
