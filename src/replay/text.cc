// The steps as lines for people: one a step, repeated ones folded, findings at their place.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "replay/display_width.h"
#include "replay/figures.h"
#include "replay/replay.h"
#include "replay/step_view.h"
#include "replay/text_page.h"
#include "replay/text_step.h"
#include "replay/text_summary.h"

namespace spangate {
namespace {

// Columns, in characters; 0: not shown.
struct Layout {
    std::size_t number = 4;
    std::size_t time = 7;
    std::size_t agent = 9;
    std::size_t what = 20;
    std::size_t duration = 5;
    std::size_t cost = 6;
    std::size_t cost_sum = 6;
    std::size_t state = 6;
    std::size_t flags = 11;
    std::size_t all = 0;
};

Layout layout_for(const Timeline& timeline, std::size_t columns, std::size_t agent_width) {
    Layout layout;
    layout.number = std::max<std::size_t>(4, std::to_string(timeline.steps.size()).size());
    layout.agent = std::clamp<std::size_t>(agent_width, 5, columns < 120 ? 10 : 20);
    const WallNanos lasted = timeline.totals.ended_at - timeline.totals.started_at;
    layout.time = std::max<std::size_t>(7, clock_words(lasted).size());
    const bool has_cost = timeline.totals.cost_usd != 0;
    const bool has_state =
        std::any_of(timeline.steps.begin(), timeline.steps.end(), [](const Step& step) {
            return step.state_after != no_text;
        });
    if (!has_cost) layout.cost = layout.cost_sum = 0;
    if (!has_state || columns < 80) layout.state = 0;
    if (columns < 90) layout.cost_sum = 0;
    if (columns < 72) layout.duration = layout.flags = 0;
    std::size_t taken = layout.number + 2 + layout.time + 2 + layout.agent + 2 + 2;
    for (const std::size_t width : {layout.duration, layout.cost, layout.cost_sum})
        taken += width > 0 ? width + 1 : 0;
    for (const std::size_t width : {layout.state, layout.flags})
        taken += width > 0 ? width + 2 : 0;
    constexpr std::size_t what_min = 12;
    constexpr std::size_t what_max = 72;
    layout.what = std::clamp(columns > taken ? columns - taken : 0, what_min, what_max);
    layout.all = taken + layout.what;
    return layout;
}

Ink ink_of(StepKind kind) {
    switch (kind) {
        case StepKind::decision:
        case StepKind::handoff:
            return Ink::magenta;
        case StepKind::inference:
        case StepKind::retrieval:
            return Ink::blue;
        case StepKind::tool:
            return Ink::cyan;
        case StepKind::retry:
            return Ink::yellow;
        case StepKind::policy:
        case StepKind::error:
        case StepKind::termination:
            return Ink::red;
        default:
            return Ink::plain;
    }
}

// A page takes them from the end of a line, but not from within a colour.
std::string_view without_end_blanks(std::string_view line) {
    return line.substr(0, line.find_last_not_of(' ') + 1);
}

class TextView {
  public:
    TextView(Timeline& timeline, const ReplayView& view, std::ostream& out)
        : timeline_(timeline),
          view_(view),
          views_(timeline, view),
          page_(out, view.columns, view.has_colours) {}

    void write();
    void write_live(const LiveSteps& live);
    void write_end();

  private:
    void choose_layout();
    void write_steps();
    void write_head();
    void write_row(std::uint32_t index);
    void write_fold(std::uint32_t first, std::uint32_t last, std::uint32_t count);
    void write_below(std::uint32_t index);
    void write_content(const Step& step);
    void write_finding(const Finding& finding);
    [[nodiscard]] bool is_foldable(std::uint32_t index) const;
    [[nodiscard]] std::string flag_words(const Step& step) const;
    [[nodiscard]] std::string figures(const Step& step) const;
    [[nodiscard]] std::string state_words(const Step& step) const;

    Timeline& timeline_;
    const ReplayView& view_;
    const StepViews views_;
    TextPage page_;
    Layout layout_;
    std::uint32_t belongs_above_ = no_index;
    bool is_live_ = false;
};

void TextView::write() {
    write_text_header(timeline_, page_);
    page_.line();
    if (!view_.findings_only) {
        write_steps();
        page_.line();
    }
    if (!view_.shows_whole) write_end();
}

void TextView::write_end() {
    write_text_findings(timeline_, page_, view_.findings_only);
    page_.line();
    write_text_footer(timeline_, view_, page_);
}

void TextView::write_live(const LiveSteps& live) {
    choose_layout();
    if (live.has_head) {
        write_text_header(timeline_, page_);
        page_.line();
        write_head();
    }
    belongs_above_ = live.belongs_above;
    is_live_ = true;
    for (const std::uint32_t index : live.steps)
        write_row(index);
    for (const std::uint32_t number : live.findings) {
        const Finding& finding = timeline_.findings[number];
        if (finding.severity != Severity::info) write_finding(finding);
    }
}

void TextView::write_steps() {
    const std::vector<std::uint32_t> chosen = views_.chosen();
    if (chosen.empty()) {
        page_.line(timeline_.steps.empty() ? "No steps." : "No step is asked for by this view.");
        return;
    }
    if (view_.shows_whole) {
        for (const std::uint32_t index : chosen)
            write_whole_step(timeline_, views_, index, page_);
        return;
    }
    choose_layout();
    write_head();
    for (std::size_t i = 0; i < chosen.size();) {
        std::size_t end = i;
        while (view_.folds_loops && end < chosen.size() && is_foldable(chosen[end]) &&
               timeline_.steps[chosen[end]].loop == timeline_.steps[chosen[i]].loop) {
            ++end;
        }
        if (end - i < 2) {
            write_row(chosen[i++]);
            continue;
        }
        const auto [first, last] = std::minmax(chosen[i], chosen[end - 1]);
        write_fold(first, last, static_cast<std::uint32_t>(end - i));
        i = end;
    }
}

void TextView::choose_layout() {
    std::size_t agent_width = 0;
    for (const Lane& lane : timeline_.lanes)
        agent_width = std::max(agent_width, display_width(harmless(views_.agent(lane))));
    layout_ = layout_for(timeline_, page_.columns(), agent_width);
}

// What repeats and tells nothing new; the first step of a loop always stands.
bool TextView::is_foldable(std::uint32_t index) const {
    const Step& step = timeline_.steps[index];
    if (step.loop == no_index || timeline_.loops[step.loop].first_step == index) return false;
    if (step.changes_state || step.is_unfinished) return false;
    const std::vector<std::uint32_t> findings = views_.findings_at(index);
    return std::all_of(findings.begin(), findings.end(), [this](std::uint32_t number) {
        return timeline_.findings[number].severity == Severity::info;
    });
}

void TextView::write_head() {
    std::string line = right_in("#", layout_.number) + "  " + left_in("+time", layout_.time) +
                       "  " + left_in("agent", layout_.agent) + "  " +
                       left_in("kind, what", layout_.what + 2);
    if (layout_.duration > 0) line += " " + right_in("dur", layout_.duration);
    if (layout_.cost > 0) line += " " + right_in("cost", layout_.cost);
    if (layout_.cost_sum > 0) line += " " + right_in("Σcost", layout_.cost_sum);
    if (layout_.state > 0) line += "  " + left_in("state", layout_.state);
    if (layout_.flags > 0) line += "  flags";
    page_.line(page_.inked(Ink::dim, without_end_blanks(line)));
}

void TextView::write_row(std::uint32_t index) {
    const Step& step = timeline_.steps[index];
    std::string flags = flag_words(step);
    if (is_live_ && belongs_above_ != no_index && index < belongs_above_)
        flags.insert(0, flags.empty() ? "↑" : "↑ ");
    std::string what = harmless(views_.what(step));
    if (layout_.flags == 0 && !flags.empty()) what = "[" + flags + "] " + what;
    const char letter = views_.letter(step);
    const Ink ink = letter == letter_of(StepKind::retry) ? Ink::yellow : ink_of(step.kind);
    std::string line = right_in(std::to_string(index + 1), layout_.number) + "  ";
    const WallNanos since = step.start_at - timeline_.totals.started_at;
    line += page_.inked(Ink::dim, left_in(clock_words(since), layout_.time)) + "  ";
    line += left_in(harmless(views_.agent(step)), layout_.agent) + "  ";
    line += page_.inked(ink, std::string(1, letter)) + " ";
    line += page_.inked(step.is_failed ? Ink::red : Ink::plain, shortened(what, layout_.what));
    line += figures(step);
    if (layout_.flags > 0 && !flags.empty()) {
        const bool is_stop = flags.find("STOP") != std::string::npos;
        line += "  " +
                page_.inked(
                    is_stop || step.is_failed ? Ink::red : Ink::yellow, cut_to(flags, layout_.flags)
                );
    }
    page_.line(line);
    write_below(index);
}

std::string TextView::figures(const Step& step) const {
    std::string out;
    if (layout_.duration > 0) {
        const std::string words =
            step.is_unfinished ? "open" : duration_words(step.end_at - step.start_at);
        out += " " + right_in(words, layout_.duration);
    }
    const auto add_money = [&out](double usd, std::size_t width) {
        if (width > 0) out += " " + right_in(is_told(usd) ? money_words(usd) : "", width);
    };
    add_money(step.cost_usd, layout_.cost);
    add_money(step.cost_sum_usd, layout_.cost_sum);
    if (layout_.state > 0) {
        const std::string words = cut_to(state_words(step), layout_.state);
        out += "  " + page_.inked(step.changes_state ? Ink::bold : Ink::dim, words);
        out.append(layout_.state - display_width(words), ' ');
    }
    return out;
}

std::string TextView::state_words(const Step& step) const {
    if (step.state_after == no_text) return {};
    const std::string hash = harmless(short_hash(timeline_.text(step.state_after)));
    return step.changes_state ? hash + "→" : "=" + hash;
}

// A failure is a mark of one column: what failed stands in the words already.
std::string TextView::flag_words(const Step& step) const {
    std::string out;
    for (const std::string& flag : views_.flags(step)) {
        if (flag == "FAILED") {
            out.insert(0, out.empty() ? "✗" : "✗ ");
            continue;
        }
        if (!out.empty()) out += ' ';
        out += harmless(flag);
    }
    // Who stopped it stands in the words too.
    const bool is_wide = display_width(out) > layout_.flags && layout_.flags > 0;
    if (is_wide && out.starts_with("STOP ")) out = "STOP";
    return out;
}

void TextView::write_fold(std::uint32_t first, std::uint32_t last, std::uint32_t count) {
    double cost_usd = 0;
    WallNanos begin = timeline_.steps[first].start_at;
    WallNanos end = begin;
    for (std::uint32_t i = first; i <= last; ++i) {
        const Step& step = timeline_.steps[i];
        if (step.loop != timeline_.steps[first].loop) continue;
        if (is_told(step.cost_usd)) cost_usd += step.cost_usd;
        end = std::max(end, step.end_at);
    }
    const Loop& loop = timeline_.loops[timeline_.steps[first].loop];
    const std::string words = fmt::format(
        "{} steps folded ({}–{}): {}{}, {} ",
        count,
        first + 1,
        last + 1,
        duration_words(end - begin),
        cost_usd > 0 ? " $" + money_words(cost_usd) : "",
        loop.is_state_unchanged ? "no state change" : "state changes"
    );
    std::string line = right_in("..", layout_.number) + "  ";
    const std::size_t room = layout_.number + layout_.time + 4 + display_width(words);
    for (std::size_t i = 0; i < layout_.time && room <= page_.columns(); ++i)
        line += "─";
    line += (room <= page_.columns() ? "  " : "") + words;
    for (std::size_t width = display_width(line); width < layout_.all; ++width)
        line += "─";
    page_.line(page_.inked(Ink::dim, without_end_blanks(line)));
    std::string told = fmt::format(
        "loop L{} {} x{}", static_cast<int>(loop.signal), name_of(loop.signal), loop.repeats
    );
    std::replace(told.begin(), told.end(), '_', ' ');
    if (loop.stop_step != no_index) {
        const Step& stop = timeline_.steps[loop.stop_step];
        told += fmt::format(
            ", stopped by step {}: {} ({})",
            loop.stop_step + 1,
            views_.what(stop),
            views_.agent(stop)
        );
    } else {
        told += ", nothing told that stopped it";
    }
    page_.wrapped("", layout_.number + 2 + layout_.time + 2, told, ink_of(loop.severity));
}

void TextView::write_below(std::uint32_t index) {
    const Step& step = timeline_.steps[index];
    const std::size_t indent = layout_.number + 2 + layout_.time + 2;
    const std::vector<std::string_view> left = views_.options_not_taken(timeline_.event_of(step));
    if (step.kind == StepKind::decision && !left.empty()) {
        std::string words = "not taken: ";
        for (const std::string_view option : left)
            words += (words.ends_with(": ") ? "" : ", ") + std::string(option);
        page_.wrapped("", indent, words, Ink::dim);
    }
    write_content(step);
    if (is_live_) return;  // findings come when they are found
    for (const std::uint32_t number : views_.findings_at(index)) {
        const Finding& finding = timeline_.findings[number];
        if (finding.severity != Severity::info) write_finding(finding);
    }
}

void TextView::write_content(const Step& step) {
    const bool has_evidence = view_.evidence.contains(views_.evidence_key(step));
    if (!view_.lists_content && !has_evidence) return;
    const StepContent content = views_.content(step);
    const std::size_t indent = layout_.number + 2 + layout_.time + 2;
    const auto add = [&](std::string_view name, const std::string& text) {
        if (text.empty()) return;
        // No more than can be shown is worth making harmless.
        const std::string shown = harmless(std::string_view(text).substr(0, 4 * page_.columns()));
        page_.line(
            std::string(indent, ' ') +
            page_.inked(
                Ink::dim, cut_to(fmt::format("{} {}", name, shown), page_.columns() - indent)
            )
        );
    };
    add("in ", content.input);
    add("out", content.output);
    add("err", content.error);
    if (!content.note.empty()) add("   ", "(" + content.note + ")");
    const bool is_plain = content.evidence.empty() || content.evidence == "shown";
    if (!is_plain && has_evidence) add("   ", "(evidence: " + content.evidence + ")");
}

void TextView::write_finding(const Finding& finding) {
    page_.wrapped(
        "      ! ",
        8,
        finding_name(finding) + ": " + finding.text,
        spangate::ink_of(finding.severity)
    );
}

}  // namespace

void write_text(Timeline& timeline, const ReplayView& view, std::ostream& out) {
    TextView(timeline, view, out).write();
}

void write_text_live(
    Timeline& timeline, const ReplayView& view, const LiveSteps& live, std::ostream& out
) {
    TextView(timeline, view, out).write_live(live);
}

void write_text_end(Timeline& timeline, const ReplayView& view, std::ostream& out) {
    TextView(timeline, view, out).write_end();
}

}  // namespace spangate
