#include "replay/html_story.h"

#include <algorithm>

#include "replay/html_story_columns.h"

namespace spangate {
namespace {

// More would bury the worst ones; the page tells how many there are.
constexpr std::size_t findings_max = 2000;

constexpr WallNanos nanos_per_micro = 1000;

std::int64_t number_of(std::uint32_t step) {
    return step == no_index ? 0 : std::int64_t{step} + 1;
}

std::int64_t lane_number(std::uint32_t lane) {
    return lane == no_index ? -1 : std::int64_t{lane};
}

std::int64_t signed_of(std::uint64_t count) {
    return static_cast<std::int64_t>(count);
}

}  // namespace

TextTable::TextTable() {
    (void)number_of("");
}

std::uint32_t TextTable::number_of(std::string_view text) {
    const auto [place, is_new] =
        numbers_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
    if (is_new) texts_.push_back(&place->first);
    return place->second;
}

void HtmlStory::name(std::string_view text) {
    out_.raw(",\n\"");
    out_.raw(text);
    out_.raw("\":");
}

void HtmlStory::write(const ReplayView& view) {
    write_head(view);
    write_completeness();
    write_totals();
    write_lanes();
    write_loops();
    write_findings();
    write_steps();
    write_usage();
    write_links();
    write_state();
    write_integrity();
    write_keys();
    write_digests();
    write_facts();
    write_texts();
    out_.raw("}\n");
}

void HtmlStory::write_head(const ReplayView& view) {
    out_.raw("{\"format\":\"spangate.replay.page/1\"");
    name("session");
    out_.json(timeline_.session_id);
    name("tenant");
    out_.json(timeline_.tenant_id);
    name("aliases");
    out_.raw('[');
    for (std::size_t i = 0; i < timeline_.aliases.size(); ++i) {
        if (i > 0) out_.raw(',');
        out_.json(timeline_.aliases[i]);
    }
    out_.raw(']');
    name("command");
    out_.json(view.command);
    name("made");
    out_.number(view.made_at / nanos_per_micro);
    name("start");
    out_.number(timeline_.totals.started_at / nanos_per_micro);
    name("folds");
    out_.raw(view.folds_loops ? "true" : "false");
    name("steps_total");
    out_.number(signed_of(timeline_.steps.size()));
    name("rows");
    out_.number(signed_of(rows_.size()));
}

void HtmlStory::write_completeness() {
    const Completeness& found = timeline_.completeness;
    name("is_complete");
    out_.raw(found.is_complete() ? "true" : "false");
    name("classes");
    out_.raw('[');
    for (std::size_t i = 0; i < found.classes.size(); ++i) {
        const ClassCompleteness& of_class = found.classes[i];
        out_.raw(i > 0 ? ",[" : "[");
        out_.raw(of_class.is_readable ? "1," : "0,");
        out_.number(signed_of(of_class.promised));
        out_.raw(',');
        out_.number(signed_of(of_class.present));
        out_.raw(']');
    }
    out_.raw(']');
    name("checks");
    out_.raw('{');
    const auto count = [&](std::string_view of, std::uint64_t value, char after) {
        out_.json(of);
        out_.raw(':');
        out_.number(signed_of(value));
        out_.raw(after);
    };
    count("missing", found.events_missing, ',');
    count("explained", found.events_explained, ',');
    count("duplicates", found.duplicates, ',');
    count("conflicts", found.conflicts, ',');
    count("reordered", found.reordered, ',');
    count("displacement", found.displacement_max, ',');
    count("late", found.late, ',');
    count("skewed", found.skewed, ',');
    count("orphans", found.orphans, ',');
    count("unfinished", found.unfinished, ',');
    count("damaged", found.damaged, ',');
    count("evidence_checked", found.evidence_checked, ',');
    count("evidence_mismatches", found.evidence_mismatches, '}');
}

void HtmlStory::write_totals() {
    const Totals& totals = timeline_.totals;
    name("totals");
    out_.raw('{');
    const auto count = [&](std::string_view of, std::int64_t value) {
        out_.json(of);
        out_.raw(':');
        out_.number(value);
        out_.raw(',');
    };
    count("events", signed_of(totals.events));
    count("steps", signed_of(totals.steps));
    count("inferences", signed_of(totals.inferences));
    count("tool_calls", signed_of(totals.tool_calls));
    count("retries", signed_of(totals.retries));
    count("errors", signed_of(totals.errors));
    count("policies", signed_of(totals.policies));
    count("handoffs", signed_of(totals.handoffs));
    count("loops", signed_of(totals.loops));
    count("tokens_prompt", totals.tokens_prompt);
    count("tokens_completion", totals.tokens_completion);
    count("tokens_cache_read", totals.tokens_cache_read);
    count("started", totals.started_at / nanos_per_micro);
    count("ended", totals.ended_at / nanos_per_micro);
    out_.raw("\"cost\":");
    out_.real(totals.cost_usd);
    out_.raw(",\"budget\":");
    out_.real(totals.budget);
    out_.raw(",\"budget_left\":");
    out_.real(totals.budget_left);
    out_.raw('}');
}

void HtmlStory::write_lanes() {
    name("lanes");
    out_.raw('[');
    for (std::size_t i = 0; i < timeline_.lanes.size(); ++i) {
        const Lane& lane = timeline_.lanes[i];
        out_.raw(i > 0 ? ",[" : "[");
        out_.json(timeline_.text(lane.agent_id));
        out_.raw(',');
        out_.json(timeline_.text(lane.agent_name));
        out_.raw(',');
        out_.number(lane.steps);
        out_.raw(',');
        out_.real(lane.cost_usd);
        out_.raw(']');
    }
    out_.raw(']');
    name("handoffs");
    out_.raw('[');
    for (std::size_t i = 0; i < timeline_.handoffs.size(); ++i) {
        const Handoff& handoff = timeline_.handoffs[i];
        out_.raw(i > 0 ? ",[" : "[");
        out_.number(number_of(handoff.step));
        out_.raw(',');
        out_.number(lane_number(handoff.from_lane));
        out_.raw(',');
        out_.number(lane_number(handoff.to_lane));
        out_.raw(']');
    }
    out_.raw(']');
}

void HtmlStory::write_loops() {
    name("loops");
    out_.raw('[');
    for (std::size_t i = 0; i < timeline_.loops.size(); ++i) {
        const Loop& loop = timeline_.loops[i];
        out_.raw(i > 0 ? ",[" : "[");
        for (const std::int64_t value :
             {number_of(loop.first_step),
              number_of(loop.last_step),
              static_cast<std::int64_t>(loop.signal)}) {
            out_.number(value);
            out_.raw(',');
        }
        out_.json(name_of(loop.signal));
        out_.raw(',');
        out_.json(name_of(loop.severity));
        out_.raw(',');
        for (const std::int64_t value :
             {std::int64_t{loop.repeats},
              number_of(loop.stop_step),
              loop.duration / nanos_per_micro,
              std::int64_t{loop.is_state_unchanged}}) {
            out_.number(value);
            out_.raw(',');
        }
        out_.real(loop.cost_usd);
        out_.raw(']');
    }
    out_.raw(']');
}

void HtmlStory::write_findings() {
    const std::vector<Finding>& findings = timeline_.findings;
    name("findings_total");
    out_.number(signed_of(findings.size()));
    name("findings");
    out_.raw('[');
    for (std::size_t i = 0; i < std::min(findings.size(), findings_max); ++i) {
        const Finding& finding = findings[i];
        out_.raw(i > 0 ? ",\n[" : "[");
        out_.json(name_of(finding.kind));
        out_.raw(',');
        out_.json(name_of(finding.severity));
        for (const std::int64_t value :
             {static_cast<std::int64_t>(finding.signal.value_or(LoopSignal{})),
              number_of(finding.first_step),
              number_of(finding.last_step)}) {
            out_.raw(',');
            out_.number(value);
        }
        out_.raw(',');
        out_.json(finding.text);
        out_.raw(']');
    }
    out_.raw(']');
}

void HtmlStory::write_texts() {
    name("texts");
    out_.raw('[');
    for (std::size_t i = 0; i < texts_.texts().size(); ++i) {
        if (i > 0) out_.raw(',');
        out_.json(*texts_.texts()[i]);
    }
    out_.raw(']');
}

}  // namespace spangate
