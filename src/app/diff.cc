#include "replay/diff.h"

#include <csignal>
#include <iostream>
#include <utility>

#include "app/reading_commands.h"
#include "app/terminal.h"

namespace spangate {
namespace {

Result<Timeline> read_side(const ReadingPlace& place, const std::string& session_id) {
    TimelineSettings settings;
    settings.tenant_id = place.tenant_id;
    settings.session_id = session_id;
    settings.readable = {EventClass::operational, EventClass::detail};
    settings.guard = place.config.guard;
    EventQuery query;
    query.session_id = session_id;
    return read_timeline(place, std::move(query), std::move(settings));
}

Alignment alignment_of(const std::string& name) {
    if (name == "state") return Alignment::state;
    return name == "position" ? Alignment::position : Alignment::tool_args;
}

}  // namespace

ExitCode diff(const DiffArguments& arguments) {
    const auto place = reading_place_of("diff", arguments.from);
    if (!place) return place.error();
    Result<Timeline> left = read_side(*place, arguments.left);
    if (!left) return reading_failure("diff", left.error());
    Result<Timeline> right = read_side(*place, arguments.right);
    if (!right) return reading_failure("diff", right.error());
    DiffSettings settings;
    settings.alignment = alignment_of(arguments.alignment);
    settings.shows_all = arguments.shows_all;
    settings.has_colours = !arguments.prints_json && wants_colours();
    const SessionDiff found = diff_sessions(*left, *right, settings);
    std::signal(SIGPIPE, SIG_IGN);  // `| head` is no failure
    if (arguments.prints_json) {
        write_diff_json(*left, *right, found, settings, std::cout);
    } else {
        write_diff_text(*left, *right, found, settings, std::cout);
    }
    std::cout.flush();
    return found.is_diverged() ? ExitCode::findings : ExitCode::clean;
}

}  // namespace spangate
