// Rotated JSONL files: names them, and compresses them one after the other in a thread of its own.
//
//   name.jsonl ──zstd──▶ name.jsonl.zst.part ──fsync──▶ name.jsonl.zst ──▶ name.jsonl is removed
//
// So at any moment one of the two is whole. A file that cannot be compressed stays as it is until
// the next start. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "config/config.h"
#include "model/event_type.h"
#include "observe/metrics.h"

namespace spangate {

// Mode of all files of a class.
[[nodiscard]] constexpr unsigned jsonl_mode(EventClass event_class) {
    return event_class == EventClass::evidence ? 0600U : 0640U;
}

class JsonlArchive {
  public:
    // Takes up what an earlier run left uncompressed. The references outlive the archive.
    JsonlArchive(
        const JsonlConfig& config, FileSystem& files, const Clock& clock, Metrics& metrics
    );
    JsonlArchive(const JsonlArchive&) = delete;
    JsonlArchive& operator=(const JsonlArchive&) = delete;

    // Ends after the block under way; the next start goes on from the beginning of that file.
    ~JsonlArchive();

    // Gives the live file its rotated name, durably, and has it compressed.
    [[nodiscard]] Status take(EventClass event_class, const std::string& live_path);

  private:
    [[nodiscard]] Result<std::string> free_name(EventClass event_class);
    void take_up_leftovers();
    void run();
    [[nodiscard]] Status compress(const std::string& name);
    [[nodiscard]] Status write_compressed(const std::string& source, AppendFile& target);

    const std::string directory_;
    const bool compresses_;
    FileSystem& files_;
    const Clock& clock_;
    Counter& rotated_;
    Counter& compressed_;
    Counter& faults_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> waiting_;  // names; guarded by mutex_
    bool is_stopping_ = false;         // guarded by mutex_
    std::thread thread_;               // last: it uses all of the above
};

}  // namespace spangate
