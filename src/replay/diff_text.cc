#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "replay/columns.h"
#include "replay/diff.h"
#include "replay/display_width.h"
#include "replay/figures.h"
#include "replay/step_view.h"
#include "session/event_line.h"

namespace spangate {
namespace {

constexpr std::size_t columns_max = 100;
constexpr std::size_t agent_columns = 12;
constexpr std::size_t id_columns_max = 40;
constexpr std::size_t words_columns = 17;
constexpr std::size_t indent = 32;  // of what stands under a step

constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view plain = "\x1b[0m";

constexpr std::array<char, 6> marks = {' ', 'a', 'r', 'x', '+', '-'};
constexpr std::array<std::string_view, 6> change_words = {
    "", "other arguments", "other result", "other step", "only in B", "only in A"};
constexpr std::array<std::string_view, 6> change_colours = {"", yellow, yellow, yellow, green, red};

std::size_t place_of(StepChange change) {
    return static_cast<std::size_t>(change);
}

class DiffText {
  public:
    DiffText(
        Timeline& a,
        Timeline& b,
        const SessionDiff& diff,
        const DiffSettings& settings,
        std::ostream& out
    )
        : a_(a),
          b_(b),
          left_(a, view_),
          right_(b, view_),
          diff_(diff),
          settings_(settings),
          out_(out) {}

    void write() {
        head('A', a_);
        head('B', b_);
        verdict();
        if (diff_.is_diverged() || settings_.shows_all) table();
        facts();
        masks();
    }

  private:
    [[nodiscard]] std::string_view style(std::string_view code) const {
        return settings_.has_colours ? code : std::string_view();
    }

    // What is longer than a line goes on in the next one, at blanks.
    void line(std::string_view text, std::size_t begin = 0) {
        std::string shown;
        append_harmless(text, shown);
        std::string_view rest = shown;
        std::string out(begin, ' ');
        while (display_width(rest) > columns_max - out.size()) {
            std::string_view head = rest.substr(0, bytes_within(rest, columns_max - out.size()));
            const std::size_t blank = head.rfind(' ');
            if (blank != std::string_view::npos && blank > 0) head = head.substr(0, blank);
            out_ << out << head << '\n';
            rest.remove_prefix(std::min(rest.size(), head.size() + (blank == 0 ? 0 : 1)));
            out.assign(begin + 2, ' ');
        }
        out_ << out << rest << '\n';
    }

    [[nodiscard]] std::size_t id_columns() const {
        std::size_t columns = 0;
        for (const Timeline* timeline : {&a_, &b_}) {
            std::string shown;
            append_cut(timeline->session_id, id_columns_max, shown);
            columns = std::max(columns, display_width(shown));
        }
        return columns;
    }

    void head(char side, const Timeline& timeline) {
        const Totals& totals = timeline.totals;
        std::string text(1, side);
        text += "  ";
        append_left(timeline.session_id, id_columns(), text);
        fmt::format_to(
            std::back_inserter(text),
            " {} steps  {} errors  {} loops  ${}  {}",
            totals.steps,
            totals.errors,
            totals.loops,
            money_words(totals.cost_usd),
            duration_words(totals.ended_at - totals.started_at)
        );
        out_ << text << '\n';
    }

    void verdict() {
        if (!diff_.is_diverged()) {
            out_ << style(green) << "NO DIVERGENCE" << style(plain) << "  "
                 << fmt::format("{} steps the same\n", diff_.rows.size());
            return;
        }
        const AlignedStep& row = diff_.rows[diff_.first_divergence];
        const std::string text = fmt::format(
            "DIVERGED at {}: {}    similarity {:.2f}, {} of {} steps differ",
            place(row),
            change_words[place_of(row.change)],
            diff_.similarity,
            diff_.edits,
            diff_.rows.size()
        );
        out_ << style(red) << style(bold) << text << style(plain) << '\n';
    }

    static std::string place(const AlignedStep& row) {
        if (row.left == no_index) return fmt::format("step {} of B", row.right + 1);
        if (row.right == no_index) return fmt::format("step {} of A", row.left + 1);
        if (row.left == row.right) return fmt::format("step {}", row.left + 1);
        return fmt::format("step {} of A, {} of B", row.left + 1, row.right + 1);
    }

    // The first divergence with its context on both sides, then every row that differs.
    [[nodiscard]] bool is_shown(std::size_t index) const {
        if (settings_.shows_all || diff_.rows[index].change != StepChange::equal) return true;
        const std::size_t first = diff_.first_divergence;
        const std::size_t context = settings_.context_steps;
        return index + context >= first && index <= first + context;
    }

    void table() {
        std::string heading = "\n      A     B  ";
        append_left("agent", agent_columns, heading);
        out_ << style(dim) << heading << "    what" << style(plain) << '\n';
        std::size_t hidden = 0;
        for (std::size_t i = 0; i < diff_.rows.size(); ++i) {
            if (!is_shown(i)) {
                ++hidden;
                continue;
            }
            if (hidden > 0) fold(hidden);
            hidden = 0;
            show(i);
        }
        if (hidden > 0) fold(hidden);
    }

    void fold(std::size_t hidden) {
        out_ << style(dim) << fmt::format("  ··· {} the same\n", hidden) << style(plain);
    }

    static std::string number(std::uint32_t step) {
        return step == no_index ? "-" : std::to_string(step + 1);
    }

    void show(std::size_t index) {
        const AlignedStep& row = diff_.rows[index];
        const bool has_left = row.left != no_index;
        const Step& step = has_left ? a_.steps[row.left] : b_.steps[row.right];
        const StepViews& views = has_left ? left_ : right_;
        std::string text = index == diff_.first_divergence ? ">" : " ";
        text +=
            row.is_masked && row.change == StepChange::equal ? '~' : marks[place_of(row.change)];
        append_right(number(row.left), 5, text);
        append_right(number(row.right), 6, text);
        text += "  ";
        append_left(views.agent(step), agent_columns, text);
        text += ' ';
        text += views.letter(step);
        text += "  ";
        const std::string_view words = change_words[place_of(row.change)];
        append_left(views.what(step), columns_max - display_width(text) - words_columns, text);
        append_right(words, words_columns, text);
        text.erase(text.find_last_not_of(' ') + 1);
        out_ << style(change_colours[place_of(row.change)]) << text << style(plain) << '\n';
        details(row, index);
    }

    // Where a later difference comes from, as far as equal values tell.
    void origin(const AlignedStep& row, std::size_t index) {
        if (row.carried_from != no_index) {
            line("carried from " + place(diff_.rows[row.carried_from]), indent);
        } else if (index != diff_.first_divergence) {
            line("later difference", indent);
        }
    }

    void details(const AlignedStep& row, std::size_t index) {
        if (row.change == StepChange::equal) return;
        if (row.change != StepChange::changed_result) origin(row, index);
        if (row.change == StepChange::changed && row.right != no_index) {
            line("B: " + right_.what(b_.steps[row.right]), indent);
        }
        for (const StepDifference& difference : row.differences) {
            if (difference.left.empty() && difference.right.empty()) {
                line(difference.what, indent);
                continue;
            }
            line(
                fmt::format(
                    "{}: {} → {}", difference.what, told(difference.left), told(difference.right)
                ),
                indent
            );
        }
    }

    static std::string told(const std::string& value) {
        if (value.empty()) return "(none)";
        std::string shown;
        for (const char c : value) {
            // The mark between a decision's options.
            if (c == '\x1f') {
                shown += ", ";
            } else if (c == '\x01' || c == '\x02') {
                shown += c == '\x01' ? "<id>" : "<time>";
            } else {
                shown += c;
            }
        }
        return shown;
    }

    void fact(std::string_view name, const std::string& left, const std::string& right) {
        std::string text = "  ";
        append_left(name, 22, text);
        append_right(left, 14, text);
        append_right(right, 14, text);
        out_ << text << (left == right ? "" : "   *") << '\n';
    }

    void facts() {
        const Totals& a = a_.totals;
        const Totals& b = b_.totals;
        out_ << '\n'
             << style(dim) << "                                   A             B" << style(plain)
             << '\n';
        fact("steps", std::to_string(a.steps), std::to_string(b.steps));
        fact("model calls", std::to_string(a.inferences), std::to_string(b.inferences));
        fact("tool calls", std::to_string(a.tool_calls), std::to_string(b.tool_calls));
        fact("errors", std::to_string(a.errors), std::to_string(b.errors));
        fact("loops", std::to_string(a.loops), std::to_string(b.loops));
        fact("cost, USD", money_words(a.cost_usd), money_words(b.cost_usd));
        fact(
            "tokens",
            count_words(a.tokens_prompt + a.tokens_completion),
            count_words(b.tokens_prompt + b.tokens_completion)
        );
        fact(
            "duration",
            duration_words(a.ended_at - a.started_at),
            duration_words(b.ended_at - b.started_at)
        );
        const StatePaths& states = diff_.states;
        if (states.left + states.right > 0) {
            fact("states", std::to_string(states.left), std::to_string(states.right));
            line(fmt::format(
                "  state path: the first {} are the same, {} in all",
                states.common_begin,
                states.common
            ));
        }
        for (const OtherBranch& branch : diff_.branches) {
            line(fmt::format(
                "  decision {} took another branch: {} → {}",
                branch.number,
                told(branch.left),
                told(branch.right)
            ));
        }
    }

    void masks() {
        out_ << '\n';
        line(fmt::format("not compared: {}", fmt::join(diff_.masked, "; ")));
        if (diff_.masked_unseen > 0) {
            line(fmt::format(
                "{} steps have other arguments of the same shape: they differ in numbers, ids or "
                "times, and the detail that would tell which is not there to read",
                diff_.masked_unseen
            ));
        }
        if (diff_.uncompared > 0) {
            line(fmt::format(
                "{} contents are there in one run alone and were not compared", diff_.uncompared
            ));
        }
        if (!diff_.has_comparable_digests) {
            line("digests were not compared: the runs are of two tenants or two hash keys");
        }
    }

    Timeline& a_;
    Timeline& b_;
    ReplayView view_;
    StepViews left_;
    StepViews right_;
    const SessionDiff& diff_;
    const DiffSettings& settings_;
    std::ostream& out_;
};

}  // namespace

void write_diff_text(
    Timeline& a,
    Timeline& b,
    const SessionDiff& diff,
    const DiffSettings& settings,
    std::ostream& out
) {
    DiffText(a, b, diff, settings, out).write();
}

}  // namespace spangate
