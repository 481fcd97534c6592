#include "app/open_spool.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fmt/format.h>

namespace spangate {
namespace {

std::string system_error() {
    return std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): at start
}

Error no_place(const std::string& directory, std::string_view why) {
    return {
        ErrorCode::invalid_argument,
        fmt::format(
            "spool.directory {}: {}; set spool.directory to a directory of this gateway's own that "
            "it may write, or to \"\" for no spool (requests are then refused while Kafka is away)",
            directory,
            why
        )};
}

bool is_in_memory(const std::string& directory) {
    struct statfs facts {};

    if (::statfs(directory.c_str(), &facts) != 0) return false;
    const auto type = static_cast<unsigned long>(facts.f_type);
    return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

// Who holds it, as it wrote itself.
std::string holder_of(int file) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(file, text.data(), text.size() - 1, 0);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "unknown";
}

Status take_lock(SpoolPlace& place, const std::string& directory) {
    const std::string path = directory + "/lock";
    place.lock_file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (place.lock_file < 0) return tl::unexpected(no_place(directory, system_error()));
    if (::flock(place.lock_file, LOCK_EX | LOCK_NB) != 0) {
        return tl::unexpected(
            no_place(directory, fmt::format("is used by process {}", holder_of(place.lock_file)))
        );
    }
    const std::string self = std::to_string(::getpid());
    if (::ftruncate(place.lock_file, 0) != 0 ||
        ::pwrite(place.lock_file, self.data(), self.size(), 0) < 0) {
        return tl::unexpected(no_place(directory, system_error()));
    }
    return {};
}

}  // namespace

SpoolPlace::~SpoolPlace() {
    if (lock_file >= 0) ::close(lock_file);
}

Result<std::unique_ptr<SpoolPlace>> open_spool(
    const SpoolConfig& config, FileSystem& files, Metrics& metrics
) {
    if (const Status made = files.make_directories(config.directory); !made) {
        return tl::unexpected(no_place(config.directory, made.error().message));
    }
    if (!config.allow_volatile && is_in_memory(config.directory)) {
        return tl::unexpected(no_place(
            config.directory,
            "lies in memory (tmpfs), which a restart of the machine empties; spool.allow_volatile: "
            "true takes it all the same"
        ));
    }
    auto place = std::make_unique<SpoolPlace>(config.bytes_max);
    if (Status locked = take_lock(*place, config.directory); !locked) {
        return tl::unexpected(std::move(locked.error()));
    }
    for (std::size_t i = 0; i < spool_lines_count; ++i) {
        SpoolLogSettings settings;
        settings.line = static_cast<SpoolLine>(i);
        settings.directory = fmt::format("{}/{}", config.directory, spool_line_names[i]);
        settings.fsync = config.fsync;
        Result<std::unique_ptr<SpoolLog>> log =
            SpoolLog::open(std::move(settings), files, place->space, metrics);
        if (!log) return tl::unexpected(no_place(config.directory, log.error().message));
        place->logs[i] = std::move(*log);
    }
    return place;
}

}  // namespace spangate
