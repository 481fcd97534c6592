// The segment that a log appends to. Rounds: append(), …, sync(). A round lies in one segment and
// is stored whole or not at all. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/segment_format.h"

namespace spangate {

class SegmentWriter {
  public:
    // `files` outlives the writer. `conflict`: the file exists already.
    [[nodiscard]] static Result<std::unique_ptr<SegmentWriter>> create(
        FileSystem& files, std::string directory, const SegmentHeader& header
    );

    // Bytes that the record would take.
    [[nodiscard]] std::uint64_t record_bytes(const SpoolRecord& record) const;

    // Buffers, and writes when much is buffered. After a failure the round is lost: roll_back().
    [[nodiscard]] Status append(const SpoolRecord& record);

    // Writes what is buffered and, if `to_device`, waits until the device has it, and the directory
    // the file's name. After a failure the round is lost: roll_back().
    [[nodiscard]] Status sync(bool to_device);

    // Takes back what was appended since the last sync(). False: the segment must not be written
    // any more (a sync failed, or its end is unknown).
    [[nodiscard]] bool roll_back();

    // After roll_back(): the file could not be cut, so the lost round's bytes still take room.
    [[nodiscard]] bool holds_lost_bytes() const { return holds_lost_bytes_; }

    // Ends the segment in order. Nothing may be unsynced.
    [[nodiscard]] Status seal(bool to_device);

    [[nodiscard]] const SegmentHeader& header() const { return header_; }

    [[nodiscard]] std::uint64_t end() const { return flushed_bytes_ + buffer_.size(); }

    [[nodiscard]] std::uint64_t synced_bytes() const { return synced_bytes_; }

    [[nodiscard]] std::uint32_t records() const { return records_; }

    [[nodiscard]] std::uint32_t synced_records() const { return synced_records_; }

    [[nodiscard]] bool has_unsynced() const { return records_ != synced_records_; }

  private:
    SegmentWriter(FileSystem& files, std::string directory, const SegmentHeader& header);

    [[nodiscard]] Status flush();

    FileSystem& files_;
    const std::string directory_;
    const std::string path_;
    const SegmentHeader header_;
    const SegmentFormat format_;
    std::unique_ptr<AppendFile> file_;
    std::string buffer_;
    std::uint64_t flushed_bytes_ = 0;
    std::uint64_t synced_bytes_ = 0;
    std::uint32_t records_ = 0;
    std::uint32_t synced_records_ = 0;
    bool is_named_ = false;   // the directory entry is on the device
    bool is_broken_ = false;  // for ever: see AppendFile::sync
    bool holds_lost_bytes_ = false;
};

}  // namespace spangate
