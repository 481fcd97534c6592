#include "app/replay_output.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace spangate {

Result<std::unique_ptr<ReplayOutput>> ReplayOutput::open(const std::string& path) {
    if (path.empty()) {
        return std::unique_ptr<ReplayOutput>(new ReplayOutput(path, {}, STDOUT_FILENO));
    }

    // A device or a pipe keeps its name.
    struct ::stat known {};

    const bool is_special = ::stat(path.c_str(), &known) == 0 && !S_ISREG(known.st_mode);
    std::string part_path = is_special ? std::string() : path + ".part";
    const std::string& written = is_special ? path : part_path;
    const int flags = O_WRONLY | O_CLOEXEC | (is_special ? 0 : O_CREAT | O_TRUNC);
    const int file = ::open(written.c_str(), flags, 0600);
    if (file < 0) {
        return fail(ErrorCode::io, written + ": " + std::system_category().message(errno));
    }
    return std::unique_ptr<ReplayOutput>(new ReplayOutput(path, part_path, file));
}

ReplayOutput::ReplayOutput(std::string path, std::string part_path, int file)
    : path_(std::move(path)),
      part_path_(std::move(part_path)),
      file_(file),
      stream_(this) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
}

ReplayOutput::~ReplayOutput() {
    if (file_ < 0 || path_.empty()) return;
    ::close(file_);
    if (!part_path_.empty()) ::unlink(part_path_.c_str());
}

bool ReplayOutput::write_out() {
    const char* at = pbase();
    while (at < pptr() && error_ == 0 && !is_abandoned_) {
        const ::ssize_t written = ::write(file_, at, static_cast<std::size_t>(pptr() - at));
        if (written > 0) {
            at += written;
        } else if (errno == EPIPE) {
            is_abandoned_ = true;
        } else if (errno != EINTR && errno != EAGAIN) {
            error_ = errno;
        }
    }
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return error_ == 0 && !is_abandoned_;
}

ReplayOutput::int_type ReplayOutput::overflow(int_type c) {
    if (!write_out()) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) {
        *pptr() = traits_type::to_char_type(c);
        pbump(1);
    }
    return traits_type::not_eof(c);
}

int ReplayOutput::sync() {
    return write_out() ? 0 : -1;
}

Status ReplayOutput::finish() {
    (void)write_out();
    if (error_ == 0 && !part_path_.empty()) {
        const bool is_kept = ::fsync(file_) == 0 && ::close(file_) == 0;
        file_ = -1;
        if (!is_kept || std::rename(part_path_.c_str(), path_.c_str()) != 0) error_ = errno;
        if (error_ != 0) ::unlink(part_path_.c_str());
    }
    if (error_ == 0) return {};
    return fail(
        ErrorCode::io,
        (path_.empty() ? "standard output" : path_) + ": " + std::system_category().message(error_)
    );
}

}  // namespace spangate
