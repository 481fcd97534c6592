// Where a command of the reading side reads from, and with whose rights: the caller's own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "app/commands.h"
#include "base/result.h"
#include "config/config.h"
#include "session/event_reader.h"
#include "timeline/timeline_builder.h"

namespace spangate {

// What every reading command takes.
struct ReadingArguments {
    std::string config_path;
    std::string brokers;    // over the configuration's: host:port,…
    std::string directory;  // --from: JSONL files instead of Kafka
    std::string tenant_id;
    std::string since;
    bool reads_all_partitions = false;
};

struct ReadingPlace {
    std::string directory;  // empty: Kafka
    Config config;
    std::string tenant_id;           // --tenant
    std::optional<WallNanos> since;  // --since
    bool reads_all_partitions = false;

    // `since` is the place's where the query has none.
    [[nodiscard]] Result<std::unique_ptr<EventReader>> open(EventQuery query) const;
};

// Says on standard error what is wrong: «spangate <command>: …».
[[nodiscard]] tl::expected<ReadingPlace, ExitCode> reading_place_of(
    const char* command, const ReadingArguments& arguments
);

// The exit code of the contract for an error, which it prints.
ExitCode reading_failure(const char* command, const Error& error);

// Reads one session whole, follows its aliases, and puts its timeline together. A class that the
// caller may not read, or that is not there at all, is left out of `settings.readable`; operational
// must be readable. The classes are those of `settings.readable`; `not_found` when nothing of the
// session is there. What the query or the settings leave open (tenant, since, now) is the place's.
[[nodiscard]] Result<Timeline> read_timeline(
    const ReadingPlace& place, EventQuery query, TimelineSettings settings
);

}  // namespace spangate
