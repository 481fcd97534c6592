#include "replay/html_text.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/figures.h"

namespace spangate {
namespace {

constexpr std::size_t text_findings_max = 100;

std::string totals_sentence(const Timeline& timeline) {
    const Totals& totals = timeline.totals;
    std::string text = fmt::format(
        "{} steps by {} agents in {}: {} model calls, {} tool calls, {} errors, {} loops, {} "
        "tokens, "
        "${}",
        count_words(static_cast<std::int64_t>(totals.steps)),
        timeline.lanes.size(),
        duration_words(totals.ended_at - totals.started_at),
        count_words(static_cast<std::int64_t>(totals.inferences)),
        count_words(static_cast<std::int64_t>(totals.tool_calls)),
        count_words(static_cast<std::int64_t>(totals.errors)),
        count_words(static_cast<std::int64_t>(totals.loops)),
        count_words(totals.tokens_prompt + totals.tokens_completion),
        money_words(totals.cost_usd)
    );
    if (is_told(totals.budget)) text += " of $" + money_words(totals.budget);
    if (is_told(totals.budget_left)) text += ", $" + money_words(totals.budget_left) + " left";
    return text + ".";
}

void write_findings(const Timeline& timeline, HtmlOutput& out) {
    const std::vector<Finding>& findings = timeline.findings;
    out.raw("<h2>Findings</h2>\n");
    if (findings.empty()) {
        out.raw("<p>None.</p>\n");
        return;
    }
    out.raw("<ul>\n");
    for (std::size_t i = 0; i < std::min(findings.size(), text_findings_max); ++i) {
        const Finding& finding = findings[i];
        out.raw("<li>");
        out.markup(name_of(finding.severity));
        out.raw(": ");
        out.markup(finding.text);
        if (finding.first_step != no_index) {
            out.raw(" (step ");
            out.number(std::int64_t{finding.first_step} + 1);
            out.raw(")");
        }
        out.raw("\n");
    }
    out.raw("</ul>\n");
    if (findings.size() > text_findings_max) {
        out.raw("<p>And ");
        out.number(static_cast<std::int64_t>(findings.size() - text_findings_max));
        out.raw(" more.</p>\n");
    }
}

class TextRows {
  public:
    TextRows(const Timeline& timeline, const StepViews& views, HtmlOutput& out)
        : timeline_(timeline),
          views_(views),
          out_(out) {}

    void write(std::uint32_t index) {
        const Step& step = timeline_.steps[index];
        out_.raw("<tr><td>");
        out_.number(std::int64_t{index} + 1);
        cell(clock_words(step.start_at - timeline_.totals.started_at));
        cell(views_.agent(step));
        const char letter = views_.letter(step);
        cell({&letter, 1});
        cell(views_.what(step));
        cell(step.end_at > step.start_at ? duration_words(step.end_at - step.start_at) : "");
        cell(money_words(step.cost_sum_usd));
        cell(state_words(step));
        cell(fmt::format("{}", fmt::join(views_.flags(step), ", ")));
        out_.raw("\n");
    }

  private:
    void cell(std::string_view text) {
        out_.raw("<td>");
        out_.markup(text);
    }

    std::string state_words(const Step& step) {
        if (!step.changes_state) return {};
        return fmt::format("→{}", short_hash(timeline_.text(step.state_after)));
    }

    const Timeline& timeline_;
    const StepViews& views_;
    HtmlOutput& out_;
};

}  // namespace

std::string html_contents_sentence(const Timeline& timeline, const ReplayView& view) {
    std::string held;
    std::string closed;
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        const auto event_class = static_cast<EventClass>(i);
        const bool is_evidence = event_class == EventClass::evidence;
        const bool is_held =
            is_evidence ? !view.evidence.empty() : timeline.completeness.classes[i].is_readable;
        std::string& list = is_held ? held : closed;
        if (!list.empty()) list += " and ";
        list += event_class_names[i];
    }
    std::string text = "Contains " + (held.empty() ? std::string("no class") : held) + " records";
    if (!closed.empty()) text += ", nothing of " + closed;
    if (!view.shows_content) text += ", and no inputs or outputs";
    if (view.made_at != 0) {
        const std::string made = to_rfc3339(view.made_at);
        text += fmt::format("; made {} {} UTC", made.substr(0, 10), made.substr(11, 8));
    }
    return text + ".";
}

void write_html_text(
    const Timeline& timeline,
    const StepViews& views,
    const std::vector<std::uint32_t>& rows,
    HtmlOutput& out
) {
    out.raw("<p><strong>");
    out.raw(timeline.completeness.is_complete() ? "Complete." : "Not complete.");
    out.raw("</strong> ");
    out.markup(totals_sentence(timeline));
    out.raw("</p>\n");
    write_findings(timeline, out);
    out.raw("<h2>Steps</h2>\n");
    const std::size_t shown = std::min(rows.size(), html_text_rows_max);
    if (shown < rows.size()) {
        out.raw("<p>The first ");
        out.number(static_cast<std::int64_t>(shown));
        out.raw(" of ");
        out.number(static_cast<std::int64_t>(rows.size()));
        out.raw("; with script switched on this page shows them all, as does the command ");
        out.raw("<code>spangate replay --format text</code>.</p>\n");
    }
    out.raw("<table><thead><tr><th>#<th>+time<th>agent<th>kind<th>what<th>took");
    out.raw("<th>sum $<th>new state<th>flags<tbody>\n");
    TextRows text_rows(timeline, views, out);
    for (std::size_t i = 0; i < shown; ++i) {
        text_rows.write(rows[i]);
    }
    out.raw("</table>\n");
}

}  // namespace spangate
