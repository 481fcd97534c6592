// What one log counts; label `class` is the line's name. Values of `reason` are those of
// SpoolDamage.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "observe/metrics.h"
#include "spool/spool_space.h"

namespace spangate {

enum class SpoolDamage : std::uint8_t {
    checksum,         // bytes are not what was written
    unreadable,       // the device does not give them
    missing_segment,  // a file of records that were not acknowledged is gone
    header,           // a segment's header is damaged in both copies: set aside whole
    version,          // a segment of a later version: set aside whole
    foreign,          // a segment of another line or number: set aside whole
    cursor,           // the cursor is damaged: everything is read again
};
inline constexpr std::array<std::string_view, 7> spool_damage_names = {
    "checksum", "unreadable", "missing_segment", "header", "version", "foreign", "cursor"};

[[nodiscard]] constexpr std::string_view name_of(SpoolDamage damage) {
    return spool_damage_names[static_cast<std::size_t>(damage)];
}

struct SpoolMetrics {
    SpoolMetrics(Metrics& metrics, SpoolLine line);

    void count(SpoolDamage damage) { damages[static_cast<std::size_t>(damage)]->add(); }

    Counter& appended_records;
    Counter& appended_bytes;
    Counter& syncs;
    Counter& sync_failures;
    Counter& torn_tails;         // cut at start; never acknowledged
    Counter& lost_records;       // that damage took
    Counter& quarantined_files;  // made or moved
    Counter& unkept_bytes;       // damaged bytes that the quarantine had no room for
    Gauge& bytes;
    Gauge& segments;
    std::array<Counter*, spool_damage_names.size()> damages{};  // by SpoolDamage: each place once
};

}  // namespace spangate
