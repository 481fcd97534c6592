// One class's records on disk, in order: append and sync at one end, read and acknowledge at the
// other. One owner thread at a time; no thread, clock or lock in here, so a simulated disk drives
// it whole.
//
//   append ─▶ sync ─▶ [ stored ......................................... ]
//                        ▲ acknowledged up to here   ▲ read up to here
//                        └ segments behind it go      └ rewind() goes back to the left one
//
// What is acknowledged out of order is remembered and not read again after rewind(). A crash
// forgets at most those and the last unwritten cursor: the records are read again (at least once,
// with the same event_id).
//
// Errors of append(): `unavailable` from the spool's share and `too_large`: this record only is
// refused. Any other failure, of append() or sync(), is the round's: nothing appended since the
// last sync() is stored, and every append() fails until sync() has said so too. `unavailable`: the
// device is full, and the log can be used on. `io`: the segment is closed for ever, what was
// refused may be read back after a restart all the same, and the next round starts a new segment.
// Damage met on the way is skipped, quarantined and counted, never a failure of start.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "observe/metrics.h"
#include "spool/spool_record.h"
#include "spool/spool_space.h"

namespace spangate {

struct SpoolLogSettings {
    std::string directory;  // of this log: <spool.directory>/<line name>
    SpoolLine line = SpoolLine::operational;
    bool fsync = true;  // false: a power cut may lose what was acknowledged
    // At least: a round is never split. Less when the whole spool is small.
    std::uint64_t segment_bytes_max = 64ULL * 1024 * 1024;
    // Of the segments' salts, so that a simulation can be repeated: another one for each process,
    // since a cursor knows its segment by the salt. 0: drawn from the system.
    std::uint64_t seed = 0;
};

struct SpoolEntry {
    std::uint64_t entry_no = 0;  // from 1, rising, of this process
    SpoolRecord record;
};

class SpoolLog {
  public:
    // Finds what a former process left; reads at most one segment's headers and keeps constant
    // memory, whatever lies there. `space`, `files` and `metrics` outlive the log.
    [[nodiscard]] static Result<std::unique_ptr<SpoolLog>> open(
        SpoolLogSettings settings, FileSystem& files, SpoolSpace& space, Metrics& metrics
    );

    ~SpoolLog();
    SpoolLog(const SpoolLog&) = delete;
    SpoolLog& operator=(const SpoolLog&) = delete;

    // Buffers; what stands in the buffer is written at the latest by sync().
    [[nodiscard]] Status append(const SpoolRecord& record);

    // All that was appended is on the device when this returns ok.
    [[nodiscard]] Status sync();

    // The next stored record after the last one read; nothing: all were read. The views live until
    // the next call of any member.
    [[nodiscard]] Result<std::optional<SpoolEntry>> read_next();

    // Kafka has it. In any order; each entry once.
    void acknowledge(std::uint64_t entry_no);

    // Reading goes on at the oldest entry that is not acknowledged.
    void rewind();

    [[nodiscard]] bool is_read_through() const;         // read_next() would give nothing
    [[nodiscard]] std::uint64_t records_count() const;  // stored and not acknowledged
    [[nodiscard]] std::uint64_t records_found() const;  // at open()
    [[nodiscard]] std::uint64_t bytes() const;          // on disk

    // Writes the cursor durably; at the latest when the owner stops. Also done now and then by
    // acknowledge().
    [[nodiscard]] Status save_cursor();

  private:
    SpoolLog();
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
