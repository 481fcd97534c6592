#include "report/sessions.h"

#include <csignal>
#include <cstdio>
#include <iostream>

#include "app/read_sessions.h"
#include "app/reading_commands.h"
#include "app/terminal.h"

namespace spangate {

ExitCode list_sessions(const SessionsArguments& arguments) {
    SessionsView view;
    for (std::size_t i = 0; i < session_order_names.size(); ++i) {
        if (session_order_names[i] == arguments.sort) view.order = static_cast<SessionOrder>(i);
    }
    view.limit = arguments.limit;
    view.has_colours = !arguments.prints_json && wants_colours();
    const auto place = reading_place_of("sessions", arguments.from);
    if (!place) return place.error();
    SessionLedgerLimits limits;
    if (view.limit > 0) limits.kept_max = view.limit;
    SessionLedger ledger(place->config.guard, view.order, limits);
    const Result<std::uint64_t> damaged = read_sessions(*place, {}, ledger);
    if (!damaged) return reading_failure("sessions", damaged.error());
    std::signal(SIGPIPE, SIG_IGN);  // `| head` is no failure
    if (arguments.prints_json) {
        write_sessions_json(ledger, view, std::cout);
    } else {
        write_sessions_text(ledger, view, std::cout);
    }
    std::cout.flush();
    if (*damaged > 0) {
        std::fprintf(
            stderr,
            "spangate sessions: %llu records could not be read\n",
            static_cast<unsigned long long>(*damaged)
        );
    }
    return ExitCode::clean;
}

}  // namespace spangate
