#include "spool/quarantine.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace spangate {
namespace {

// At most this part of the spool's space is given to damaged parts.
constexpr std::uint64_t share_of_space = 16;
constexpr unsigned part_mode = 0600;

}  // namespace

std::string Quarantine::directory_in(const std::string& log_directory) {
    return log_directory + "/quarantine";
}

Quarantine::Quarantine(
    FileSystem& files,
    std::string directory,
    SpoolLine line,
    SpoolSpace& space,
    SpoolMetrics& metrics
)
    : files_(files),
      log_directory_(std::move(directory)),
      directory_(directory_in(log_directory_)),
      line_(line),
      space_(space),
      metrics_(metrics) {}

void Quarantine::count_found() {
    const Result<std::vector<std::string>> names = files_.list(directory_);
    if (!names) return;
    for (const std::string& name : *names) {
        const Result<std::unique_ptr<ReadFile>> file = files_.open_read(directory_ + "/" + name);
        if (!file) continue;
        bytes_ += (*file)->size().value_or(0);
    }
    space_.count_found(line_, bytes_);
}

void Quarantine::keep_part(std::uint64_t segment, std::uint64_t begin, std::string_view bytes) {
    const bool has_room = bytes_ + bytes.size() <= space_.bytes_max() / share_of_space &&
                          space_.take(line_, bytes.size());
    if (!has_room) {
        metrics_.unkept_bytes.add(bytes.size());
        return;
    }
    bytes_ += bytes.size();
    const std::string path = fmt::format("{}/{:016x}-{:08x}.damaged", directory_, segment, begin);
    Status kept = files_.make_directories(directory_);
    if (kept) {
        Result<std::unique_ptr<AppendFile>> file = files_.open_append(path, part_mode);
        if (file && (*file)->size() == 0) metrics_.quarantined_files.add();
        kept = file ? (*file)->append(bytes) : tl::unexpected(file.error());
    }
    if (kept) return;
    metrics_.unkept_bytes.add(bytes.size());
    space_.give_back(line_, bytes.size());
    bytes_ -= bytes.size();
}

Status Quarantine::keep_file(const std::string& name) {
    Status moved = files_.make_directories(directory_);
    if (moved) moved = files_.rename(log_directory_ + "/" + name, directory_ + "/" + name);
    if (moved) moved = files_.sync_directory(directory_);
    if (moved) moved = files_.sync_directory(log_directory_);
    if (moved) metrics_.quarantined_files.add();
    return moved;
}

bool Quarantine::has_file(const std::string& name) const {
    return files_.open_read(directory_ + "/" + name).has_value();
}

}  // namespace spangate
