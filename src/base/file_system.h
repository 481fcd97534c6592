// The file system seam: the few operations that durable sinks need, so that a test can lose, tear
// or refuse them. PosixFileSystem is the real one. Every function may be called from any thread;
// one AppendFile belongs to one thread at a time. A full device or quota is `unavailable`, all else
// that fails is `io`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spangate {

class AppendFile {
  public:
    virtual ~AppendFile() = default;

    // All of `bytes` or an error; after an error the tail of the file is unknown.
    [[nodiscard]] virtual Status append(std::string_view bytes) = 0;

    // Returns when the appended data is on the device (fdatasync). After a failure the file must
    // not be used further: the kernel may have dropped the pages (see fsync(2)).
    [[nodiscard]] virtual Status sync() = 0;

    [[nodiscard]] virtual std::uint64_t size() const = 0;
};

// A file opened for reading; stays readable when it is renamed or removed meanwhile.
class ReadFile {
  public:
    virtual ~ReadFile() = default;

    // Fills `bytes` from `offset` on and says how many; fewer, or none, at the end of the file.
    [[nodiscard]] virtual Result<std::size_t> read_at(
        std::uint64_t offset, std::span<char> bytes
    ) = 0;

    // Now; another may append meanwhile.
    [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
};

class FileSystem {
  public:
    virtual ~FileSystem() = default;

    // Makes the file, with `mode`, when there is none.
    [[nodiscard]] virtual Result<std::unique_ptr<AppendFile>> open_append(
        const std::string& path, unsigned mode
    ) = 0;

    [[nodiscard]] Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) {
        return open_append(path, 0640);
    }

    [[nodiscard]] virtual Result<std::string> read(const std::string& path) = 0;

    // Up to `bytes_max` bytes from `offset` on; fewer, or none, at the end of the file.
    [[nodiscard]] virtual Result<std::string> read_part(
        const std::string& path, std::uint64_t offset, std::size_t bytes_max
    ) = 0;

    // For many reads of one file. `not_found` when there is none.
    [[nodiscard]] virtual Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) = 0;

    [[nodiscard]] virtual Status truncate(const std::string& path, std::uint64_t size) = 0;
    [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
    [[nodiscard]] virtual Status remove(const std::string& path) = 0;
    [[nodiscard]] virtual Status make_directories(const std::string& path) = 0;

    // Makes renames and new files in `directory` durable.
    [[nodiscard]] virtual Status sync_directory(const std::string& directory) = 0;

    // Names (not paths) of the regular files in `directory`, sorted.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
};

class PosixFileSystem final : public FileSystem {
  public:
    using FileSystem::open_append;
    [[nodiscard]] Result<std::unique_ptr<AppendFile>> open_append(
        const std::string& path, unsigned mode
    ) override;
    [[nodiscard]] Result<std::string> read(const std::string& path) override;
    [[nodiscard]] Result<std::string> read_part(
        const std::string& path, std::uint64_t offset, std::size_t bytes_max
    ) override;
    [[nodiscard]] Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) override;
    [[nodiscard]] Status truncate(const std::string& path, std::uint64_t size) override;
    [[nodiscard]] Status rename(const std::string& from, const std::string& to) override;
    [[nodiscard]] Status remove(const std::string& path) override;
    [[nodiscard]] Status make_directories(const std::string& path) override;
    [[nodiscard]] Status sync_directory(const std::string& directory) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& directory) override;
};

}  // namespace spangate
