#include "deliver/evidence_key_file.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr unsigned key_file_mode = 0600;
constexpr unsigned erased_file_mode = 0644;  // ids alone; the gateway may be another user

tl::unexpected<Error> failed(std::string_view tried, const std::string& path, int error_number) {
    const ErrorCode code = error_number == ENOENT   ? ErrorCode::not_found
                           : error_number == EACCES ? ErrorCode::permission_denied
                                                    : ErrorCode::io;
    return fail(
        code,
        fmt::format("cannot {} {}: {}", tried, path, std::generic_category().message(error_number))
    );
}

// The value of "key_id", which our own lines have in front of anything that could hold a quote.
std::string_view key_id_of(std::string_view line) {
    constexpr std::string_view begin = R"("key_id":")";
    const std::size_t at = line.find(begin);
    if (at == std::string_view::npos) return {};
    line.remove_prefix(at + begin.size());
    return line.substr(0, line.find('"'));
}

Status overwrite(int descriptor, const std::string& path, std::size_t at, std::string_view bytes) {
    while (!bytes.empty()) {
        const ::ssize_t count =
            ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<::off_t>(at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("overwrite", path, errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
        at += static_cast<std::size_t>(count);
    }
    return {};
}

Status tell_gateways(const std::string& directory, const std::set<std::string>& key_ids) {
    PosixFileSystem files;
    auto file =
        files.open_append(directory + "/" + std::string(erased_key_file_name), erased_file_mode);
    if (!file) return tl::unexpected(std::move(file.error()));
    std::string lines;
    for (const std::string& key_id : key_ids)
        lines += fmt::format("{{\"key_id\":\"{}\"}}\n", key_id);
    if (Status done = (*file)->append(lines); !done) return done;
    return (*file)->sync();
}

}  // namespace

Status EvidenceKeyFile::open() {
    Result<std::unique_ptr<AppendFile>> file = files_.open_append(path_, key_file_mode);
    if (!file) return tl::unexpected(std::move(file.error()));
    if (const std::uint64_t bytes = (*file)->size(); bytes > 0) {
        // A torn line of an earlier run must not swallow the next one.
        const Result<std::string> last = files_.read_part(path_, bytes - 1, 1);
        if (!last) return tl::unexpected(last.error());
        if (*last != "\n") {
            if (Status done = (*file)->append("\n"); !done) return done;
        }
    } else if (Status done = files_.sync_directory(directory_); !done) {
        return done;
    }
    file_ = std::move(*file);
    return {};
}

Status EvidenceKeyFile::append(std::string_view lines) {
    if (file_ == nullptr) {
        if (Status opened = open(); !opened) return opened;
    }
    Status done = file_->append(lines);
    if (done) done = file_->sync();
    if (!done) file_.reset();
    return done;
}

Result<std::uint64_t> erase_evidence_keys(
    const std::string& directory, const std::set<std::string, std::less<>>& key_ids
) {
    const std::string path = directory + "/" + std::string(evidence_key_file_name);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return failed("open", path, errno);
    PosixFileSystem files;
    const Result<std::string> text = files.read(path);
    Status done;
    if (!text) done = tl::unexpected(text.error());
    std::set<std::string> erased;  // each once, however often it was written
    std::uint64_t lines = 0;
    std::size_t from = 0;
    while (done && from < text->size()) {
        const std::size_t newline = text->find('\n', from);
        if (newline == std::string::npos) break;  // being written just now
        const std::string_view line = std::string_view(*text).substr(from, newline - from);
        const std::string_view key_id = key_id_of(line);
        if (key_ids.contains(key_id)) {
            std::string left = fmt::format(R"({{"key_id":"{}","is_erased":true)", key_id);
            left.resize(line.size() - 1, ' ');  // a key's own line is always longer
            done = overwrite(descriptor, path, from, left + '}');
            erased.emplace(key_id);
            ++lines;
        }
        from = newline + 1;
    }
    if (done && ::fdatasync(descriptor) != 0) done = failed("sync", path, errno);
    ::close(descriptor);
    if (done && !erased.empty()) done = tell_gateways(directory, erased);
    if (!done) return tl::unexpected(std::move(done.error()));
    return lines;
}

}  // namespace spangate
