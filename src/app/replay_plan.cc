#include "app/replay_plan.h"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

namespace spangate {
namespace {

constexpr std::size_t reason_bytes_max = 1'024;

std::optional<std::uint32_t> number_from(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0) return {};
    return number;
}

Result<std::vector<StepKind>> kinds_from(const std::vector<std::string>& names) {
    std::vector<StepKind> kinds;
    for (const std::string& name : names) {
        bool is_known = false;
        for (std::size_t i = 0; i < step_kind_names.size(); ++i) {
            if (step_kind_names[i] != name) continue;
            kinds.push_back(static_cast<StepKind>(i));
            is_known = true;
        }
        if (is_known) continue;
        std::string all;
        for (const std::string_view known : step_kind_names)
            all += (all.empty() ? "" : ", ") + std::string(known);
        return fail(ErrorCode::invalid_argument, "--only " + name + ": one of " + all);
    }
    return kinds;
}

bool is_terminal() {
    return ::isatty(STDOUT_FILENO) != 0;
}

ReplayFormat automatic_format(const std::string& path) {
    if (path.ends_with(".html") || path.ends_with(".htm")) return ReplayFormat::html;
    if (path.ends_with(".jsonl")) return ReplayFormat::jsonl;
    if (path.ends_with(".json")) return ReplayFormat::json;
    if (!path.empty() || is_terminal()) return ReplayFormat::text;
    return ReplayFormat::jsonl;
}

ReplayFormat format_of(const ReplayArguments& arguments) {
    constexpr std::array<std::string_view, 6> names = {
        "text", "json", "jsonl", "html", "perfetto", "otlp"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (arguments.format == names[i]) return static_cast<ReplayFormat>(i);
    }
    if (arguments.verifies && arguments.output_path.empty()) return ReplayFormat::text;
    return automatic_format(arguments.output_path);
}

bool wants_colours() {
    const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): one thread
    return is_terminal() && (no_color == nullptr || *no_color == 0);
}

std::uint32_t terminal_columns() {
    constexpr std::uint32_t usual = 100;
    ::winsize size{};
    if (!is_terminal() || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return usual;
    }
    return size.ws_col;
}

Status check_sense(const ReplayArguments& arguments) {
    const char* fault = nullptr;
    if (!arguments.evidence.empty() && arguments.reason.empty()) {
        fault = "--evidence wants --reason TEXT: it is audited who reads evidence, and why";
    } else if (arguments.evidence.empty() && !arguments.reason.empty()) {
        fault = "--reason goes with --evidence";
    } else if (arguments.reason.size() > reason_bytes_max) {
        fault = "--reason wants at most 1024 bytes; it goes into the audit record";
    } else if (arguments.follows && !arguments.evidence.empty()) {
        fault = "--follow shows no evidence: read it when the session is over";
    } else if (arguments.follows && !arguments.output_path.empty()) {
        fault = "--follow writes to standard output";
    } else if (arguments.follows && (arguments.verifies || arguments.is_reversed)) {
        fault = "--follow goes with neither --verify nor --reverse";
    } else if (arguments.go_to > 0 && !arguments.steps.empty()) {
        fault = "give --goto or --steps, not both";
    } else if (arguments.budget_usd < 0) {
        fault = "--budget wants an amount in USD";
    }
    if (fault != nullptr) return fail(ErrorCode::invalid_argument, fault);
    return {};
}

}  // namespace

Result<StepRange> step_range_from(const std::string& option, const std::string& text) {
    const Error fault{
        ErrorCode::invalid_argument,
        option + " " + text + ": a step's number, A..B, A.., ..B or all, counted from 1"};
    if (text == "all") return StepRange{1, UINT32_MAX};
    const std::size_t dots = text.find("..");
    if (dots == std::string::npos) {
        const std::optional<std::uint32_t> number = number_from(text);
        if (!number) return tl::unexpected(fault);
        return StepRange{*number, *number};
    }
    StepRange range{1, UINT32_MAX};
    const std::string_view first = std::string_view(text).substr(0, dots);
    const std::string_view last = std::string_view(text).substr(dots + 2);
    if (first.empty() && last.empty()) return tl::unexpected(fault);
    if (!first.empty()) {
        const std::optional<std::uint32_t> number = number_from(first);
        if (!number) return tl::unexpected(fault);
        range.first = *number;
    }
    if (!last.empty()) {
        const std::optional<std::uint32_t> number = number_from(last);
        if (!number || *number < range.first) return tl::unexpected(fault);
        range.second = *number;
    }
    return range;
}

Result<ReplayPlan> plan_replay(const ReplayArguments& arguments) {
    if (Status sound = check_sense(arguments); !sound) return tl::unexpected(sound.error());
    ReplayPlan plan;
    plan.format = format_of(arguments);
    const bool is_lines = plan.format == ReplayFormat::text || plan.format == ReplayFormat::jsonl;
    if (arguments.follows && !is_lines) {
        return fail(ErrorCode::invalid_argument, "--follow writes text or jsonl");
    }
    ReplayView& view = plan.view;
    if (!arguments.steps.empty()) {
        const Result<StepRange> range = step_range_from("--steps", arguments.steps);
        if (!range) return tl::unexpected(range.error());
        std::tie(view.first_step, view.last_step) = *range;
    }
    if (arguments.go_to > 0) view.first_step = view.last_step = arguments.go_to;
    Result<std::vector<StepKind>> kinds = kinds_from(arguments.only);
    if (!kinds) return tl::unexpected(kinds.error());
    view.only = std::move(*kinds);
    view.grep = arguments.grep;
    view.is_reversed = arguments.is_reversed;
    view.folds_loops = !arguments.unfolds_loops;
    view.shows_whole = arguments.go_to > 0;
    view.lists_content = arguments.lists_content;
    view.findings_only = arguments.verifies;
    view.has_colours =
        plan.format == ReplayFormat::text && arguments.output_path.empty() && wants_colours();
    view.columns = arguments.output_path.empty() ? terminal_columns() : 100;
    // What is written for programs or files to compare stays the same from run to run.
    if (plan.format == ReplayFormat::html) view.made_at = SystemClock().wall_nanos();
    const bool lists_steps = plan.format == ReplayFormat::text && !view.shows_whole;
    plan.reads_details = !view.findings_only && (!lists_steps || view.lists_content ||
                                                 !view.grep.empty() || !arguments.evidence.empty());
    return plan;
}

}  // namespace spangate
