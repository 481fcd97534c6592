#include <iterator>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"
#include "report/report.h"
#include "report/sessions.h"

namespace spangate {
namespace {

void write_groups(
    std::string_view name,
    const SessionLedger::Groups& groups,
    bool is_of_tenants,
    std::ostream& out
) {
    out << ",\"" << name << "\":[";
    std::string row;
    const char* comma = "";
    for (const ReportRow& group : rows_of(groups)) {
        row = fmt::format(R"({}{{"tenant_id":{},)", comma, json_quote(group.tenant));
        if (is_of_tenants) {
            fmt::format_to(std::back_inserter(row), R"("sessions":{},)", group.group->sessions);
        } else {
            fmt::format_to(std::back_inserter(row), R"("name":{},)", json_quote(group.name));
        }
        append_sums_json(group.group->sums, row);
        out << row << '}';
        comma = ",";
    }
    out << ']';
}

}  // namespace

void write_report_json(const SessionLedger& ledger, const ReportView& view, std::ostream& out) {
    std::string head = "{\"spangate_report\":1";
    if (!view.source.empty()) head += ",\"source\":" + json_quote(view.source);
    if (view.made_at > 0) head += ",\"made_at\":\"" + to_rfc3339(view.made_at) + '"';
    if (ledger.ended_at() > 0) {
        fmt::format_to(
            std::back_inserter(head),
            R"(,"started_at":"{}","ended_at":"{}")",
            to_rfc3339(ledger.started_at()),
            to_rfc3339(ledger.ended_at())
        );
    }
    fmt::format_to(
        std::back_inserter(head),
        R"(,"totals":{{"sessions":{},"loops":{},"wall_ms":{:.3f},)",
        ledger.sessions(),
        ledger.loops(),
        static_cast<double>(ledger.wall_duration()) / 1e6
    );
    RunSums totals = ledger.totals();
    totals.failed_steps = ledger.errors();
    append_sums_json(totals, head);
    out << head << '}';
    write_groups("tenants", ledger.tenants(), true, out);
    write_groups("agents", ledger.agents(), false, out);
    write_groups("models", ledger.models(), false, out);
    write_groups("tools", ledger.tools(), false, out);
    out << ",\"sessions\":[";
    std::string row;
    const char* comma = "";
    for (const SessionSums* const session : ledger.listed(view.rows_max)) {
        row = fmt::format("{}{{", comma);
        append_session_json(ledger, *session, row);
        out << row << '}';
        comma = ",";
    }
    out << fmt::format(
               R"(],"left_out":{{"repeats":{},"doubles":{},"damaged":{},"closed_sessions":{}}}}})",
               ledger.repeats(),
               ledger.doubles(),
               view.damaged,
               ledger.closed()
           )
        << '\n';
}

}  // namespace spangate
