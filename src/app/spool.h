// `spangate spool check | dump | repair`: the command lines of spool/spool_survey.h and
// spool_repair.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "base/result.h"
#include "spool/spool_space.h"

namespace spangate {

struct SpoolArguments {
    std::string config_path;
    std::string directory;             // --from, over the configuration's
    std::vector<std::string> classes;  // empty: all lines
    bool prints_json = false;
    bool shows_values = false;  // dump only
};

// A line whose directory is to be looked at.
using SpoolPlace = std::pair<SpoolLine, std::string>;

struct SpoolPlaces {
    std::string directory;  // of the spool
    std::vector<SpoolPlace> lines;
};

// Where to look; an error was told on stderr, as `spangate spool <command>: …`.
[[nodiscard]] tl::expected<SpoolPlaces, ExitCode> spool_places(
    const SpoolArguments& arguments, const char* command
);

[[nodiscard]] ExitCode spool_failure(const char* command, const Error& error);

// 0: all is whole; 1: damage, or something in a quarantine; 3: no spool there. Works beside a
// gateway.
[[nodiscard]] ExitCode check_spool(const SpoolArguments& arguments);

// One line a record that is not acknowledged, oldest first in each class. Values only when asked
// for, and those of evidence only when that class is named. 1: damage was passed over; 3: no spool
// there.
[[nodiscard]] ExitCode dump_spool(const SpoolArguments& arguments);

// 0: in order, or put so; 2: a gateway works on it; 3: no spool there.
[[nodiscard]] ExitCode repair_spool(const SpoolArguments& arguments);

}  // namespace spangate
