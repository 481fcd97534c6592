#include "replay/step_view.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/step_content.h"

namespace spangate {
namespace {

constexpr char option_separator = '\x1f';

bool holds(std::string_view text, std::string_view wanted) {
    const auto equal = [](char a, char b) {
        return ascii_lower(a) == ascii_lower(b);
    };
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), equal) != text.end();
}

// What a finding is called beside its step; loops have a flag of their own.
std::string_view flag_of(FindingKind kind) {
    constexpr std::array<std::string_view, finding_kind_names.size()> flags = {
        "GAP",
        "GAP (told)",
        "CONFLICT",
        "DUPLICATE",
        "REORDERED",
        "LATE",
        "SKEW",
        "ORPHAN",
        "CLASS MISSING",
        "EVIDENCE DIFFERS",
        "EVIDENCE MISSING",
        "COST DRIFT",
        "UNFINISHED",
        "DAMAGED",
        "",
    };
    return flags[static_cast<std::size_t>(kind)];
}

bool ends_the_run(std::string_view policy_decision) {
    return policy_decision == "stop" || policy_decision == "deny";
}

}  // namespace

struct StepViews::Reading {
    StepContentFinder finder;
};

StepViews::StepViews(Timeline& timeline, const ReplayView& view)
    : timeline_(timeline),
      view_(view),
      reading_(std::make_unique<Reading>()) {
    findings_.reserve(timeline.findings.size());
    for (std::uint32_t i = 0; i < timeline.findings.size(); ++i)
        findings_.emplace_back(timeline.findings[i].first_step, i);
    std::sort(findings_.begin(), findings_.end());
    for (std::uint32_t i = 0; i < timeline.loops.size(); ++i) {
        if (timeline.loops[i].stop_step != no_index)
            stops_.emplace_back(timeline.loops[i].stop_step, i);
    }
    std::sort(stops_.begin(), stops_.end());
}

StepViews::~StepViews() = default;

std::string_view StepViews::agent(const Lane& lane) const {
    const std::string_view name = timeline_.text(lane.agent_name);
    if (!name.empty()) return name;
    const std::string_view id = timeline_.text(lane.agent_id);
    return id.empty() ? "-" : id;
}

std::string_view StepViews::agent(const Step& step) const {
    if (step.lane < timeline_.lanes.size()) {
        const std::string_view name = agent(timeline_.lanes[step.lane]);
        if (name != "-") return name;
    }
    const std::string_view service = timeline_.text(timeline_.event_of(step).service_name);
    return service.empty() ? "-" : service;
}

char StepViews::letter(const Step& step) const {
    if (step.kind == StepKind::tool && step.attempt > 0) return letter_of(StepKind::retry);
    return letter_of(step.kind);
}

std::vector<std::string> StepViews::flags(const Step& step) const {
    std::vector<std::string> flags;
    const StoryEvent& event = timeline_.event_of(step);
    if (step.loop != no_index) {
        const Loop& loop = timeline_.loops[step.loop];
        flags.push_back(fmt::format("LOOP L{}", static_cast<int>(loop.signal)));
    }
    const std::uint32_t index = index_of(step);
    const auto stop = std::lower_bound(stops_.begin(), stops_.end(), std::pair(index, 0U));
    const bool ends_a_loop = stop != stops_.end() && stop->first == index;
    if (step.kind == StepKind::policy && ends_the_run(timeline_.text(event.policy_decision))) {
        const std::string_view source = timeline_.text(event.policy_source);
        flags.push_back(source.empty() ? "STOP" : "STOP " + std::string(source));
    } else if (ends_a_loop) {
        flags.push_back(
            fmt::format("ENDS L{}", static_cast<int>(timeline_.loops[stop->second].signal))
        );
    }
    if (step.is_failed) flags.emplace_back("FAILED");
    if (step.is_unfinished) flags.emplace_back("UNFINISHED");
    for (const std::uint32_t number : findings_at(index)) {
        const Finding& finding = timeline_.findings[number];
        if (finding.severity == Severity::info) continue;
        const std::string flag(flag_of(finding.kind));
        if (!flag.empty() && std::find(flags.begin(), flags.end(), flag) == flags.end()) {
            flags.push_back(flag);
        }
    }
    return flags;
}

std::vector<std::string_view> StepViews::options(const StoryEvent& event) const {
    std::vector<std::string_view> options;
    std::string_view rest = timeline_.text(event.decision_options);
    while (!rest.empty()) {
        const std::size_t end = rest.find(option_separator);
        options.push_back(rest.substr(0, end));
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
    return options;
}

std::vector<std::string_view> StepViews::options_not_taken(const StoryEvent& event) const {
    std::vector<std::string_view> left = options(event);
    left.erase(
        std::remove(left.begin(), left.end(), timeline_.text(event.decision_chosen)), left.end()
    );
    return left;
}

std::vector<std::uint32_t> StepViews::findings_at(std::uint32_t step) const {
    std::vector<std::uint32_t> indexes;
    const auto begin = std::lower_bound(findings_.begin(), findings_.end(), std::pair(step, 0U));
    for (auto at = begin; at != findings_.end() && at->first == step; ++at)
        indexes.push_back(at->second);
    return indexes;
}

// The span's other events name it too, and have none of their own.
bool StepViews::has_evidence(const Step& step) const {
    const StoryEvent& event = timeline_.event_of(step);
    return (event.classes & bit(EventClass::evidence)) != 0 && is_zero(event.primary_id);
}

EventKey StepViews::evidence_key(const Step& step) const {
    const StoryEvent& event = timeline_.event_of(step);
    return is_zero(event.primary_id) ? event.id : event.primary_id;
}

StepContent StepViews::content(const Step& step) const {
    StepContent content;
    if (!view_.shows_content) return content;
    if (has_evidence(step)) content.evidence = "restricted";
    const auto evidence = view_.evidence.find(evidence_key(step));
    if (evidence != view_.evidence.end()) {
        content.evidence = evidence->second.why_not.empty() ? "shown" : evidence->second.why_not;
        FoundContent found = reading_->finder.in_parts(evidence->second.parts_json);
        if (!found.is_empty()) {
            content.source = ContentSource::evidence;
            content.input = std::move(found.input);
            content.output = std::move(found.output);
            content.error = std::move(found.error);
            return content;
        }
    }
    if (step.detail != no_detail) {
        FoundContent found =
            reading_->finder.in_detail(timeline_.details.read(step.detail), step.kind);
        const bool is_empty = found.is_empty();
        content.source = is_empty ? ContentSource::none : ContentSource::detail;
        content.input = std::move(found.input);
        content.output = std::move(found.output);
        content.error = std::move(found.error);
        content.note = is_empty ? "none recorded" : "";
    } else {
        content.note = why_no_detail(step);
    }
    return content;
}

std::string StepViews::why_no_detail(const Step& step) const {
    // Detail stands with the span's primary event, which is another step's.
    if (!is_zero(timeline_.event_of(step).primary_id)) return {};
    constexpr auto detail = static_cast<std::size_t>(EventClass::detail);
    if (!timeline_.completeness.classes[detail].is_readable) return "restricted";
    const bool is_promised = (timeline_.event_of(step).classes & bit(EventClass::detail)) != 0;
    return is_promised ? "not found" : "not stored";
}

std::vector<std::uint32_t> StepViews::chosen() const {
    std::vector<std::uint32_t> chosen;
    const auto count = static_cast<std::uint32_t>(timeline_.steps.size());
    const std::uint32_t first = std::max(view_.first_step, 1U) - 1;
    const std::uint32_t end = std::min(view_.last_step, count);
    for (std::uint32_t i = first; i < end; ++i) {
        const Step& step = timeline_.steps[i];
        if (is_wanted(step) && matches(step)) chosen.push_back(i);
    }
    if (view_.is_reversed) std::reverse(chosen.begin(), chosen.end());
    return chosen;
}

// Errors, costs, state changes and retries are told by steps of many kinds.
bool StepViews::is_wanted(const Step& step) const {
    if (view_.only.empty()) return true;
    return std::any_of(view_.only.begin(), view_.only.end(), [&step](StepKind kind) {
        if (step.kind == kind) return true;
        if (kind == StepKind::error) return step.is_failed;
        if (kind == StepKind::cost) return is_told(step.cost_usd) && step.cost_usd != 0;
        if (kind == StepKind::state) return step.changes_state;
        return kind == StepKind::retry && step.attempt > 0;
    });
}

bool StepViews::matches(const Step& step) const {
    if (view_.grep.empty()) return true;
    const StoryEvent& event = timeline_.event_of(step);
    if (holds(what(step), view_.grep) || holds(agent(step), view_.grep)) return true;
    for (const TextId id :
         {event.args_digest,
          event.result_digest,
          event.error_class,
          event.state_snapshot_hash,
          event.tool_call_id,
          event.response_id,
          event.step,
          event.caller_step,
          event.run_id,
          event.model}) {
        if (holds(timeline_.text(id), view_.grep)) return true;
    }
    if (holds(to_hex(event.id), view_.grep) || holds(to_hex(event.span_id), view_.grep))
        return true;
    const StepContent shown = content(step);
    return holds(shown.input, view_.grep) || holds(shown.output, view_.grep) ||
           holds(shown.error, view_.grep);
}

std::uint32_t StepViews::index_of(const Step& step) const {
    return static_cast<std::uint32_t>(&step - timeline_.steps.data());
}

}  // namespace spangate
