// `spangate tail`: events from Kafka or from JSONL files, one a line, for people or for programs.
#pragma once

#include <atomic>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "model/event_type.h"

namespace spangate {

// Which events are shown; what is empty is not asked for. An event passes when it is of one of the
// sessions, of one of the agents (by name or id) and of one of the tools.
struct TailFilter {
    std::string tenant_id;
    std::vector<std::string> session_ids;
    std::vector<std::string> agents;
    std::vector<std::string> tools;
};

struct TailOptions {
    std::string directory;            // JSONL files; empty: Kafka
    std::vector<EventClass> classes;  // empty: operational
    TailFilter filter;
    std::optional<WallNanos> since;  // by ts_received; nothing: all when not following
    bool follows = false;            // goes on with new events until stopped
    bool prints_json = false;        // the events themselves, else a line of text
    bool has_colours = false;        // the caller knows whether it is a terminal, and NO_COLOR
    bool reads_all_partitions = false;
};

// «10m» (s, m, h, d) before `now`, or an RFC 3339 time.
[[nodiscard]] Result<WallNanos> since_from(std::string_view text, WallNanos now);

// Prints until the end, or with `follows` until `stop`; the number of events printed. `kafka` is
// needed without a directory only. A class that may not be read, or is not there, is told in the
// log and left out, as long as another one is left. With `follows` a line is handed on as soon as
// its event is read. Blocks.
[[nodiscard]] Result<std::uint64_t> run_tail(
    const TailOptions& options,
    const KafkaConfig* kafka,
    std::ostream& out,
    const std::atomic<bool>& stop
);

}  // namespace spangate
