// Where damaged bytes and files that this program cannot read are put aside, beside the segments.
// Bounded by the spool's space and by a share of it; what has no room is counted. Never a failure
// of the caller: the records are lost to it either way. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "spool/spool_metrics.h"
#include "spool/spool_space.h"

namespace spangate {

class Quarantine {
  public:
    // Of the log in `directory`. All references outlive it.
    Quarantine(
        FileSystem& files,
        std::string directory,
        SpoolLine line,
        SpoolSpace& space,
        SpoolMetrics& metrics
    );

    // Counts what lies there already.
    void count_found();

    // Adds bytes of a segment, found at `offset`, to a file of their own. Calls for one stretch
    // follow one another with the same `begin`.
    void keep_part(std::uint64_t segment, std::uint64_t begin, std::string_view bytes);

    // Moves a whole file, whose bytes the space already counts, out of the log's directory.
    [[nodiscard]] Status keep_file(const std::string& name);

    [[nodiscard]] bool has_file(const std::string& name) const;

    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    void add_bytes(std::uint64_t bytes) { bytes_ += bytes; }

    [[nodiscard]] static std::string directory_in(const std::string& log_directory);

  private:
    FileSystem& files_;
    const std::string log_directory_;
    const std::string directory_;
    const SpoolLine line_;
    SpoolSpace& space_;
    SpoolMetrics& metrics_;
    std::uint64_t bytes_ = 0;
};

}  // namespace spangate
