// The end of the text report: what came of all bodies together.
#include <algorithm>

#include <fmt/format.h>

#include "app/explain_text.h"

namespace spangate {
namespace {

constexpr std::size_t text_column = 14;
constexpr std::size_t unnamed_keys_max = 25;

using Counts = std::vector<std::pair<std::string, std::size_t>>;

Counts most_first(const std::map<std::string, std::size_t>& counts) {
    Counts sorted(counts.begin(), counts.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.second > b.second;
    });
    return sorted;
}

}  // namespace

void ExplainText::counts(std::string_view name, const std::map<std::string, std::size_t>& counts) {
    if (counts.empty()) return;
    std::string text;
    for (const auto& [what, count] : most_first(counts))
        text += fmt::format("{}{} {}", text.empty() ? "" : " · ", what, count);
    label(name);
    wrapped(text, text_column);
    end_line();
}

std::string_view ExplainText::totals(const ExplainTotals& totals) {
    begin();
    end_line();
    const std::size_t kept = totals.items - totals.dropped_other - totals.dropped_partial;
    put(fmt::format("{} item{}", totals.items, totals.items == 1 ? "" : "s"), Style::bold);
    std::string text = fmt::format(": {} kept", kept);
    if (totals.dropped_other > 0)
        text += fmt::format(", {} dropped as other", totals.dropped_other);
    if (totals.dropped_partial > 0)
        text += fmt::format(", {} unfinished copies dropped", totals.dropped_partial);
    if (totals.rejected > 0) text += fmt::format(", {} refused as invalid", totals.rejected);
    wrapped(text, text_column);
    end_line();
    counts("events", totals.events);
    counts("conventions", totals.conventions);
    counts("sessions", totals.sessions);
    if (totals.unnamed_keys.empty()) return out_;
    const Counts keys = most_first(totals.unnamed_keys);
    end_line();
    put("keys that no table names", Style::bold);
    wrapped(
        ": content by default, and candidates for a rule or a field of your own",
        text_column,
        Style::dim
    );
    end_line();
    for (std::size_t i = 0; i < std::min(keys.size(), unnamed_keys_max); ++i) {
        put(fmt::format("{:>8} × ", keys[i].second), Style::dim);
        wrapped(keys[i].first, text_column, Style::hint);
        end_line();
    }
    if (keys.size() <= unnamed_keys_max) return out_;
    put(fmt::format("           … and {} more (--json tells all)", keys.size() - unnamed_keys_max),
        Style::dim);
    end_line();
    return out_;
}

}  // namespace spangate
