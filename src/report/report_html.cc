// A page of tables: no script, nothing fetched, light and dark, readable when printed.
#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/figures.h"
#include "report/report.h"
#include "report/sessions.h"
#include "session/event_line.h"

namespace spangate {
namespace {

constexpr std::size_t rows_default = 500;

constexpr std::string_view page_begin = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Run report</title>
<style>
:root { --ground: #ffffff; --card: #f5f7f9; --text: #17202a; --quiet: #51606e; --line: #d5dce3;
  --accent: #1f5f99; --bar: #b9d3ea; --bad: #a3201c; --bad-ground: #fde8e7; --warn: #7a4b00;
  --warn-ground: #fdf1d8; --good: #1d6336; --good-ground: #e3f4e8; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161b; --card: #1b2128; --text: #e6ebf0;
  --quiet: #a3b0bd; --line: #333d47; --accent: #84bdf0; --bar: #27496a; --bad: #ffa8a3;
  --bad-ground: #4a1c1a; --warn: #f5cc7f; --warn-ground: #43310c; --good: #93d9ab;
  --good-ground: #15381f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; color: var(--quiet); }
a { color: var(--accent); }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .5rem 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0;
  margin: .75rem 0 0; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .75rem;
  margin: 1rem 0 0; }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .8rem; }
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; }
dd.figure { font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dd.note { color: var(--quiet); font-size: .8rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
.scroll:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; padding: .5rem .75rem; color: var(--quiet); font-size: .85rem; }
th, td { padding: .35rem .75rem; text-align: left; border-top: 1px solid var(--line);
  white-space: nowrap; }
thead th { background: var(--card); font-weight: 600; }
tbody th { font-weight: 500; max-width: 24rem; overflow-wrap: anywhere; white-space: normal; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.share { min-width: 8rem; }
.share span { display: block; height: .7rem; border-radius: .2rem; background: var(--bar);
  min-width: 1px; }
.chip { display: inline-block; border-radius: .9rem; padding: 0 .6rem; font-size: .8rem;
  font-weight: 600; }
.critical { color: var(--bad); background: var(--bad-ground); }
.warning { color: var(--warn); background: var(--warn-ground); }
.ok { color: var(--good); background: var(--good-ground); }
footer { padding: 1.5rem 1.25rem 3rem; font-size: .85rem; }
@media print { .scroll { overflow: visible; border: 0; } nav, .skip { display: none; } }
</style>
</head>
<body>
<a class="skip" href="#sessions">To the sessions</a>
)";

// Text as text, whatever it holds: neither markup nor direction marks come through.
std::string markup(std::string_view text) {
    std::string harmless;
    append_harmless(text, harmless);
    std::string out;
    for (const char c : harmless) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string count(std::uint64_t value) {
    return count_words(static_cast<std::int64_t>(value));
}

std::string milliseconds(double duration_ms) {
    return duration_words(static_cast<WallNanos>(duration_ms * 1e6));
}

class ReportPage {
  public:
    ReportPage(const SessionLedger& ledger, const ReportView& view, std::ostream& out)
        : ledger_(ledger),
          view_(view),
          rows_max_(view.rows_max > 0 ? view.rows_max : rows_default),
          tenants_(ledger.tenants()),
          out_(out) {}

    void write() {
        out_ << page_begin;
        head();
        out_ << "<main>\n";
        totals();
        sessions();
        if (tenants_.size() > 1) group("tenants", "Tenants", tenants_);
        group("agents", "Agents", ledger_.agents());
        group("models", "Models", ledger_.models());
        group("tools", "Tools", ledger_.tools());
        out_ << "</main>\n<footer>\n";
        for (const std::string& note : report_notes(ledger_, view_))
            out_ << "<p>" << markup(note) << "</p>\n";
        if (!view_.command.empty()) {
            out_ << "<p>Made by <code>" << markup(view_.command) << "</code></p>\n";
        }
        out_ << "</footer>\n</body>\n</html>\n";
    }

  private:
    void head() {
        out_ << "<header>\n<h1>Run report</h1>\n";
        if (!view_.source.empty()) out_ << "<p>" << markup(view_.source) << "</p>\n";
        if (ledger_.ended_at() > 0) {
            out_ << "<p>" << to_rfc3339(ledger_.started_at()).substr(0, 19) << "Z to "
                 << to_rfc3339(ledger_.ended_at()).substr(0, 19) << "Z</p>\n";
        }
        if (view_.made_at > 0) {
            out_ << "<p>Made at " << to_rfc3339(view_.made_at).substr(0, 19) << "Z</p>\n";
        }
        out_ << "<nav aria-label=\"Sections\"><ul>";
        link("sessions", "Sessions", ledger_.sessions() > 0);
        link("tenants", "Tenants", tenants_.size() > 1);
        link("agents", "Agents", !ledger_.agents().empty());
        link("models", "Models", !ledger_.models().empty());
        link("tools", "Tools", !ledger_.tools().empty());
        out_ << "</ul></nav>\n</header>\n";
    }

    void link(std::string_view id, std::string_view title, bool is_there) {
        if (is_there) out_ << "<li><a href=\"#" << id << "\">" << title << "</a></li>";
    }

    void fact(std::string_view name, const std::string& figure, const std::string& note = {}) {
        out_ << "<div><dt>" << name << "</dt><dd class=\"figure\">" << figure << "</dd>";
        if (!note.empty()) out_ << "<dd class=\"note\">" << markup(note) << "</dd>";
        out_ << "</div>\n";
    }

    void totals() {
        const RunSums sums = ledger_.totals();
        out_ << "<section aria-label=\"Totals\">\n<dl>\n";
        fact("Sessions", count(ledger_.sessions()));
        fact("Steps", count(sums.steps));
        fact("Model calls", count(sums.inferences), milliseconds(sums.inference_ms));
        fact("Tool calls", count(sums.tool_calls), milliseconds(sums.tool_ms));
        fact("Errors", count(ledger_.errors()));
        fact("Loops", count(ledger_.loops()));
        fact("Retries", count(sums.retries));
        fact("Handoffs", count(sums.handoffs));
        fact(
            "Tokens",
            short_count(sums.tokens()),
            fmt::format(
                "{} in, {} cached, {} out",
                short_count(sums.tokens_prompt),
                short_count(sums.tokens_cache_read),
                short_count(sums.tokens_completion)
            )
        );
        fact("Cost", "$" + money_words(sums.cost_usd));
        fact("Busy", milliseconds(sums.busy_ms), "model and tool calls added up");
        fact("Wall time", duration_words(ledger_.wall_duration()), "sessions added up");
        out_ << "</dl>\n</section>\n";
    }

    void table(std::string_view id, std::string_view title, std::size_t shown, std::size_t all) {
        out_ << "<section id=\"" << id << "\" aria-labelledby=\"" << id << "-title\">\n<h2 id=\""
             << id << "-title\">" << title
             << "</h2>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\""
             << " aria-labelledby=\"" << id << "-title\">\n<table>\n<caption>";
        if (shown < all) {
            out_ << "The first " << count(shown) << " of " << count(all);
        } else {
            out_ << count(all) << (all == 1 ? " row" : " rows");
        }
        out_ << (id == "sessions" ? ", the worst first" : ", the most expensive first")
             << "</caption>\n<thead><tr>";
    }

    void heads(std::initializer_list<std::string_view> names) {
        for (const std::string_view name : names)
            out_ << "<th scope=\"col\" class=\"n\">" << name << "</th>";
    }

    void end_table() { out_ << "</tbody>\n</table>\n</div>\n</section>\n"; }

    void cell(const std::string& text) { out_ << "<td class=\"n\">" << text << "</td>"; }

    void sums(const RunSums& sums) {
        cell(count(sums.steps));
        cell(count(sums.inferences));
        cell(count(sums.tool_calls));
        cell(count(sums.errors()));
        cell(count_words(sums.tokens()));
        cell(money_words(sums.cost_usd));
        cell(milliseconds(sums.busy_ms));
    }

    void share(double part, double whole) {
        const double percent = whole > 0 ? 100 * part / whole : 0;
        out_ << fmt::format(
            "<td class=\"share\" title=\"{0:.1f} % of all cost\"><span style=\"width:{0:.1f}%\">"
            "</span></td>",
            percent
        );
    }

    [[nodiscard]] std::string full_name(std::string_view tenant, std::string_view name) const {
        if (name.empty()) return markup(tenant);
        return tenants_.size() > 1 ? markup(fmt::format("{}/{}", tenant, name)) : markup(name);
    }

    void sessions() {
        const std::vector<const SessionSums*> listed = ledger_.listed(rows_max_);
        if (listed.empty()) {
            out_ << "<p id=\"sessions\">No sessions.</p>\n";
            return;
        }
        table("sessions", "Sessions", listed.size(), ledger_.sessions());
        out_ << "<th scope=\"col\">Session</th><th scope=\"col\">Verdict</th>"
                "<th scope=\"col\">Signals</th>";
        heads({"Steps", "Models", "Tools", "Errors", "Tokens", "USD", "Busy", "Lasted", "Ended"});
        out_ << "</tr></thead>\n<tbody>\n";
        constexpr std::array<std::string_view, 3> symbols = {"✓", "!", "✗"};
        for (const SessionSums* const session : listed) {
            const Verdict verdict = session->verdict();
            out_ << "<tr><th scope=\"row\">" << full_name(session->tenant_id, session->session_id)
                 << "</th><td><span class=\"chip " << name_of(verdict) << "\">"
                 << symbols[static_cast<std::size_t>(verdict)] << ' ' << name_of(verdict)
                 << "</span></td><td>" << markup(session_flags(*session)) << "</td>";
            sums(session->sums);
            cell(duration_words(session->duration()));
            cell(to_rfc3339(session->ended_at).substr(0, 19) + "Z");
            out_ << "</tr>\n";
        }
        end_table();
    }

    void group(std::string_view id, std::string_view title, const SessionLedger::Groups& groups) {
        if (groups.empty()) return;
        const std::vector<ReportRow> rows = rows_of(groups);
        const std::size_t shown = std::min(rows_max_, rows.size());
        table(id, title, shown, rows.size());
        out_ << "<th scope=\"col\">Name</th>";
        heads({"Steps", "Models", "Tools", "Errors", "Tokens", "USD", "Busy"});
        out_ << "<th scope=\"col\">Share of cost</th></tr></thead>\n<tbody>\n";
        double whole = 0;
        for (const ReportRow& row : rows)
            whole += row.group->sums.cost_usd;
        for (std::size_t i = 0; i < shown; ++i) {
            out_ << "<tr><th scope=\"row\">" << full_name(rows[i].tenant, rows[i].name) << "</th>";
            sums(rows[i].group->sums);
            share(rows[i].group->sums.cost_usd, whole);
            out_ << "</tr>\n";
        }
        end_table();
    }

    const SessionLedger& ledger_;
    const ReportView& view_;
    const std::size_t rows_max_;
    const SessionLedger::Groups tenants_;
    std::ostream& out_;
};

}  // namespace

void write_report_html(const SessionLedger& ledger, const ReportView& view, std::ostream& out) {
    ReportPage(ledger, view, out).write();
}

}  // namespace spangate
