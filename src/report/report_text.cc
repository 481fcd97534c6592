#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/columns.h"
#include "replay/figures.h"
#include "report/report.h"
#include "report/sessions.h"

namespace spangate {
namespace {

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view plain = "\x1b[0m";
constexpr std::size_t rows_default = 20;
constexpr std::size_t name_columns = 38;

std::string count(std::uint64_t value) {
    return count_words(static_cast<std::int64_t>(value));
}

std::string milliseconds(double duration_ms) {
    return duration_words(static_cast<WallNanos>(duration_ms * 1e6));
}

class ReportText {
  public:
    ReportText(const SessionLedger& ledger, const ReportView& view, std::ostream& out)
        : ledger_(ledger),
          view_(view),
          rows_max_(view.rows_max > 0 ? view.rows_max : rows_default),
          out_(out) {}

    void write() {
        head();
        totals();
        const SessionLedger::Groups tenants = ledger_.tenants();
        with_tenant_ = tenants.size() > 1;
        if (with_tenant_) group("Tenants", tenants);
        sessions();
        group("Agents", ledger_.agents());
        group("Models", ledger_.models());
        group("Tools", ledger_.tools());
        notes();
    }

  private:
    [[nodiscard]] std::string_view style(std::string_view code) const {
        return view_.has_colours ? code : std::string_view();
    }

    void title(std::string_view text) {
        out_ << '\n' << style(bold) << text << style(plain) << '\n';
    }

    void head() {
        out_ << style(bold) << "Run report" << style(plain);
        if (!view_.source.empty()) {
            std::string source = "  ";
            append_cut(view_.source, 80, source);
            out_ << source;
        }
        out_ << '\n';
        if (ledger_.ended_at() == 0) return;
        out_ << to_rfc3339(ledger_.started_at()).substr(0, 19) << "Z to "
             << to_rfc3339(ledger_.ended_at()).substr(0, 19) << "Z\n";
    }

    void fact(std::string_view name, const std::string& value, std::string_view note = {}) {
        std::string line = "  ";
        append_left(name, 16, line);
        append_right(value, 14, line);
        if (!note.empty()) line += "   " + std::string(note);
        out_ << line << '\n';
    }

    void totals() {
        const RunSums sums = ledger_.totals();
        title("Totals");
        fact("sessions", count(ledger_.sessions()));
        fact("steps", count(sums.steps));
        fact("model calls", count(sums.inferences), milliseconds(sums.inference_ms));
        fact("tool calls", count(sums.tool_calls), milliseconds(sums.tool_ms));
        fact("retries", count(sums.retries));
        fact("errors", count(ledger_.errors()));
        fact("loops", count(ledger_.loops()));
        fact(
            "tokens",
            count_words(sums.tokens()),
            fmt::format(
                "{} in ({} cached), {} out",
                count_words(sums.tokens_prompt),
                count_words(sums.tokens_cache_read),
                count_words(sums.tokens_completion)
            )
        );
        fact("cost, USD", money_words(sums.cost_usd));
        fact(
            "busy", milliseconds(sums.busy_ms), "model and tool calls by their own clocks, added up"
        );
        fact(
            "wall time",
            duration_words(ledger_.wall_duration()),
            "from first to last event of each session, added up"
        );
    }

    void heading(std::string_view name) {
        std::string line = "  ";
        append_left(name, name_columns, line);
        line += "   steps  models   tools   errs   tokens      USD     busy";
        out_ << style(dim) << line << style(plain) << '\n';
    }

    void row(const std::string& name, const RunSums& sums, const std::string& note) {
        std::string line = "  ";
        append_left(name, name_columns, line);
        const auto add = [&line](const std::string& figure, std::size_t columns) {
            append_right(figure, columns, line);
        };
        add(short_count(static_cast<std::int64_t>(sums.steps)), 8);
        add(short_count(static_cast<std::int64_t>(sums.inferences)), 8);
        add(short_count(static_cast<std::int64_t>(sums.tool_calls)), 8);
        add(short_count(static_cast<std::int64_t>(sums.errors())), 7);
        add(short_count(sums.tokens()), 9);
        add(money_words(sums.cost_usd), 9);
        add(milliseconds(sums.busy_ms), 9);
        if (!note.empty()) line += "  " + note;
        out_ << line << '\n';
    }

    void more(std::size_t shown, std::size_t all) {
        if (shown < all) out_ << fmt::format("  … and {} more\n", count(all - shown));
    }

    [[nodiscard]] std::string full_name(std::string_view tenant, std::string_view name) const {
        if (name.empty()) return std::string(tenant);
        return with_tenant_ ? fmt::format("{}/{}", tenant, name) : std::string(name);
    }

    void sessions() {
        const std::vector<const SessionSums*> listed = ledger_.listed(rows_max_);
        if (listed.empty()) return;
        title("Sessions, the worst first");
        heading("session");
        for (const SessionSums* const session : listed) {
            std::string name = session->verdict() == Verdict::critical  ? "!! "
                               : session->verdict() == Verdict::warning ? "!  "
                                                                        : "   ";
            name += full_name(session->tenant_id, session->session_id);
            row(name, session->sums, {});
        }
        more(listed.size(), ledger_.sessions());
    }

    void group(std::string_view name, const SessionLedger::Groups& groups) {
        if (groups.empty()) return;
        title(name);
        heading("name");
        const std::vector<ReportRow> rows = rows_of(groups);
        const std::size_t shown = std::min(rows_max_, rows.size());
        for (std::size_t i = 0; i < shown; ++i)
            row(full_name(rows[i].tenant, rows[i].name), rows[i].group->sums, {});
        more(shown, rows.size());
    }

    void notes() {
        out_ << '\n';
        for (const std::string& note : report_notes(ledger_, view_))
            out_ << note << '\n';
    }

    const SessionLedger& ledger_;
    const ReportView& view_;
    const std::size_t rows_max_;
    std::ostream& out_;
    bool with_tenant_ = false;
};

}  // namespace

std::vector<ReportRow> rows_of(const SessionLedger::Groups& groups) {
    std::vector<ReportRow> rows;
    rows.reserve(groups.size());
    for (const auto& [name, group] : groups)
        rows.push_back({name.first, name.second, &group});
    std::stable_sort(rows.begin(), rows.end(), [](const ReportRow& a, const ReportRow& b) {
        const RunSums& left = a.group->sums;
        const RunSums& right = b.group->sums;
        return std::tie(left.cost_usd, left.steps) > std::tie(right.cost_usd, right.steps);
    });
    return rows;
}

std::vector<std::string> report_notes(const SessionLedger& ledger, const ReportView& view) {
    std::vector<std::string> notes = {
        "Usage is counted once: what gateways mark as counted, and each answer of a model once."};
    const auto add = [&notes](std::uint64_t value, std::string_view what) {
        if (value > 0) notes.push_back(fmt::format("{} {}", count(value), what));
    };
    add(ledger.doubles(), "tellings of usage by a second gateway were left out.");
    add(ledger.repeats(), "repeated records were left out.");
    add(view.damaged, "records could not be read.");
    add(ledger.closed(), "sessions were closed to make room: one that went on counts twice.");
    add(ledger.detectors_dropped(), "quiet sessions' loops were not followed to their end.");
    return notes;
}

void write_report_text(const SessionLedger& ledger, const ReportView& view, std::ostream& out) {
    ReportText(ledger, view, out).write();
}

}  // namespace spangate
