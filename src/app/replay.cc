// `spangate replay SESSION`: reads a session with the caller's own rights and shows it.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "app/reading_commands.h"
#include "app/replay_evidence.h"
#include "app/replay_follow.h"
#include "app/replay_output.h"
#include "app/replay_plan.h"
#include "session/event_line.h"

namespace spangate {
namespace {

constexpr const char* command = "replay";

void write(Timeline& timeline, const ReplayPlan& plan, std::ostream& out) {
    switch (plan.format) {
        case ReplayFormat::text:
            return write_text(timeline, plan.view, out);
        case ReplayFormat::json:
            return write_json(timeline, plan.view, out);
        case ReplayFormat::jsonl:
            return write_jsonl(timeline, plan.view, out);
        case ReplayFormat::html:
            return write_html(timeline, plan.view, out);
        case ReplayFormat::perfetto:
            return write_perfetto(timeline, plan.view, out);
        case ReplayFormat::otlp:
            return write_otlp(timeline, plan.view, out);
    }
}

// Only up to the first step that reached the state.
Status stop_at_state(const Timeline& timeline, const std::string& state, ReplayView& view) {
    const auto reached = [&](const Step& step) {
        const std::string_view hash = timeline.text(step.state_after);
        return !hash.empty() && hash.starts_with(state);
    };
    const auto found = std::find_if(timeline.steps.begin(), timeline.steps.end(), reached);
    if (found == timeline.steps.end()) {
        return fail(ErrorCode::not_found, "no step reached the state " + state);
    }
    const auto number = static_cast<std::uint32_t>(found - timeline.steps.begin() + 1);
    view.last_step = std::min(view.last_step, number);
    return {};
}

Status narrow(const Timeline& timeline, const ReplayArguments& arguments, ReplayView& view) {
    if (view.first_step > timeline.steps.size() && view.first_step > 1) {
        return fail(
            ErrorCode::not_found,
            fmt::format(
                "there is no step {}: the session has {}", view.first_step, timeline.steps.size()
            )
        );
    }
    if (arguments.until_state.empty()) return {};
    return stop_at_state(timeline, arguments.until_state, view);
}

// JSON Lines have no place for what concerns no step.
void tell_session_findings(const Timeline& timeline, const ReplayPlan& plan) {
    if (plan.format != ReplayFormat::jsonl || plan.view.findings_only) return;
    for (const Finding& finding : timeline.findings) {
        if (finding.first_step != no_index) continue;
        std::string text;
        append_harmless(finding.text, text);
        std::fprintf(
            stderr,
            "spangate replay: %s: %s\n",
            std::string(name_of(finding.kind)).c_str(),
            text.c_str()
        );
    }
}

ExitCode show(const ReadingPlace& place, const ReplayArguments& arguments, ReplayPlan& plan) {
    Result<Timeline> timeline =
        read_timeline(place, EventQuery{}, settings_of(place, arguments, plan));
    if (!timeline) return reading_failure(command, timeline.error());
    apply_budget(arguments, *timeline);
    if (const Status narrowed = narrow(*timeline, arguments, plan.view); !narrowed) {
        return reading_failure(command, narrowed.error());
    }
    const Result<EvidenceAccess> access = show_evidence(place, arguments, *timeline, plan.view);
    if (!access) return reading_failure(command, access.error());
    Result<std::unique_ptr<ReplayOutput>> output = ReplayOutput::open(arguments.output_path);
    if (!output) return reading_failure(command, output.error());
    write(*timeline, plan, (*output)->stream());
    if (const Status finished = (*output)->finish(); !finished) {
        return reading_failure(command, finished.error());
    }
    tell_session_findings(*timeline, plan);
    if (*access == EvidenceAccess::refused) return ExitCode::no_rights;
    return verdict_of(*timeline);
}

}  // namespace

ExitCode verdict_of(const Timeline& timeline) {
    const Severity worst = timeline.worst();
    if (worst == Severity::critical) return ExitCode::critical;
    return worst == Severity::warning ? ExitCode::findings : ExitCode::clean;
}

TimelineSettings settings_of(
    const ReadingPlace& place, const ReplayArguments& arguments, const ReplayPlan& plan
) {
    TimelineSettings settings;
    settings.session_id = arguments.session_id;
    settings.tenant_id = arguments.from.tenant_id;
    settings.readable = {EventClass::operational, EventClass::detail};
    if (arguments.verifies) settings.readable.push_back(EventClass::evidence);
    settings.keeps_details = plan.reads_details;
    settings.guard = place.config.guard;
    if (arguments.budget_usd > 0) settings.guard.budget_usd = arguments.budget_usd;
    if (arguments.loop_k > 0) {
        settings.guard.loops.repeats_warn = arguments.loop_k;
        settings.guard.loops.repeats_critical =
            std::max(settings.guard.loops.repeats_critical, 2 * arguments.loop_k);
    }
    if (arguments.budget_usd > 0 || arguments.loop_k > 0) settings.guard.enabled = true;
    return settings;
}

void apply_budget(const ReplayArguments& arguments, Timeline& timeline) {
    if (arguments.budget_usd <= 0 || is_told(timeline.totals.budget_left)) return;
    timeline.totals.budget = arguments.budget_usd;
    timeline.totals.budget_left = arguments.budget_usd - timeline.totals.cost_usd;
    for (Step& step : timeline.steps)
        step.budget_left = arguments.budget_usd - step.cost_sum_usd;
}

ExitCode replay(const ReplayArguments& arguments) {
    Result<ReplayPlan> plan = plan_replay(arguments);
    if (!plan) return reading_failure(command, plan.error());
    const tl::expected<ReadingPlace, ExitCode> place = reading_place_of(command, arguments.from);
    if (!place) return place.error();
    std::signal(SIGPIPE, SIG_IGN);
    if (arguments.follows) return follow_replay(*place, arguments, *plan);
    return show(*place, arguments, *plan);
}

}  // namespace spangate
