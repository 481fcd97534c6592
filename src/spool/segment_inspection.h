// What a segment file holds, seen from outside: at start, and by `spangate spool`.
#pragma once

#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/segment_format.h"
#include "spool/segment_reader.h"

namespace spangate {

struct SegmentFacts {
    SegmentHeader header;
    SegmentExtent extent;          // what is worth reading: damaged stretches lie inside
    std::uint64_t file_bytes = 0;  // behind extent.end: the footer, or a tail that was never synced
    bool is_sealed = false;        // has a whole footer at its end
    // Not sealed: bytes behind extent.end that no sync ever covered.
    std::uint64_t tail_bytes = 0;
    // The tail is more than one record whose end is missing.
    bool is_tail_torn = false;
};

// Reads the header and the footer; without a footer, everything. Errors: not_found; `io`: the
// header is damaged or cannot be read; `unsupported`: of a later version; `unavailable`: the file
// could not be opened.
[[nodiscard]] Result<SegmentFacts> inspect_segment(FileSystem& files, const std::string& path);

}  // namespace spangate
