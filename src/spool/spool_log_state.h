// What a SpoolLog is made of; for spool_log.cc and spool_log_reading.cc only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>

#include "spool/cursor.h"
#include "spool/entry_window.h"
#include "spool/quarantine.h"
#include "spool/segment_reader.h"
#include "spool/segment_shelf.h"
#include "spool/segment_writer.h"
#include "spool/spool_log.h"
#include "spool/spool_metrics.h"

namespace spangate {

struct SpoolLog::State {
    State(
        SpoolLogSettings given,
        FileSystem& files_given,
        SpoolSpace& space_given,
        Metrics& metrics_given
    );

    [[nodiscard]] Status recover();
    void start_reading_at(const SpoolCursor& cursor);
    void show();

    [[nodiscard]] Status ready_segment();
    [[nodiscard]] Status end_segment();
    [[nodiscard]] Status no_room() const;
    [[nodiscard]] Status lose_round(Error error, bool is_told_by_sync);

    [[nodiscard]] Result<std::optional<SpoolEntry>> read_next();
    [[nodiscard]] Result<std::optional<SpoolEntry>> read_again(const EntryWindow::Again& again);
    [[nodiscard]] Result<std::optional<SpoolEntry>> read_onward();
    [[nodiscard]] Status open_reader(const StoredSegment& segment);
    void skip_gone(StoredSegment& segment);
    void note_damage(StoredSegment& segment, const SegmentReader::Item& item);
    void forget_reader_of(std::uint64_t segment);
    void pass_ended_segments();
    [[nodiscard]] bool is_frontier_at_end();

    void let_go();
    void drop_if_acknowledged();
    [[nodiscard]] RecordPlace oldest_open();
    [[nodiscard]] Status save();

    const SpoolLogSettings settings;
    FileSystem& files;
    SpoolSpace& space;
    SpoolMetrics metrics;
    Quarantine quarantine;
    SegmentShelf shelf;
    const std::uint64_t segment_bytes;
    std::mt19937_64 salts;

    // Writing.
    std::unique_ptr<SegmentWriter> writer;  // of shelf.newest(); null: the next round makes one
    std::uint64_t round_bytes = 0;
    std::uint32_t round_records = 0;
    std::optional<Error> round_error;  // what sync() has yet to tell

    // Reading.
    EntryWindow window;
    RecordPlace frontier;  // the next record never read before
    std::unique_ptr<SegmentReader> reader;
    std::uint64_t reader_segment = 0;
    SpoolCursor saved;
    RecordPlace tried;  // where the last attempt to save the cursor was made

    std::uint64_t records_stored = 0;  // and not acknowledged
    std::uint64_t records_found = 0;
};

}  // namespace spangate
