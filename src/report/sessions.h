// `spangate sessions`: the list of a SessionLedger, for people and for machines.
#pragma once

#include <cstddef>
#include <ostream>

#include "report/session_ledger.h"

namespace spangate {

struct SessionsView {
    SessionOrder order = SessionOrder::worst;
    std::size_t limit = 50;  // 0: all
    bool has_colours = false;
};

// A table of at most 100 columns, and a line of totals.
void write_sessions_text(const SessionLedger& ledger, const SessionsView& view, std::ostream& out);

// One object a line; its members are described in report/README.md.
void write_sessions_json(const SessionLedger& ledger, const SessionsView& view, std::ostream& out);

// The members of one session's object, without its braces; `report` shows the same.
void append_session_json(const SessionLedger& ledger, const SessionSums& session, std::string& out);

// The members of sums, without braces.
void append_sums_json(const RunSums& sums, std::string& out);

// «L1 L11», «gap 2», «open 1»: what makes a session stand where it stands.
[[nodiscard]] std::string session_flags(const SessionSums& session);

// «$1.83», «1.2M», what lists show of sums.
[[nodiscard]] std::string short_count(std::int64_t count);

// «09-21 10:15», in UTC.
[[nodiscard]] std::string short_time(WallNanos at);

}  // namespace spangate
