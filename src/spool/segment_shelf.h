// The segments of one log, oldest first: what lies in its directory at start, what is added, and
// what goes when it is acknowledged. Memory: 64 bytes a segment. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/cursor.h"
#include "spool/quarantine.h"
#include "spool/segment_format.h"
#include "spool/segment_inspection.h"
#include "spool/segment_reader.h"
#include "spool/spool_metrics.h"
#include "spool/spool_space.h"

namespace spangate {

struct StoredSegment {
    SegmentHeader header;
    SegmentExtent extent;             // what is stored: read up to here
    std::uint64_t counted_bytes = 0;  // taken from the space
    bool is_written = false;          // by this process, still
    bool is_unreadable = false;       // the device did not give all of it: kept aside, not removed
};

class SegmentShelf {
  public:
    SegmentShelf(
        FileSystem& files,
        std::string directory,
        SpoolLine line,
        SpoolSpace& space,
        SpoolMetrics& metrics,
        Quarantine& quarantine
    );

    // Takes in what a former process left. Segments before the cursor's are acknowledged and go. An
    // error: the directory itself, or a file in it, cannot be opened.
    [[nodiscard]] Status recover(const SpoolCursor& cursor, bool to_device);

    void add(const StoredSegment& segment) { segments_.push_back(segment); }

    [[nodiscard]] StoredSegment* find(std::uint64_t number);
    // The first of a higher number; null: there is none.
    [[nodiscard]] StoredSegment* after(std::uint64_t number);

    [[nodiscard]] bool is_empty() const { return segments_.empty(); }

    [[nodiscard]] StoredSegment& oldest() { return segments_.front(); }

    [[nodiscard]] StoredSegment& newest() { return segments_.back(); }

    // The file goes, or, if the device did not give all of it, is put aside.
    void remove_oldest();
    void remove_newest();

    [[nodiscard]] std::uint64_t next_number() const { return next_number_; }

    void use_number(std::uint64_t number) { next_number_ = number + 1; }

    [[nodiscard]] std::uint64_t bytes() const;

    [[nodiscard]] std::size_t count() const { return segments_.size(); }

    [[nodiscard]] std::string path_of(std::uint64_t number) const;

  private:
    // A file that should be gone and could not be removed yet.
    struct Leftover {
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
    };

    [[nodiscard]] Status take_in(std::uint64_t number, bool to_device);
    void put_aside(std::uint64_t number, SpoolDamage damage);
    void cut_tail(const SegmentFacts& facts);
    void seal(const SegmentFacts& facts, bool to_device);
    void remove_blank(std::uint64_t number);
    void remove_file(const StoredSegment& segment);
    void remove_leftovers();
    [[nodiscard]] bool is_leftover(std::uint64_t number) const;
    void count_missing(std::uint64_t first, std::uint64_t last);

    FileSystem& files_;
    const std::string directory_;
    const SpoolLine line_;
    SpoolSpace& space_;
    SpoolMetrics& metrics_;
    Quarantine& quarantine_;
    std::deque<StoredSegment> segments_;
    std::vector<Leftover> leftovers_;
    std::uint64_t next_number_ = 1;
};

}  // namespace spangate
