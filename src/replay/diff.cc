#include "replay/diff.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/diff_parts.h"
#include "replay/diff_tokens.h"

namespace spangate {
namespace {

constexpr std::size_t differences_kept_max = 8;  // of a row
constexpr std::size_t difference_bytes_max = 160;

std::string shortened(std::string_view text) {
    std::string head(utf8_prefix(text, difference_bytes_max));
    if (head.size() < text.size()) head += "…";
    return head;
}

// Says of each pair of steps what differs.
class Comparison {
  public:
    Comparison(const DiffSide& left, const DiffSide& right, SessionDiff& diff)
        : left_(left),
          right_(right),
          mask_(left.values(), right.values()),
          diff_(diff) {}

    void judge(AlignedStep& row) {
        if (row.left == no_index || row.right == no_index) {
            row.has_other_result = true;
            return;
        }
        if (facts_differ(row, left_.deed(row.left), right_.deed(row.right))) {
            row.change = StepChange::changed;
            row.has_other_result = true;
            return;
        }
        const StepContent a = left_.content(row.left);
        const StepContent b = right_.content(row.right);
        bool asked_otherwise = facts_differ(row, left_.asked(row.left), right_.asked(row.right));
        asked_otherwise |= inputs_differ(row, a.input, b.input);
        row.has_other_result = facts_differ(row, left_.got(row.left), right_.got(row.right));
        row.has_other_result |= outputs_differ(row, a.output, b.output);
        row.change = asked_otherwise        ? StepChange::changed_arguments
                     : row.has_other_result ? StepChange::changed_result
                                            : StepChange::equal;
    }

    [[nodiscard]] std::vector<std::string> masked() const {
        std::vector<std::string> told = {
            "event, trace, span and run ids",
            "clock times and durations",
            "token counts and costs"};
        for (std::string& noise : mask_.told())
            told.push_back(std::move(noise));
        return told;
    }

  private:
    static bool facts_differ(AlignedStep& row, const StepFacts& a, const StepFacts& b) {
        bool differ = false;
        for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
            if (a[i].second == b[i].second) continue;
            differ = true;
            add(row, std::string(a[i].first), a[i].second, b[i].second);
        }
        return differ;
    }

    static void add(
        AlignedStep& row, std::string what, std::string_view left, std::string_view right
    ) {
        if (row.differences.size() == differences_kept_max) return;
        row.differences.push_back({std::move(what), shortened(left), shortened(right)});
    }

    bool inputs_differ(AlignedStep& row, std::string_view a, std::string_view b) {
        const std::string_view left = left_.args_digest(row.left);
        const std::string_view right = right_.args_digest(row.right);
        if (!left.empty() && left == right) return false;
        if (!a.empty() && !b.empty()) return contents_differ(row, "input", a, b, left != right);
        if (left.empty() || right.empty()) return one_sided(row, "input", a, b);
        const std::string_view shape = left_.args_shape_digest(row.left);
        if (!shape.empty() && shape == right_.args_shape_digest(row.right)) {
            ++diff_.masked_unseen;
            row.is_masked = true;
            return false;
        }
        add(row, "input digest", left, right);
        return true;
    }

    bool outputs_differ(AlignedStep& row, std::string_view a, std::string_view b) {
        const std::string_view left = left_.result_digest(row.left);
        const std::string_view right = right_.result_digest(row.right);
        if (!left.empty() && left == right) return false;
        if (!a.empty() && !b.empty()) return contents_differ(row, "output", a, b, left != right);
        if (left.empty() || right.empty()) return one_sided(row, "output", a, b);
        add(row, "output digest", left, right);
        return true;
    }

    // Contents are redacted: where the digests say that they differ and nothing is seen to, what
    // differs has been redacted.
    bool contents_differ(
        AlignedStep& row,
        const std::string& where,
        std::string_view a,
        std::string_view b,
        bool digests_differ
    ) {
        std::vector<ContentDifference> found;
        const std::vector<ContentValue> left = reader_.values_of(a);
        const ContentMatch match = mask_.compare(left, reader_.values_of(b), found);
        for (const ContentDifference& difference : found) {
            const std::string path = difference.path.empty() ? "" : " " + difference.path;
            add(row, where + path, difference.left, difference.right);
        }
        if (match == ContentMatch::noise) row.is_masked = true;
        if (match != ContentMatch::equal || !digests_differ) {
            return match == ContentMatch::different;
        }
        add(row, where + ", in what is redacted", "", "");
        return true;
    }

    // A run whose detail is gone tells nothing about content; that is no difference of the runs.
    bool one_sided(
        AlignedStep& row, const std::string& where, std::string_view a, std::string_view b
    ) {
        if (a.empty() == b.empty()) return false;
        const Step& without = a.empty() ? left_.step(row.left) : right_.step(row.right);
        if (without.detail == no_detail) {
            ++diff_.uncompared;
            return false;
        }
        add(row, where, a, b);
        return true;
    }

    const DiffSide& left_;
    const DiffSide& right_;
    NoiseMask mask_;
    SessionDiff& diff_;
    ContentReader reader_;
};

}  // namespace

SessionDiff diff_sessions(Timeline& a, Timeline& b, const DiffSettings& settings) {
    SessionDiff diff;
    diff.has_comparable_digests = have_comparable_digests(a, b);
    const DiffSide left(a, diff.has_comparable_digests);
    const DiffSide right(b, diff.has_comparable_digests);
    diff.rows = align_steps(left, right, settings.alignment);
    Comparison comparison(left, right, diff);
    for (std::uint32_t i = 0; i < diff.rows.size(); ++i) {
        comparison.judge(diff.rows[i]);
        if (diff.rows[i].change == StepChange::equal) continue;
        ++diff.edits;
        if (diff.first_divergence == no_index) diff.first_divergence = i;
    }
    diff.masked = comparison.masked();
    const std::size_t steps_max = std::max(a.steps.size(), b.steps.size());
    if (steps_max > 0) {
        // Added and removed steps together may be more than the longer run has.
        const double share = static_cast<double>(diff.edits) / static_cast<double>(steps_max);
        diff.similarity = std::max(0.0, 1.0 - share);
    }
    if (diff.is_diverged()) find_carried(left, right, diff.rows);
    diff.branches = branches_of(left, right, diff.rows);
    diff.states = compare_states(left, right);
    return diff;
}

}  // namespace spangate
