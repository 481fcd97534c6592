// The spool as a gateway finds it on disk: one directory, one process, one log for each line.
#pragma once

#include <memory>

#include "base/file_system.h"
#include "base/result.h"
#include "config/config.h"
#include "deliver/kafka_sink.h"
#include "observe/metrics.h"
#include "spool/spool_directory.h"
#include "spool/spool_space.h"

namespace spangate {

// Outlives whoever has its logs.
struct SpoolPlace {
    SpoolPlace(std::unique_ptr<SpoolDirectory> locked, Bytes bytes_max)
        : directory(std::move(locked)),
          space(bytes_max) {}

    std::unique_ptr<SpoolDirectory> directory;
    SpoolSpace space;
    SpoolLogs logs;
};

// Makes the directory if need be. invalid_argument, with what to set: it cannot be made or written,
// lies in memory without leave, or belongs to another process.
[[nodiscard]] Result<std::unique_ptr<SpoolPlace>> open_spool(
    const SpoolConfig& config, FileSystem& files, Metrics& metrics
);

}  // namespace spangate
