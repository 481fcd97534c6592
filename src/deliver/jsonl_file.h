// The live JSONL file of one class. Its first line is a header that tells which run wrote it:
//
//   {"spangate_jsonl":1,"class":"detail","gateway_id":…,"version":…,"host":…,"started_at":…,
//    "rules":…}
//   {"schema_version":1,"event_id":…}            one record a line, in the order of delivery
//
//   operational.jsonl                            live: whole lines only, each synced before success
//   operational-20260921T101500Z-1.jsonl         rotated: never written again
//   operational-20260921T101500Z-1.jsonl.zst     compressed, in place of the one above
//
// A file that an earlier run left, or that was set aside after a fault, is cut after its last whole
// line and rotated; a new one is begun. Modes: 0640, evidence 0600.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "config/config.h"
#include "deliver/jsonl_archive.h"
#include "model/event_type.h"
#include "observe/metrics.h"

namespace spangate {

// What the header line says of the run.
struct JsonlRunFacts {
    std::string gateway_id;
    std::string version;
    std::string host;
    std::string rules;
};

// Belongs to one thread.
class JsonlFile {
  public:
    // The references outlive the file.
    JsonlFile(
        const JsonlConfig& config,
        const JsonlRunFacts& facts,
        EventClass event_class,
        FileSystem& files,
        const Clock& clock,
        JsonlArchive& archive,
        Metrics& metrics
    );

    // Begins a new file, after rotating what is there; returns when its header is durable.
    [[nodiscard]] Status open();

    // Whole lines, each with its newline. Durable only after sync().
    [[nodiscard]] Status append(std::string_view lines);

    // fdatasync.
    [[nodiscard]] Status sync();

    // Has the file reached its size, so that open() should begin a new one?
    [[nodiscard]] bool is_full() const;

    // Closes after a fault and cuts off what was not synced. The next open() rotates the rest.
    void set_aside();

  private:
    [[nodiscard]] Status clear_away(std::uint64_t bytes);
    [[nodiscard]] Result<std::uint64_t> cut_torn_line(std::uint64_t bytes);
    [[nodiscard]] Result<bool> is_header_only(std::uint64_t bytes);
    [[nodiscard]] std::string header() const;

    const EventClass event_class_;
    const std::string directory_;
    const std::string path_;
    const Bytes rotate_bytes_;
    const JsonlRunFacts facts_;
    const WallNanos started_at_;
    FileSystem& files_;
    JsonlArchive& archive_;
    Counter& bytes_;
    Counter& torn_lines_;
    std::unique_ptr<AppendFile> file_;
    std::uint64_t synced_bytes_ = 0;
    std::uint64_t header_bytes_ = 0;
};

}  // namespace spangate
