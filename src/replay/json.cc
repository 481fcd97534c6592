// A session as one JSON object (replay.schema.json), or its steps as JSON Lines. Written as it is
// worked out: memory does not grow with the number of steps.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/json_step.h"
#include "replay/json_stream.h"
#include "replay/replay.h"

namespace spangate {
namespace {

constexpr std::int64_t format_version = 1;

void write_totals(const Totals& totals, JsonStream& json) {
    json.name("totals");
    json.begin_object();
    const auto add = [&json](std::string_view name, std::uint64_t count) {
        json.name(name);
        json.count(count);
    };
    add("events", totals.events);
    add("steps", totals.steps);
    add("inferences", totals.inferences);
    add("tool_calls", totals.tool_calls);
    add("retries", totals.retries);
    add("errors", totals.errors);
    add("policies", totals.policies);
    add("handoffs", totals.handoffs);
    add("loops", totals.loops);
    json.member_count("tokens_prompt", totals.tokens_prompt);
    json.member_count("tokens_completion", totals.tokens_completion);
    json.member_count("tokens_cache_read", totals.tokens_cache_read);
    json.member_sum("cost_usd", totals.cost_usd);
    json.member_sum("budget", totals.budget);
    json.member_sum("budget_left", totals.budget_left);
    if (totals.started_at > 0) json.member("started_at", to_rfc3339(totals.started_at));
    if (totals.ended_at > 0) json.member("ended_at", to_rfc3339(totals.ended_at));
    json.member_real("duration_ms", millis_of(totals.ended_at - totals.started_at));
    json.end_object();
}

void write_completeness(const Completeness& completeness, JsonStream& json) {
    json.name("completeness");
    json.begin_object();
    json.name("complete");
    json.boolean(completeness.is_complete());
    json.name("classes");
    json.begin_object();
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        const ClassCompleteness& here = completeness.classes[i];
        json.name(event_class_names[i]);
        json.begin_object();
        json.name("readable");
        json.boolean(here.is_readable);
        json.name("promised");
        json.count(here.promised);
        json.name("present");
        json.count(here.present);
        json.end_object();
    }
    json.end_object();
    const auto add = [&json](std::string_view name, std::uint64_t count) {
        json.name(name);
        json.count(count);
    };
    add("events_missing", completeness.events_missing);
    add("events_explained", completeness.events_explained);
    add("duplicates", completeness.duplicates);
    add("conflicts", completeness.conflicts);
    add("reordered", completeness.reordered);
    add("displacement_max", completeness.displacement_max);
    add("late", completeness.late);
    add("skewed", completeness.skewed);
    add("orphans", completeness.orphans);
    add("unfinished", completeness.unfinished);
    add("damaged", completeness.damaged);
    add("evidence_checked", completeness.evidence_checked);
    add("evidence_mismatches", completeness.evidence_mismatches);
    json.end_object();
}

void write_lanes(const Timeline& timeline, JsonStream& json) {
    json.name("lanes");
    json.begin_array();
    for (const Lane& lane : timeline.lanes) {
        json.new_line();
        json.begin_object();
        json.member("agent_name", timeline.text(lane.agent_name));
        json.member("agent_id", timeline.text(lane.agent_id));
        json.member_count("steps", lane.steps);
        json.member_sum("cost_usd", lane.cost_usd);
        json.end_object();
    }
    json.end_array();
}

void write_loops(const Timeline& timeline, JsonStream& json) {
    json.name("loops");
    json.begin_array();
    for (const Loop& loop : timeline.loops) {
        json.new_line();
        json.begin_object();
        json.member("signal", fmt::format("L{}", static_cast<int>(loop.signal)));
        json.member("signal_name", name_of(loop.signal));
        json.member("severity", name_of(loop.severity));
        json.member_count("first_step", std::int64_t{loop.first_step} + 1);
        json.member_count("last_step", std::int64_t{loop.last_step} + 1);
        json.member_count("repeats", loop.repeats);
        if (loop.stop_step != no_index) {
            json.member_count("stop_step", std::int64_t{loop.stop_step} + 1);
        }
        json.member_sum("cost_usd", loop.cost_usd);
        json.member_real("duration_ms", millis_of(loop.duration));
        json.name("state_unchanged");
        json.boolean(loop.is_state_unchanged);
        json.end_object();
    }
    json.end_array();
}

void write_handoffs(const Timeline& timeline, JsonStream& json) {
    json.name("handoffs");
    json.begin_array();
    for (const Handoff& handoff : timeline.handoffs) {
        json.new_line();
        json.begin_object();
        json.member_count("step", std::int64_t{handoff.step} + 1);
        if (handoff.from_lane != no_index) json.member_count("from_lane", handoff.from_lane);
        if (handoff.to_lane != no_index) json.member_count("to_lane", handoff.to_lane);
        json.end_object();
    }
    json.end_array();
}

void write_head(const Timeline& timeline, const ReplayView& view, JsonStream& json) {
    json.member_count("format_version", format_version);
    json.member("tenant_id", timeline.tenant_id);
    json.member("session_id", timeline.session_id);
    json.name("aliases");
    json.begin_array();
    for (const std::string& alias : timeline.aliases)
        json.text(alias);
    json.end_array();
    if (view.made_at > 0) json.member("made_at", to_rfc3339(view.made_at));
    json.member("command", view.command);
    json.name("worst");
    if (timeline.findings.empty()) {
        json.raw("null");
    } else {
        json.text(name_of(timeline.worst()));
    }
}

void write_lines(
    const Timeline& timeline,
    const StepViews& views,
    const std::vector<std::uint32_t>& steps,
    std::ostream& out
) {
    for (const std::uint32_t index : steps) {
        JsonStream json(out);
        json.begin_object();
        json.member("session_id", timeline.session_id);
        write_step_members(timeline, views, index, json);
        json.end_object();
        out << '\n';
    }
}

}  // namespace

void write_json(Timeline& timeline, const ReplayView& view, std::ostream& out) {
    const StepViews views(timeline, view);
    JsonStream json(out);
    json.begin_object();
    json.new_line();
    write_head(timeline, view, json);
    json.new_line();
    write_totals(timeline.totals, json);
    json.new_line();
    write_completeness(timeline.completeness, json);
    json.new_line();
    json.name("findings");
    json.begin_array();
    for (const Finding& finding : timeline.findings) {
        json.new_line();
        write_finding(finding, json);
    }
    json.end_array();
    if (!view.findings_only) {
        json.new_line();
        write_lanes(timeline, json);
        json.new_line();
        write_loops(timeline, json);
        json.new_line();
        write_handoffs(timeline, json);
        json.new_line();
        json.name("steps");
        json.begin_array();
        for (const std::uint32_t index : views.chosen()) {
            json.new_line();
            json.begin_object();
            write_step_members(timeline, views, index, json);
            json.end_object();
        }
        json.new_line();
        json.end_array();
    }
    json.new_line();
    json.end_object();
    out << '\n';
}

void write_jsonl(Timeline& timeline, const ReplayView& view, std::ostream& out) {
    const StepViews views(timeline, view);
    if (view.findings_only) {
        for (const Finding& finding : timeline.findings) {
            JsonStream json(out);
            write_finding(finding, json);
            out << '\n';
        }
        return;
    }
    write_lines(timeline, views, views.chosen(), out);
}

void write_jsonl_live(
    Timeline& timeline, const ReplayView& view, const LiveSteps& live, std::ostream& out
) {
    write_lines(timeline, StepViews(timeline, view), live.steps, out);
}

}  // namespace spangate
