// Puts a line's directory in order while nobody works on it: a segment with damaged places is
// written anew from its whole records and kept aside as it was; what cannot be read at all, and a
// damaged cursor, are put aside. Nothing is deleted but what is acknowledged.
#pragma once

#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "spool/spool_space.h"

namespace spangate {

struct LineRepair {
    std::uint64_t rewritten_segments = 0;
    std::uint64_t kept_records = 0;  // in the rewritten segments
    std::uint64_t lost_records = 0;  // known to have been in them, and damaged
    std::uint64_t put_aside_files = 0;
};

// The caller holds the lock of the spool's directory. `not_found`: there is no such line. Any other
// error: what was done so far stands, and the rest is as it was.
[[nodiscard]] Result<LineRepair> repair_line(
    FileSystem& files, const std::string& directory, SpoolLine line
);

}  // namespace spangate
