// Reads back what the guards have saved of one partition's sessions.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "guard/guard_counters.h"
#include "guard/session_record.h"

namespace spangate {

struct SavedPartition {
    std::vector<SavedSession> sessions;  // the one seen last comes first
    std::vector<std::string> expired;    // keys of sessions that are to be forgotten
};

struct SavedPlace {
    std::string state_topic;
    std::int32_t partition = 0;
    std::string topic;         // only sessions of this operational topic
    WallNanos seen_since = 0;  // sessions silent for longer are expired
};

// To the end as of now. Of several records of a session the one that covers most counts, whoever
// wrote later: a guard that was cut off may still write. Blocks; shutting_down when `stop` is set.
[[nodiscard]] Result<SavedPartition> read_saved_partition(
    const KafkaConfig& config,
    const SavedPlace& place,
    GuardCounters& counters,
    const std::atomic<bool>& stop
);

}  // namespace spangate
