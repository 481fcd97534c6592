#include "timeline/draft.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr std::size_t findings_max = 1'000;  // of a kind
constexpr WallNanos settling_time = 10'000'000'000;

}  // namespace

std::string counted(std::uint64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

bool Draft::is_readable(EventClass event_class) const {
    return std::find(settings.readable.begin(), settings.readable.end(), event_class) !=
           settings.readable.end();
}

bool Draft::is_settled(const StoryEvent& event) const {
    return settings.now == 0 || event.received_at + settling_time <= settings.now;
}

std::uint32_t Draft::step_near(std::uint32_t event) const {
    if (event == no_index || timeline.steps.empty()) return no_index;
    for (std::uint32_t i = event; i < event_steps.size(); ++i) {
        if (event_steps[i] != no_index) return event_steps[i];
    }
    for (std::uint32_t i = event; i-- > 0;) {
        if (event_steps[i] != no_index) return event_steps[i];
    }
    return no_index;
}

void Draft::tell(FindingKind kind, Severity severity, std::uint32_t event, std::string text) {
    tell_range(kind, severity, event, event, std::move(text));
}

void Draft::tell_range(
    FindingKind kind,
    Severity severity,
    std::uint32_t first_event,
    std::uint32_t last_event,
    std::string text
) {
    Finding finding;
    finding.kind = kind;
    finding.severity = severity;
    finding.first_step = step_near(first_event);
    finding.last_step = step_near(last_event);
    if (finding.first_step > finding.last_step) std::swap(finding.first_step, finding.last_step);
    if (last_event != no_index) finding.event_id = timeline.events[last_event].id;
    finding.text = std::move(text);
    timeline.findings.push_back(std::move(finding));
}

void sort_findings(Timeline& timeline) {
    std::vector<Finding>& findings = timeline.findings;
    const auto order = [](const Finding& a, const Finding& b) {
        if (a.severity != b.severity) return a.severity > b.severity;
        return std::tie(a.first_step, a.last_step, a.kind, a.event_id, a.text) <
               std::tie(b.first_step, b.last_step, b.kind, b.event_id, b.text);
    };
    std::sort(findings.begin(), findings.end(), order);
    std::array<std::size_t, finding_kind_names.size()> counts{};
    std::vector<Finding> kept;
    for (Finding& finding : findings) {
        if (++counts[static_cast<std::size_t>(finding.kind)] > findings_max) continue;
        kept.push_back(std::move(finding));
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] <= findings_max) continue;
        Finding more;
        more.kind = static_cast<FindingKind>(i);
        more.severity = Severity::info;
        more.text =
            fmt::format("{} more findings of this kind are not listed", counts[i] - findings_max);
        kept.push_back(std::move(more));
    }
    findings = std::move(kept);
}

}  // namespace spangate
