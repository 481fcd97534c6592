#include <algorithm>

#include "replay/diff_align.h"
#include "replay/diff_noise.h"
#include "replay/diff_parts.h"

namespace spangate {
namespace {

// Which later steps were given a value that only a diverged result can have given them.
class CarriedSearch {
  public:
    CarriedSearch(const DiffSide& left, const DiffSide& right, std::vector<AlignedStep>& rows)
        : left_{left, right, rows_of(rows, &AlignedStep::left, left.tokens().size())},
          right_{right, left, rows_of(rows, &AlignedStep::right, right.tokens().size())},
          rows_(rows) {}

    void run() {
        for (AlignedStep& row : rows_) {
            if (row.change == StepChange::equal || row.change == StepChange::changed_result) {
                continue;
            }
            if (row.right != no_index) row.carried_from = origin(right_, row.right);
            if (row.carried_from == no_index && row.left != no_index) {
                row.carried_from = origin(left_, row.left);
            }
        }
    }

  private:
    struct View {
        const DiffSide& own;
        const DiffSide& other;
        std::vector<std::uint32_t> rows;  // by step
    };

    static std::vector<std::uint32_t> rows_of(
        const std::vector<AlignedStep>& rows,
        std::uint32_t AlignedStep::*side,
        std::size_t steps_count
    ) {
        std::vector<std::uint32_t> by_step(steps_count, no_index);
        for (std::uint32_t i = 0; i < rows.size(); ++i) {
            if (rows[i].*side != no_index) by_step[rows[i].*side] = i;
        }
        return by_step;
    }

    [[nodiscard]] std::uint32_t origin(const View& view, std::uint32_t step) {
        for (const ContentValue& value : reader_.values_of(view.own.content(step).input)) {
            const std::uint32_t row = origin_of(view, step, value.text);
            if (row != no_index) return row;
            for (const std::string& id : bare_text_of(value.text).ids) {
                const std::uint32_t row_of_id = origin_of(view, step, id);
                if (row_of_id != no_index) return row_of_id;
            }
        }
        return no_index;
    }

    [[nodiscard]] std::uint32_t origin_of(
        const View& view, std::uint32_t step, std::string_view value
    ) const {
        const RunValues::Place* const place = view.own.values().first(value);
        if (place == nullptr || !place->is_output || place->step >= step) return no_index;
        const std::uint32_t row = view.rows[place->step];
        const bool is_diverged = row != no_index && rows_[row].change != StepChange::equal &&
                                 rows_[row].has_other_result;
        // What the other run knows as well did not come from where they differ.
        if (!is_diverged || view.other.values().first(value) != nullptr) return no_index;
        return row;
    }

    View left_;
    View right_;
    std::vector<AlignedStep>& rows_;
    ContentReader reader_;
};

std::vector<std::uint64_t> states_of(const DiffSide& side) {
    std::vector<std::uint64_t> states;
    const std::vector<Step>& steps = side.timeline().steps;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].state_after == no_text) continue;
        const std::uint64_t state = side.tokens()[i].state;
        if (states.empty() || states.back() != state) states.push_back(state);
    }
    return states;
}

}  // namespace

void find_carried(const DiffSide& left, const DiffSide& right, std::vector<AlignedStep>& rows) {
    CarriedSearch(left, right, rows).run();
}

StatePaths compare_states(const DiffSide& left, const DiffSide& right) {
    const std::vector<std::uint64_t> a = states_of(left);
    const std::vector<std::uint64_t> b = states_of(right);
    StatePaths paths;
    paths.left = static_cast<std::uint32_t>(a.size());
    paths.right = static_cast<std::uint32_t>(b.size());
    const auto parting = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    paths.common_begin = static_cast<std::uint32_t>(parting.first - a.begin());
    paths.common = static_cast<std::uint32_t>(common_tokens(a, b).size());
    return paths;
}

std::vector<OtherBranch> branches_of(
    const DiffSide& left, const DiffSide& right, const std::vector<AlignedStep>& rows
) {
    std::vector<OtherBranch> branches;
    std::uint32_t number = 0;
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
        const AlignedStep& row = rows[i];
        if (row.left == no_index || left.step(row.left).kind != StepKind::decision) continue;
        ++number;
        if (row.right == no_index || right.step(row.right).kind != StepKind::decision) continue;
        const std::string_view a = left.chosen(row.left);
        const std::string_view b = right.chosen(row.right);
        if (a != b) branches.push_back({i, number, std::string(a), std::string(b)});
    }
    return branches;
}

}  // namespace spangate
