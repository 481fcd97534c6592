// Reads a segment's records in order, and goes on behind damage: at the next record when the
// damaged one's length is known, else at the next place that holds a whole record header. Memory:
// one block, or the largest record. One thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/segment_format.h"

namespace spangate {

// Up to where a segment holds records, and how many.
struct SegmentExtent {
    std::uint64_t end = 0;
    std::uint32_t records = unknown_records;

    static constexpr std::uint32_t unknown_records = std::numeric_limits<std::uint32_t>::max();
};

class SegmentReader {
  public:
    struct Item {
        enum class Kind : std::uint8_t { record, damage, end };
        Kind kind = Kind::end;
        std::uint64_t offset = 0;  // of the record or the damaged bytes
        std::uint64_t end = 0;     // behind it
        RecordHeader header;       // kind record; its texts are views, until the next call
        std::uint32_t index = 0;   // of the record, or of the first lost one
        // kind damage: how many records lay there. One at least when the extent does not tell.
        std::uint32_t records_lost = 0;
        bool is_cut = false;         // the bytes end before the record does
        bool is_unreadable = false;  // the device did not give the bytes
    };

    SegmentReader(std::unique_ptr<ReadFile> file, const SegmentHeader& header);

    // The first bytes of a file, as a segment's header. `unavailable`: the file could not be read.
    [[nodiscard]] static Result<SegmentHeader> read_header(ReadFile& file);

    // The next item before extent.end; kind end at it.
    [[nodiscard]] Item next(const SegmentExtent& extent);

    // To the record number `index` of the segment, at `offset`.
    void seek(std::uint64_t offset, std::uint32_t index);

    // How many bytes of the file stand at `offset` up to `end`, at most one block. Until the next
    // call.
    [[nodiscard]] std::string_view bytes_at(std::uint64_t offset, std::uint64_t end);

    [[nodiscard]] std::uint64_t position() const { return position_; }

    [[nodiscard]] std::uint32_t next_index() const { return next_index_; }

  private:
    [[nodiscard]] std::string_view view(
        std::uint64_t offset, std::uint64_t bytes, std::uint64_t end
    );
    void fill(std::uint64_t offset, std::uint64_t bytes);
    void fill_by_pages(std::uint64_t offset);
    [[nodiscard]] bool is_unreadable(std::uint64_t begin, std::uint64_t end) const;
    [[nodiscard]] Item whole_record(const SegmentExtent& extent, Item item);
    [[nodiscard]] Item damage_before_next(const SegmentExtent& extent, Item item);
    // Where the next whole header stands; extent.end: nowhere.
    [[nodiscard]] std::uint64_t find_header(
        std::uint64_t from, std::uint64_t end, RecordHeader& found
    );

    std::unique_ptr<ReadFile> file_;
    const SegmentFormat format_;
    std::string buffer_;
    std::uint64_t buffer_offset_ = 0;
    std::uint64_t position_ = segment_start;
    std::uint32_t next_index_ = 0;
    // The last stretch that could not be read.
    std::uint64_t unreadable_begin_ = 0;
    std::uint64_t unreadable_end_ = 0;
};

}  // namespace spangate
