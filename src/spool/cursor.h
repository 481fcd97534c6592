// Up to where a log's records are acknowledged, kept in the file `cursor` beside the segments. A
// hint: without it everything is read again (the same event ids), nothing is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"

namespace spangate {

struct SpoolCursor {
    std::uint64_t segment = 0;
    std::uint64_t salt = 0;  // of that segment; 0: there was none of that number yet
    std::uint64_t offset = 0;
    std::uint32_t index = 0;  // of the record at `offset`

    bool operator==(const SpoolCursor&) const = default;
};

// Nothing: there is no cursor. `io`: it is damaged, or cannot be read.
[[nodiscard]] Result<std::optional<SpoolCursor>> load_cursor(
    FileSystem& files, const std::string& directory
);

// Replaces the file as a whole.
[[nodiscard]] Status save_cursor(
    FileSystem& files, const std::string& directory, const SpoolCursor& cursor, bool to_device
);

}  // namespace spangate
