#include "base/file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace spangate {
namespace {

tl::unexpected<Error> failed(const char* tried, const std::string& path, int error_number) {
    const bool is_full =
        error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
    return fail(
        is_full ? ErrorCode::unavailable : ErrorCode::io,
        std::string("cannot ") + tried + " " + path + ": " +
            std::generic_category().message(error_number)
    );
}

class PosixAppendFile final : public AppendFile {
  public:
    PosixAppendFile(std::string path, int descriptor, std::uint64_t size)
        : path_(std::move(path)),
          descriptor_(descriptor),
          size_(size) {}

    PosixAppendFile(const PosixAppendFile&) = delete;
    PosixAppendFile& operator=(const PosixAppendFile&) = delete;

    ~PosixAppendFile() override { ::close(descriptor_); }

    Status append(std::string_view bytes) override {
        while (!bytes.empty()) {
            const ::ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return failed("write", path_, errno);
            size_ += static_cast<std::uint64_t>(written);
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        return {};
    }

    Status sync() override {
        if (::fdatasync(descriptor_) != 0) return failed("sync", path_, errno);
        return {};
    }

    [[nodiscard]] std::uint64_t size() const override { return size_; }

  private:
    std::string path_;
    int descriptor_;
    std::uint64_t size_;
};

Result<std::size_t> read_all_at(
    int descriptor, const std::string& path, std::uint64_t offset, std::span<char> bytes
) {
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const ::ssize_t count = ::pread(
            descriptor,
            bytes.data() + filled,
            bytes.size() - filled,
            static_cast<::off_t>(offset + filled)
        );
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("read", path, errno);
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

class PosixReadFile final : public ReadFile {
  public:
    PosixReadFile(std::string path, int descriptor)
        : path_(std::move(path)),
          descriptor_(descriptor) {}

    PosixReadFile(const PosixReadFile&) = delete;
    PosixReadFile& operator=(const PosixReadFile&) = delete;

    ~PosixReadFile() override { ::close(descriptor_); }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> bytes) override {
        return read_all_at(descriptor_, path_, offset, bytes);
    }

    Result<std::uint64_t> size() override {
        struct ::stat facts {};

        if (::fstat(descriptor_, &facts) != 0) return failed("stat", path_, errno);
        return static_cast<std::uint64_t>(facts.st_size);
    }

  private:
    std::string path_;
    int descriptor_;
};

}  // namespace

Result<std::unique_ptr<AppendFile>> PosixFileSystem::open_append(
    const std::string& path, unsigned mode
) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode);
    if (descriptor < 0) return failed("open", path, errno);

    struct ::stat facts {};

    if (::fstat(descriptor, &facts) != 0) {
        const int error_number = errno;
        ::close(descriptor);
        return failed("stat", path, error_number);
    }
    return std::make_unique<PosixAppendFile>(
        path, descriptor, static_cast<std::uint64_t>(facts.st_size)
    );
}

Result<std::string> PosixFileSystem::read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return failed("read", path, errno);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::string> PosixFileSystem::read_part(
    const std::string& path, std::uint64_t offset, std::size_t bytes_max
) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failed("open", path, errno);
    std::string part(bytes_max, '\0');
    const Result<std::size_t> filled = read_all_at(descriptor, path, offset, part);
    ::close(descriptor);
    if (!filled) return tl::unexpected(filled.error());
    part.resize(*filled);
    return part;
}

Result<std::unique_ptr<ReadFile>> PosixFileSystem::open_read(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) return std::make_unique<PosixReadFile>(path, descriptor);
    const int error_number = errno;
    tl::unexpected<Error> error = failed("open", path, error_number);
    if (error_number == ENOENT) error.value().code = ErrorCode::not_found;
    return error;
}

Status PosixFileSystem::truncate(const std::string& path, std::uint64_t size) {
    if (::truncate(path.c_str(), static_cast<::off_t>(size)) != 0) {
        return failed("truncate", path, errno);
    }
    return {};
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from, errno);
    return {};
}

Status PosixFileSystem::remove(const std::string& path) {
    if (::unlink(path.c_str()) != 0) return failed("remove", path, errno);
    return {};
}

Status PosixFileSystem::make_directories(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return failed("make directory", path, error.value());
    return {};
}

Status PosixFileSystem::sync_directory(const std::string& directory) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return failed("open", directory, errno);
    const int outcome = ::fsync(descriptor);
    const int error_number = errno;
    ::close(descriptor);
    if (outcome != 0) return failed("sync", directory, error_number);
    return {};
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& directory) {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->is_regular_file()) names.push_back(entry->path().filename().string());
    }
    if (error) return failed("list", directory, error.value());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace spangate
