#include "session/line_file.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

namespace spangate {
namespace {

constexpr std::size_t block_bytes = 128 * 1024;

tl::unexpected<Error> failed(const std::string& tried, int error_number) {
    const ErrorCode code = error_number == ENOENT   ? ErrorCode::not_found
                           : error_number == EACCES ? ErrorCode::permission_denied
                                                    : ErrorCode::io;
    return fail(code, "cannot " + tried + ": " + std::generic_category().message(error_number));
}

}  // namespace

struct LineFile::Unpacking {
    struct Free {
        void operator()(::ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
    };

    std::unique_ptr<::ZSTD_DCtx, Free> context{::ZSTD_createDCtx()};
    std::array<char, block_bytes> packed{};
    ::ZSTD_inBuffer input{packed.data(), 0, 0};
};

Result<LineFile> LineFile::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failed("open " + path, errno);

    struct ::stat facts {};

    if (::fstat(descriptor, &facts) != 0) {
        const int error_number = errno;
        ::close(descriptor);
        return failed("stat " + path, error_number);
    }
    std::unique_ptr<Unpacking> unpacking;
    if (path.ends_with(".zst")) unpacking = std::make_unique<Unpacking>();
    return LineFile(descriptor, facts.st_ino, std::move(unpacking));
}

LineFile::LineFile(int descriptor, ::ino_t inode, std::unique_ptr<Unpacking> unpacking)
    : descriptor_(descriptor),
      inode_(inode),
      unpacking_(std::move(unpacking)) {}

LineFile::LineFile(LineFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      inode_(other.inode_),
      unpacking_(std::move(other.unpacking_)),
      buffer_(std::move(other.buffer_)),
      taken_(other.taken_),
      scanned_(other.scanned_),
      offset_(other.offset_) {}

LineFile& LineFile::operator=(LineFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(inode_, other.inode_);
    std::swap(unpacking_, other.unpacking_);
    std::swap(buffer_, other.buffer_);
    std::swap(taken_, other.taken_);
    std::swap(scanned_, other.scanned_);
    std::swap(offset_, other.offset_);
    return *this;
}

LineFile::~LineFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<bool> LineFile::next(std::string& line) {
    while (true) {
        const std::size_t newline = buffer_.find('\n', scanned_);
        if (newline != std::string::npos) {
            line.assign(buffer_, taken_, newline - taken_);
            taken_ = scanned_ = newline + 1;
            return true;
        }
        scanned_ = buffer_.size();
        if (buffer_.size() - taken_ > line_bytes_max) {
            return fail(ErrorCode::too_large, "a line is longer than 64 MiB");
        }
        const Result<std::size_t> filled = fill();
        if (!filled) return tl::unexpected(filled.error());
        if (*filled == 0) return false;
    }
}

Status LineFile::seek_end() {
    const ::off_t end = ::lseek(descriptor_, 0, SEEK_END);
    if (end < 0) return failed("seek", errno);
    offset_ = static_cast<std::uint64_t>(end);
    return {};
}

bool LineFile::was_replaced(const std::string& path) const {
    struct ::stat facts {};

    return ::stat(path.c_str(), &facts) != 0 || facts.st_ino != inode_;
}

void LineFile::restart_if_cut() {
    struct ::stat facts {};

    if (::fstat(descriptor_, &facts) != 0) return;
    if (static_cast<std::uint64_t>(facts.st_size) >= offset_) return;
    (void)::lseek(descriptor_, 0, SEEK_SET);
    buffer_.clear();
    taken_ = scanned_ = 0;
    offset_ = 0;
}

// Appends what comes next to the buffer; 0 at the end.
Result<std::size_t> LineFile::fill() {
    buffer_.erase(0, taken_);
    scanned_ -= taken_;
    taken_ = 0;
    const std::size_t before = buffer_.size();
    buffer_.resize(before + block_bytes);
    std::size_t filled = 0;
    while (filled == 0) {
        if (unpacking_ == nullptr || unpacking_->input.pos == unpacking_->input.size) {
            char* target =
                unpacking_ == nullptr ? buffer_.data() + before : unpacking_->packed.data();
            const Result<std::size_t> got = read_some(target, block_bytes);
            if (!got) return tl::unexpected(got.error());
            if (unpacking_ == nullptr) filled = *got;
            if (*got == 0 || unpacking_ == nullptr) break;
            unpacking_->input.size = *got;
            unpacking_->input.pos = 0;
        }
        ::ZSTD_outBuffer output{buffer_.data() + before, block_bytes, 0};
        const std::size_t state =
            ::ZSTD_decompressStream(unpacking_->context.get(), &output, &unpacking_->input);
        if (::ZSTD_isError(state) != 0) {
            return fail(ErrorCode::invalid_argument, "the compressed file is damaged");
        }
        filled = output.pos;
    }
    buffer_.resize(before + filled);
    return filled;
}

Result<std::size_t> LineFile::read_some(char* target, std::size_t bytes) {
    while (true) {
        const ::ssize_t count = ::read(descriptor_, target, bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("read", errno);
        offset_ += static_cast<std::uint64_t>(count);
        return static_cast<std::size_t>(count);
    }
}

}  // namespace spangate
