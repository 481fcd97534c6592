// `spangate diff A B`: where two runs part, and what followed from it.
//
// A step is a token: kind, tool or agent, arguments, outcome. Tokens are aligned by their longest
// common subsequence, first those that agree in everything, then, in what is left between them,
// those with the same arguments, with arguments of the same shape, of the same tool, of the same
// kind. What differs in each run without a meaning is set aside, and told (diff_noise.h).
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "timeline/timeline.h"

namespace spangate {

enum class Alignment : std::uint8_t { tool_args, state, position };
enum class StepChange : std::uint8_t {
    equal,
    changed_arguments,
    changed_result,
    changed,
    added,
    removed
};
inline constexpr std::array<std::string_view, 6> step_change_names = {
    "equal", "changed_arguments", "changed_result", "changed", "added", "removed"};

// One thing that two aligned steps tell differently.
struct StepDifference {
    std::string what;  // «outcome», «input items[2].price», «output», …
    std::string left;  // empty: not told
    std::string right;
};

struct AlignedStep {
    std::uint32_t left = no_index;   // step of A; no_index: added in B
    std::uint32_t right = no_index;  // step of B; no_index: removed in B
    StepChange change = StepChange::equal;
    // Row whose differing result this step's arguments repeat a value of. Told by equal values
    // alone; any other later difference is a later difference and nothing more.
    std::uint32_t carried_from = no_index;
    bool has_other_result = false;  // also where the arguments differ
    bool is_masked = false;         // equal but for noise
    std::vector<StepDifference> differences;
};

// A decision that was taken in both runs and not the same way.
struct OtherBranch {
    std::uint32_t row = 0;
    std::uint32_t number = 0;  // of the decision among A's, from 1
    std::string left;
    std::string right;
};

// The states that a run went through, one after the other.
struct StatePaths {
    std::uint32_t left = 0;
    std::uint32_t right = 0;
    std::uint32_t common_begin = 0;  // the same from the start
    std::uint32_t common = 0;        // in the same order, with others between
};

struct SessionDiff {
    std::vector<AlignedStep> rows;
    std::uint32_t first_divergence = no_index;  // row
    double similarity = 1.0;                    // 1 − edits ÷ the longer one's steps
    std::uint64_t edits = 0;
    std::vector<std::string> masked;  // what was not compared: ids, times, …
    std::vector<OtherBranch> branches;
    StatePaths states;
    bool has_comparable_digests = true;  // of one tenant under one key
    std::uint64_t masked_unseen = 0;     // arguments equal in shape, and their detail is not there
    std::uint64_t uncompared = 0;        // steps of which one run tells content and one does not

    [[nodiscard]] bool is_diverged() const { return first_divergence != no_index; }
};

struct DiffSettings {
    Alignment alignment = Alignment::tool_args;
    std::uint32_t context_steps = 3;
    bool shows_all = false;
    bool has_colours = false;
};

[[nodiscard]] SessionDiff diff_sessions(Timeline& a, Timeline& b, const DiffSettings& settings);

void write_diff_text(
    Timeline& a,
    Timeline& b,
    const SessionDiff& diff,
    const DiffSettings& settings,
    std::ostream& out
);
// One object, version 1; members may be added, never renamed. Steps and rows count from 1.
//   spangate_diff 1 · a, b {tenant_id, session_id, steps, inferences, tool_calls, errors, loops,
//   tokens_prompt, tokens_completion, cost_usd, started_at, ended_at, duration_ms} · diverged ·
//   first_divergence: a row or null · similarity · edits · rows_count · branches [{row, decision, a,
//   b}] · state_path {a, b, common_begin, common} · masked [sentences] · same_shape_unseen ·
//   uncompared · digests_compared · rows: those that differ, all with `shows_all`
//   row: row · change · a, b {step, event_id, kind, agent, what} or null · masked · carried_from
//   (a row) · differences [{what, a, b}]
void write_diff_json(
    Timeline& a,
    Timeline& b,
    const SessionDiff& diff,
    const DiffSettings& settings,
    std::ostream& out
);

}  // namespace spangate
