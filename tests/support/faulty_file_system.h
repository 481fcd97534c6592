// The real file system, in which a test can make operations fail or wait.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"

namespace spangate::testing {

class FaultyFileSystem final : public FileSystem {
  public:
    using FileSystem::open_append;

    // Every later `operation` ("append", "sync", "open", "open_read", "read_at", "rename",
    // "remove", "truncate", "sync_directory") on a path that holds `part` fails with `code`, until
    // repair().
    void break_operation(
        const std::string& operation, ErrorCode code = ErrorCode::io, const std::string& part = {}
    ) {
        const std::lock_guard lock(mutex_);
        broken_[operation] = {code, part};
    }

    void repair() {
        const std::lock_guard lock(mutex_);
        broken_.clear();
    }

    // An append writes only the first half of its bytes and then fails.
    void tear_appends(ErrorCode code) {
        break_operation("append", code);
        const std::lock_guard lock(mutex_);
        tears_ = true;
    }

    // Syncs wait until let_syncs().
    void hold_syncs() {
        const std::lock_guard lock(mutex_);
        holds_syncs_ = true;
    }

    void let_syncs() {
        {
            const std::lock_guard lock(mutex_);
            holds_syncs_ = false;
        }
        changed_.notify_all();
    }

    [[nodiscard]] int syncs_waiting() {
        const std::lock_guard lock(mutex_);
        return syncs_waiting_;
    }

    Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, unsigned mode)
        override {
        if (Status fault = fault_of("open", path); !fault) return tl::unexpected(fault.error());
        Result<std::unique_ptr<AppendFile>> file = real_.open_append(path, mode);
        if (!file) return file;
        return std::unique_ptr<AppendFile>(std::make_unique<File>(*this, path, std::move(*file)));
    }

    Result<std::string> read(const std::string& path) override { return real_.read(path); }

    Result<std::string> read_part(
        const std::string& path, std::uint64_t offset, std::size_t bytes_max
    ) override {
        return real_.read_part(path, offset, bytes_max);
    }

    Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) override {
        if (Status fault = fault_of("open_read", path); !fault) {
            return tl::unexpected(fault.error());
        }
        Result<std::unique_ptr<ReadFile>> file = real_.open_read(path);
        if (!file) return file;
        return std::unique_ptr<ReadFile>(std::make_unique<FileToRead>(*this, path, std::move(*file))
        );
    }

    Status truncate(const std::string& path, std::uint64_t size) override {
        if (Status fault = fault_of("truncate", path); !fault) return fault;
        return real_.truncate(path, size);
    }

    Status rename(const std::string& from, const std::string& to) override {
        if (Status fault = fault_of("rename", from); !fault) return fault;
        return real_.rename(from, to);
    }

    Status remove(const std::string& path) override {
        if (Status fault = fault_of("remove", path); !fault) return fault;
        return real_.remove(path);
    }

    Status make_directories(const std::string& path) override {
        return real_.make_directories(path);
    }

    Status sync_directory(const std::string& directory) override {
        if (Status fault = fault_of("sync_directory", directory); !fault) return fault;
        return real_.sync_directory(directory);
    }

    Result<std::vector<std::string>> list(const std::string& directory) override {
        return real_.list(directory);
    }

  private:
    class File final : public AppendFile {
      public:
        File(FaultyFileSystem& files, std::string path, std::unique_ptr<AppendFile> real)
            : files_(files),
              path_(std::move(path)),
              real_(std::move(real)) {}

        Status append(std::string_view bytes) override {
            if (Status fault = files_.fault_of("append", path_); !fault) {
                if (files_.tears_) (void)real_->append(bytes.substr(0, bytes.size() / 2));
                return fault;
            }
            return real_->append(bytes);
        }

        Status sync() override {
            files_.wait_for_sync();
            if (Status fault = files_.fault_of("sync", path_); !fault) return fault;
            return real_->sync();
        }

        [[nodiscard]] std::uint64_t size() const override { return real_->size(); }

      private:
        FaultyFileSystem& files_;
        std::string path_;
        std::unique_ptr<AppendFile> real_;
    };

    class FileToRead final : public ReadFile {
      public:
        FileToRead(FaultyFileSystem& files, std::string path, std::unique_ptr<ReadFile> real)
            : files_(files),
              path_(std::move(path)),
              real_(std::move(real)) {}

        Result<std::size_t> read_at(std::uint64_t offset, std::span<char> bytes) override {
            if (Status fault = files_.fault_of("read_at", path_); !fault) {
                return tl::unexpected(fault.error());
            }
            return real_->read_at(offset, bytes);
        }

        Result<std::uint64_t> size() override { return real_->size(); }

      private:
        FaultyFileSystem& files_;
        std::string path_;
        std::unique_ptr<ReadFile> real_;
    };

    Status fault_of(const std::string& operation, const std::string& path) {
        const std::lock_guard lock(mutex_);
        const auto found = broken_.find(operation);
        if (found == broken_.end()) return {};
        if (path.find(found->second.second) == std::string::npos) return {};
        return fail(found->second.first, "the test broke " + operation);
    }

    void wait_for_sync() {
        std::unique_lock lock(mutex_);
        ++syncs_waiting_;
        changed_.wait(lock, [this] { return !holds_syncs_; });
        --syncs_waiting_;
    }

    PosixFileSystem real_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::pair<ErrorCode, std::string>> broken_;
    bool tears_ = false;
    bool holds_syncs_ = false;
    int syncs_waiting_ = 0;
};

}  // namespace spangate::testing
