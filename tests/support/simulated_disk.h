// A disk in memory that forgets as a real one may: for simulations of crashes. One seed, one run.
//
//   cut_power()  what was not synced is lost, torn at any byte, or full of holes (sectors of
//   zeros);
//                new, renamed and removed names are lost unless their directory was synced
//   kill()       only the process dies: the page cache is still there at the next start
//   start()      the next process: until then every operation fails, and handles of the former
//                process fail for ever
//
// A failed sync drops the pages (as Linux does): a later sync that succeeds does not bring them to
// the device. Directories themselves are durable at once. Thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"

namespace spangate::testing {

class SimulatedDisk final : public FileSystem {
  public:
    using FileSystem::open_append;

    explicit SimulatedDisk(std::uint64_t seed) : random_(seed) {}

    void cut_power() {
        const std::lock_guard lock(mutex_);
        cut_power_now();
    }

    void kill() {
        const std::lock_guard lock(mutex_);
        is_on_ = false;
    }

    // The same in the midst of what a process does: before its operation number `operations` from
    // here, which fails like all after it.
    void stop_before(std::uint32_t operations, bool is_power_cut) {
        const std::lock_guard lock(mutex_);
        stops_in_ = operations;
        stops_by_power_cut_ = is_power_cut;
    }

    // `what` is called before each sync of a file, where others of the process may come in between.
    void before_sync(std::function<void()> what) { before_sync_ = std::move(what); }

    [[nodiscard]] bool is_on() const {
        const std::lock_guard lock(mutex_);
        return is_on_;
    }

    // Whether a file of `directory` that outlives a power cut now holds `bytes`.
    [[nodiscard]] bool is_durable(const std::string& directory, std::string_view bytes) const {
        const std::lock_guard lock(mutex_);
        for (auto name = names_on_device_.rbegin(); name != names_on_device_.rend(); ++name) {
            const auto& [path, node] = *name;
            if (path.starts_with(directory) && node->on_device.find(bytes) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    void start() {
        const std::lock_guard lock(mutex_);
        is_on_ = true;
        stops_in_ = 0;
        ++process_;
    }

    // The next `times` of an operation ("append", "sync", "sync_directory", "open_append",
    // "open_read", "read_at", "truncate", "rename", "remove") fail.
    void fail_next(const std::string& operation, ErrorCode code, int times = 1) {
        const std::lock_guard lock(mutex_);
        faults_[operation] = {code, times};
    }

    void set_capacity(std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        capacity_ = bytes;
    }

    [[nodiscard]] std::uint64_t bytes_used() const {
        const std::lock_guard lock(mutex_);
        return bytes_live();
    }

    // The bytes of a file as the next process would read them now.
    [[nodiscard]] std::string content(const std::string& path) const {
        const std::lock_guard lock(mutex_);
        const auto found = names_.find(path);
        return found == names_.end() ? std::string() : found->second->live;
    }

    void flip_bit(const std::string& path, std::uint64_t offset, int bit) {
        const std::lock_guard lock(mutex_);
        File& file = *names_.at(path);
        file.live.at(offset) = static_cast<char>(file.live.at(offset) ^ (1 << bit));
        if (offset < file.on_device.size()) file.on_device[offset] = file.live[offset];
    }

    Result<std::unique_ptr<AppendFile>> open_append(const std::string& path, unsigned) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("open_append"); !fault) return tl::unexpected(fault.error());
        Node& node = names_[path];
        if (node == nullptr) {
            node = std::make_shared<File>();
            pending_.push_back({path, node});
        }
        return std::make_unique<Appender>(*this, node, process_);
    }

    Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("open_read"); !fault) return tl::unexpected(fault.error());
        const auto found = names_.find(path);
        if (found == names_.end()) return fail(ErrorCode::not_found, "no file " + path);
        return std::make_unique<Reader>(*this, found->second, process_);
    }

    Result<std::string> read(const std::string& path) override {
        return read_part(path, 0, std::string().max_size());
    }

    Result<std::string> read_part(
        const std::string& path, std::uint64_t offset, std::size_t bytes_max
    ) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("read_at"); !fault) return tl::unexpected(fault.error());
        const auto found = names_.find(path);
        if (found == names_.end()) return fail(ErrorCode::io, "no file " + path);
        const std::string& live = found->second->live;
        return offset >= live.size() ? std::string() : live.substr(offset, bytes_max);
    }

    Status truncate(const std::string& path, std::uint64_t size) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("truncate"); !fault) return fault;
        const auto found = names_.find(path);
        if (found == names_.end()) return fail(ErrorCode::io, "no file " + path);
        File& file = *found->second;
        file.live.resize(size, '\0');
        file.same_bytes = std::min<std::size_t>(file.same_bytes, size);
        for (auto& [begin, end] : file.dropped)
            end = std::min<std::size_t>(end, size);
        return {};
    }

    Status rename(const std::string& from, const std::string& to) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("rename"); !fault) return fault;
        const auto found = names_.find(from);
        if (found == names_.end()) return fail(ErrorCode::io, "no file " + from);
        const Node node = found->second;
        names_.erase(found);
        names_[to] = node;
        pending_.push_back({to, node, from});
        return {};
    }

    Status remove(const std::string& path) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("remove"); !fault) return fault;
        if (names_.erase(path) == 0) return fail(ErrorCode::io, "no file " + path);
        pending_.push_back({path, nullptr});
        return {};
    }

    Status make_directories(const std::string&) override {
        const std::lock_guard lock(mutex_);
        return fault_of("make_directories");
    }

    Status sync_directory(const std::string& directory) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("sync_directory"); !fault) return fault;
        const auto is_there = [&](const Pending& pending) {
            return parent(pending.path) == directory;
        };
        for (const Pending& pending : pending_) {
            if (is_there(pending)) apply(pending);
        }
        pending_.erase(std::remove_if(pending_.begin(), pending_.end(), is_there), pending_.end());
        return {};
    }

    Result<std::vector<std::string>> list(const std::string& directory) override {
        const std::lock_guard lock(mutex_);
        if (Status fault = fault_of("list"); !fault) return tl::unexpected(fault.error());
        std::vector<std::string> files;
        for (const auto& [path, node] : names_) {
            if (parent(path) == directory) files.push_back(path.substr(directory.size() + 1));
        }
        return files;
    }

  private:
    struct File {
        std::string live;            // what a process reads
        std::string on_device;       // what the last sync brought there
        std::size_t same_bytes = 0;  // at the front of both
        // [first, second): pages that a failed sync dropped; the device never gets them.
        std::vector<std::pair<std::size_t, std::size_t>> dropped;
    };

    using Node = std::shared_ptr<File>;

    // A change of names that no sync of the directory covers yet.
    struct Pending {
        std::string path;
        Node node;           // null: removed
        std::string from{};  // renamed from there
    };

    class Appender final : public AppendFile {
      public:
        Appender(SimulatedDisk& disk, Node node, std::uint64_t process)
            : disk_(disk),
              node_(std::move(node)),
              process_(process) {}

        Status append(std::string_view bytes) override {
            const std::lock_guard lock(disk_.mutex_);
            if (Status dead = disk_.is_alive(process_); !dead) return dead;
            if (Status fault = disk_.fault_of("append"); !fault) {
                node_->live.append(bytes.substr(0, disk_.below(bytes.size() + 1)));
                return fault;
            }
            const std::uint64_t room =
                disk_.capacity_ - std::min(disk_.capacity_, disk_.bytes_live());
            node_->live.append(bytes.substr(0, room));
            if (room < bytes.size()) return fail(ErrorCode::unavailable, "the disk is full");
            return {};
        }

        Status sync() override {
            disk_.before_sync_();
            const std::lock_guard lock(disk_.mutex_);
            if (Status dead = disk_.is_alive(process_); !dead) return dead;
            if (Status fault = disk_.fault_of("sync"); !fault) {
                node_->dropped.emplace_back(node_->on_device.size(), node_->live.size());
                return fault;
            }
            node_->on_device.resize(node_->same_bytes);
            node_->on_device.append(node_->live, node_->same_bytes);
            node_->same_bytes = node_->live.size();
            for (const auto& [begin, end] : node_->dropped) {
                const std::size_t stop = std::min(end, node_->on_device.size());
                for (std::size_t at = begin; at < stop; ++at)
                    node_->on_device[at] = '\0';
            }
            return {};
        }

        [[nodiscard]] std::uint64_t size() const override {
            const std::lock_guard lock(disk_.mutex_);
            return node_->live.size();
        }

      private:
        SimulatedDisk& disk_;
        Node node_;
        const std::uint64_t process_;
    };

    class Reader final : public ReadFile {
      public:
        Reader(SimulatedDisk& disk, Node node, std::uint64_t process)
            : disk_(disk),
              node_(std::move(node)),
              process_(process) {}

        Result<std::size_t> read_at(std::uint64_t offset, std::span<char> bytes) override {
            const std::lock_guard lock(disk_.mutex_);
            if (Status dead = disk_.is_alive(process_); !dead) return tl::unexpected(dead.error());
            if (Status fault = disk_.fault_of("read_at"); !fault) {
                return tl::unexpected(fault.error());
            }
            if (offset >= node_->live.size()) return std::size_t{0};
            return node_->live.copy(bytes.data(), bytes.size(), offset);
        }

        Result<std::uint64_t> size() override {
            const std::lock_guard lock(disk_.mutex_);
            return std::uint64_t{node_->live.size()};
        }

      private:
        SimulatedDisk& disk_;
        Node node_;
        const std::uint64_t process_;
    };

    struct Fault {
        ErrorCode code = ErrorCode::io;
        int times = 0;
    };

    static constexpr std::size_t sector_bytes = 512;

    static std::string parent(const std::string& path) {
        return path.substr(0, path.find_last_of('/'));
    }

    [[nodiscard]] std::size_t below(std::size_t bound) { return random_() % bound; }

    [[nodiscard]] Status is_alive(std::uint64_t process) const {
        if (is_on_ && process == process_) return {};
        return fail(ErrorCode::io, "the process is dead");
    }

    void cut_power_now() {
        apply_some_pending();
        std::map<std::string, Node> survivors = names_on_device_;
        for (auto& [path, node] : survivors)
            lose_unsynced(*node);
        names_ = std::move(survivors);
        is_on_ = false;
    }

    [[nodiscard]] Status fault_of(const std::string& operation) {
        if (stops_in_ > 0 && --stops_in_ == 0) {
            if (stops_by_power_cut_) cut_power_now();
            is_on_ = false;
        }
        if (!is_on_) return fail(ErrorCode::io, "the power is off");
        const auto found = faults_.find(operation);
        if (found == faults_.end() || found->second.times == 0) return {};
        --found->second.times;
        return fail(found->second.code, "the simulation broke " + operation);
    }

    [[nodiscard]] std::uint64_t bytes_live() const {
        std::uint64_t sum = 0;
        for (const auto& [path, node] : names_)
            sum += node->live.size();
        return sum;
    }

    void apply(const Pending& pending) {
        if (!pending.from.empty()) names_on_device_.erase(pending.from);
        if (pending.node == nullptr) {
            names_on_device_.erase(pending.path);
        } else {
            names_on_device_[pending.path] = pending.node;
        }
    }

    // Either a journal's prefix of what was pending, or any of it, in order.
    void apply_some_pending() {
        const bool is_journal = below(2) == 0;
        const std::size_t prefix = below(pending_.size() + 1);
        for (std::size_t i = 0; i < pending_.size(); ++i) {
            if (is_journal ? i < prefix : below(2) == 0) apply(pending_[i]);
        }
        pending_.clear();
    }

    void lose_unsynced(File& file) {
        const std::string& old = file.on_device;
        std::string& live = file.live;
        const std::size_t same = static_cast<std::size_t>(
            std::mismatch(old.begin(), old.end(), live.begin(), live.end()).first - old.begin()
        );
        const std::size_t way = below(4);
        if (way == 0 || live.size() < same) {
            live = old;
        } else if (way == 1) {
            // A prefix, torn at any byte.
            live.resize(same + below(live.size() - same + 1));
        } else if (way == 2) {
            // Sectors in any order: each new one is there or a hole.
            live.resize(same + below(live.size() - same + 1));
            for (std::size_t at = same; at < live.size();) {
                const std::size_t end =
                    std::min(live.size(), at / sector_bytes * sector_bytes + sector_bytes);
                if (below(3) == 0) {
                    std::fill(
                        live.begin() + static_cast<std::ptrdiff_t>(at),
                        live.begin() + static_cast<std::ptrdiff_t>(end),
                        '\0'
                    );
                }
                at = end;
            }
        }
        for (const auto& [begin, end] : file.dropped) {
            for (std::size_t at = begin; at < std::min(end, live.size()); ++at)
                live[at] = '\0';
        }
        file.dropped.clear();
        file.on_device = live;
        file.same_bytes = live.size();
    }

    mutable std::mutex mutex_;
    std::mt19937_64 random_;
    std::map<std::string, Node> names_;            // what a process sees
    std::map<std::string, Node> names_on_device_;  // what a power cut leaves
    std::vector<Pending> pending_;
    std::map<std::string, Fault> faults_;
    std::uint64_t capacity_ = UINT64_MAX;
    std::uint64_t process_ = 1;
    std::function<void()> before_sync_ = [] {
    };
    bool is_on_ = true;
    std::uint32_t stops_in_ = 0;  // operations; 0: never
    bool stops_by_power_cut_ = false;
};

}  // namespace spangate::testing
