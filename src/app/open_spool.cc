#include "app/open_spool.h"

#include <utility>

#include <fmt/format.h>

namespace spangate {
namespace {

tl::unexpected<Error> no_place(const Error& why) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "{}; set spool.directory to a directory of this gateway's own that it may write, or to "
            "\"\" for no spool (requests are then refused while Kafka is away)",
            why.message
        )
    );
}

}  // namespace

Result<std::unique_ptr<SpoolPlace>> open_spool(
    const SpoolConfig& config, FileSystem& files, Metrics& metrics
) {
    Result<std::unique_ptr<SpoolDirectory>> directory =
        SpoolDirectory::lock(config.directory, config.allow_volatile);
    if (!directory) return no_place(directory.error());
    auto place = std::make_unique<SpoolPlace>(std::move(*directory), config.bytes_max);
    for (std::size_t i = 0; i < spool_lines_count; ++i) {
        SpoolLogSettings settings;
        settings.line = static_cast<SpoolLine>(i);
        settings.directory = fmt::format("{}/{}", config.directory, spool_line_names[i]);
        settings.fsync = config.fsync;
        Result<std::unique_ptr<SpoolLog>> log =
            SpoolLog::open(std::move(settings), files, place->space, metrics);
        if (!log) return no_place(log.error());
        place->logs[i] = std::move(*log);
    }
    return place;
}

}  // namespace spangate
