// One line's directory looked at as it lies there, changing nothing: for `spangate spool`. Also
// while a gateway works on it: what is being written then looks like a tail that was never synced.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/cursor.h"
#include "spool/segment_format.h"
#include "spool/spool_metrics.h"
#include "spool/spool_space.h"

namespace spangate {

struct SegmentSurvey {
    std::uint64_t number = 0;
    // Why the file as a whole cannot be read; nothing: it can.
    std::optional<SpoolDamage> whole_damage;
    std::uint64_t damaged_places = 0;
    std::uint64_t records_lost = 0;
};

struct LineSurvey {
    std::vector<SegmentSurvey> segments;  // those that the cursor has not passed
    SpoolCursor cursor;
    bool is_cursor_damaged = false;
    std::uint64_t records = 0;  // whole, and not acknowledged
    std::uint64_t acknowledged = 0;
    std::uint64_t record_bytes = 0;  // of `records`: tenant, key, trace and value
    std::uint64_t file_bytes = 0;    // of the segments
    std::uint64_t tail_bytes = 0;    // never synced
    std::uint64_t quarantine_files = 0;
    std::uint64_t quarantine_bytes = 0;
    std::optional<std::int64_t> oldest_ms;  // of `records`, as Kafka will stamp them
    std::optional<std::int64_t> newest_ms;
    // By reason: places, segments or cursors.
    std::array<std::uint64_t, spool_damage_names.size()> damages{};
    std::uint64_t records_lost = 0;

    [[nodiscard]] std::uint64_t damages_count() const;
};

// `header` has the texts of the record; they are valid during the call.
using SpoolRecordSeen = std::function<void(const RecordHeader& header)>;

// Reads every record of the line in `directory` and shows each that is whole and not acknowledged.
// `not_found`: there is no such directory.
[[nodiscard]] Result<LineSurvey> survey_line(
    FileSystem& files, const std::string& directory, SpoolLine line, const SpoolRecordSeen& seen
);

}  // namespace spangate
