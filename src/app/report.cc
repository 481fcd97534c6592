#include "report/report.h"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "app/read_sessions.h"
#include "app/reading_commands.h"
#include "app/terminal.h"
#include "base/clock.h"

namespace spangate {
namespace {

void write(
    const std::string& format,
    const SessionLedger& ledger,
    const ReportView& view,
    std::ostream& out
) {
    if (format == "json") {
        write_report_json(ledger, view, out);
    } else if (format == "html") {
        write_report_html(ledger, view, out);
    } else {
        write_report_text(ledger, view, out);
    }
    out.flush();
}

}  // namespace

ExitCode report(const ReportArguments& arguments) {
    const auto place = reading_place_of("report", arguments.from);
    if (!place) return place.error();
    const std::string& path = arguments.output_path;
    std::ofstream file;
    // Before the reading, which may take long.
    if (!path.empty()) file.open(path, std::ios::binary | std::ios::trunc);
    if (!path.empty() && !file) {
        std::fprintf(stderr, "spangate report: cannot write %s\n", path.c_str());
        return ExitCode::broken;
    }
    SessionLedger ledger(place->config.guard, SessionOrder::worst, {});
    const Result<std::uint64_t> damaged = read_sessions(*place, arguments.session_id, ledger);
    if (!damaged) return reading_failure("report", damaged.error());
    if (!arguments.session_id.empty() && ledger.sessions() == 0) {
        return reading_failure(
            "report", Error{ErrorCode::not_found, "there is no session " + arguments.session_id}
        );
    }
    ReportView view;
    view.source = source_of(*place);
    view.made_at = SystemClock().wall_nanos();
    view.damaged = *damaged;
    view.has_colours = path.empty() && wants_colours();
    std::signal(SIGPIPE, SIG_IGN);  // `| head` is no failure
    std::ostream& out = path.empty() ? std::cout : file;
    write(arguments.format, ledger, view, out);
    if (!path.empty() && !out.good()) {
        std::fprintf(stderr, "spangate report: cannot write %s\n", path.c_str());
        return ExitCode::broken;
    }
    return ExitCode::clean;
}

}  // namespace spangate
