// `spangate report`: what the sessions of a SessionLedger add up to, as a run report: in all, and
// by tenant, session, agent, model and tool.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "report/session_ledger.h"

namespace spangate {

struct ReportView {
    std::string source;         // where the events were read: «--from DIR», «topic on brokers»
    std::string command;        // how the report was asked for; empty: not told
    WallNanos made_at = 0;      // 0: not told, so that output is reproducible
    std::uint64_t damaged = 0;  // records that could not be read
    bool has_colours = false;
    std::size_t rows_max = 0;  // of each table; 0: the format's own: text 20, HTML 500, JSON all
};

void write_report_text(const SessionLedger& ledger, const ReportView& view, std::ostream& out);

// One object; its members are described in report/README.md.
void write_report_json(const SessionLedger& ledger, const ReportView& view, std::ostream& out);

// One page that needs no script and asks for nothing else.
void write_report_html(const SessionLedger& ledger, const ReportView& view, std::ostream& out);

// One row of a table by agent, model, tool or tenant.
struct ReportRow {
    std::string_view tenant;
    std::string_view name;
    const SessionLedger::Group* group = nullptr;
};

// Most expensive first, then by steps, then by name. `groups` outlives the rows.
[[nodiscard]] std::vector<ReportRow> rows_of(const SessionLedger::Groups& groups);

// What was left out of the sums, and by which rule; a sentence each.
[[nodiscard]] std::vector<std::string> report_notes(
    const SessionLedger& ledger, const ReportView& view
);

}  // namespace spangate
