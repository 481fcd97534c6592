#include "replay/text_summary.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/display_width.h"
#include "replay/figures.h"

namespace spangate {
namespace {

struct Inked {
    Ink ink = Ink::plain;
    std::string text;
};

// Two blanks apart, over as many lines as it takes.
void write_items(const std::vector<Inked>& items, TextPage& page) {
    std::string line;
    std::size_t width = 0;
    for (const Inked& item : items) {
        const std::size_t wide = display_width(item.text);
        if (width > 0 && width + 2 + wide > page.columns()) {
            page.line(line);
            line = "  ";
            width = 2;
        } else if (width > 0) {
            line += "  ";
            width += 2;
        }
        line += page.inked(item.ink, item.text);
        width += wide;
    }
    page.line(line);
}

std::string some(std::uint64_t count, std::string_view noun) {
    return fmt::format(
        "{} {}{}", count_words(static_cast<std::int64_t>(count)), noun, count == 1 ? "" : "s"
    );
}

std::string class_words(const Timeline& timeline, EventClass event_class) {
    const ClassCompleteness& here =
        timeline.completeness.classes[static_cast<std::size_t>(event_class)];
    const std::string_view name =
        event_class == EventClass::operational ? "ops" : name_of(event_class);
    if (!here.is_readable) return fmt::format("{} not read", name);
    return fmt::format("{} {}/{}", name, here.present, here.promised);
}

std::string verdict(const Timeline& timeline) {
    std::string out = timeline.completeness.is_complete() ? "COMPLETE (" : "INCOMPLETE (";
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        if (i > 0) out += ", ";
        out += class_words(timeline, static_cast<EventClass>(i));
    }
    return out + ")";
}

std::string spending(const Totals& totals) {
    std::string out = "$" + money_words(totals.cost_usd);
    if (is_told(totals.budget)) out += " of $" + money_words(totals.budget);
    return out;
}

bool is_told_of_money(const Totals& totals) {
    return totals.cost_usd != 0 || is_told(totals.budget);
}

std::string counted(const Completeness& completeness) {
    std::string out;
    const auto add = [&out](std::uint64_t count, std::string_view name) {
        if (count == 0) return;
        if (!out.empty()) out += ", ";
        fmt::format_to(std::back_inserter(out), "{} {}", name, count);
    };
    add(completeness.events_missing, "missing");
    add(completeness.events_explained, "missing and explained");
    add(completeness.conflicts, "conflicts");
    add(completeness.duplicates, "duplicates");
    add(completeness.reordered, "reordered");
    add(completeness.late, "late");
    add(completeness.skewed, "skewed");
    add(completeness.orphans, "orphans");
    add(completeness.unfinished, "unfinished");
    add(completeness.damaged, "damaged");
    if (completeness.evidence_checked > 0) {
        if (!out.empty()) out += ", ";
        fmt::format_to(
            std::back_inserter(out),
            "evidence {} of {} as committed",
            completeness.evidence_checked - completeness.evidence_mismatches,
            completeness.evidence_checked
        );
    }
    return out;
}

std::string totals_words(const Totals& totals) {
    std::string out = some(totals.inferences, "inference");
    out += ", " + some(totals.tool_calls, "tool call");
    if (totals.retries > 0) {
        out += fmt::format(" ({} {})", totals.retries, totals.retries == 1 ? "retry" : "retries");
    }
    const auto add = [&out](std::uint64_t count, std::string_view noun) {
        if (count > 0) out += ", " + some(count, noun);
    };
    add(totals.handoffs, "handoff");
    add(totals.policies, "intervention");
    add(totals.errors, "error");
    if (totals.tokens_prompt + totals.tokens_completion > 0) {
        out += fmt::format(
            "; {} tokens in, {} out",
            count_words(totals.tokens_prompt),
            count_words(totals.tokens_completion)
        );
        if (totals.tokens_cache_read > 0) {
            out += fmt::format(" ({} from cache)", count_words(totals.tokens_cache_read));
        }
    }
    if (is_told_of_money(totals)) out += "; " + spending(totals);
    if (is_told(totals.budget_left))
        out += fmt::format(", ${} left", money_words(totals.budget_left));
    return out;
}

std::string legend(const Timeline& timeline) {
    std::uint32_t used = 0;
    for (const Step& step : timeline.steps) {
        used |= 1U << static_cast<unsigned>(step.kind);
        if (step.attempt > 0) used |= 1U << static_cast<unsigned>(StepKind::retry);
    }
    std::string out;
    for (std::size_t i = 0; i < step_kind_names.size(); ++i) {
        if ((used & (1U << i)) == 0) continue;
        if (!out.empty()) out += " · ";
        out += fmt::format("{} {}", step_kind_letters[i], step_kind_names[i]);
    }
    return out;
}

}  // namespace

Ink ink_of(Severity severity) {
    if (severity == Severity::critical) return Ink::red;
    return severity == Severity::warning ? Ink::yellow : Ink::dim;
}

std::string finding_name(const Finding& finding) {
    if (finding.kind == FindingKind::loop && finding.signal) {
        return fmt::format("loop L{}", static_cast<int>(*finding.signal));
    }
    std::string name(name_of(finding.kind));
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

void write_text_header(const Timeline& timeline, TextPage& page) {
    const Totals& totals = timeline.totals;
    std::vector<Inked> items;
    items.push_back({Ink::bold, harmless(timeline.session_id)});
    if (!timeline.tenant_id.empty() && timeline.tenant_id != "default") {
        items.push_back({Ink::plain, "tenant " + harmless(timeline.tenant_id)});
    }
    items.push_back({Ink::plain, some(timeline.lanes.size(), "agent")});
    items.push_back({Ink::plain, some(totals.steps, "step")});
    items.push_back({Ink::plain, duration_words(totals.ended_at - totals.started_at)});
    if (is_told_of_money(totals)) items.push_back({Ink::plain, spending(totals)});
    if (totals.errors > 0) items.push_back({Ink::red, fmt::format("✗{}", totals.errors)});
    for (const Loop& loop : timeline.loops) {
        items.push_back(
            {ink_of(loop.severity),
             fmt::format("loop L{} x{}", static_cast<int>(loop.signal), loop.repeats)}
        );
        constexpr std::size_t items_max = 12;
        if (items.size() < items_max) continue;
        items.push_back({Ink::plain, "…"});
        break;
    }
    const bool is_complete = timeline.completeness.is_complete();
    items.push_back({is_complete ? Ink::green : Ink::red, verdict(timeline)});
    write_items(items, page);
    if (totals.started_at > 0) {
        page.line(page.inked(Ink::dim, "from " + to_rfc3339(totals.started_at).substr(0, 23) + "Z")
        );
    }
    for (const std::string& alias : timeline.aliases)
        page.line(page.inked(Ink::dim, "also told as " + cut_to(harmless(alias), 80)));
}

void write_text_findings(const Timeline& timeline, TextPage& page, bool lists_all) {
    constexpr std::size_t findings_max = 50;
    if (timeline.findings.empty()) {
        page.line(page.inked(Ink::green, "No findings."));
        return;
    }
    page.line(page.inked(Ink::bold, fmt::format("Findings ({})", timeline.findings.size())));
    std::size_t shown = 0;
    for (const Finding& finding : timeline.findings) {
        const bool is_note = finding.severity == Severity::info;
        if (!lists_all && (is_note || shown == findings_max)) break;
        ++shown;
        std::string place;
        if (finding.first_step != no_index) {
            place = fmt::format("step {}", finding.first_step + 1);
            if (finding.last_step != no_index && finding.last_step != finding.first_step) {
                place += fmt::format("–{}", finding.last_step + 1);
            }
            place += ": ";
        }
        const std::string lead =
            fmt::format("  {:<8}  {:<17} ", name_of(finding.severity), finding_name(finding));
        page.wrapped(lead, lead.size(), place + finding.text, ink_of(finding.severity));
    }
    const std::size_t left = timeline.findings.size() - shown;
    if (left == 0) return;
    const bool are_notes = timeline.findings[shown].severity == Severity::info;
    page.line(page.inked(
        Ink::dim,
        fmt::format("  and {} {}: --verify lists them", left, are_notes ? "notes" : "more")
    ));
}

void write_text_footer(const Timeline& timeline, const ReplayView& view, TextPage& page) {
    page.wrapped("", 0, totals_words(timeline.totals), Ink::plain);
    const std::string counts = counted(timeline.completeness);
    if (!counts.empty()) page.wrapped("", 0, "Of the records: " + counts, Ink::plain);
    if (!view.findings_only) page.wrapped("", 0, legend(timeline), Ink::dim);
    if (view.made_at > 0) {
        page.wrapped("", 0, "Read " + to_rfc3339(view.made_at).substr(0, 19) + "Z", Ink::dim);
    }
}

}  // namespace spangate
