// Open connections of one server, in all and by address. Thread-safe; touched once at either end of
// a connection.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "net/http_limits.h"

namespace spangate {

class ConnectionLedger {
  public:
    ConnectionLedger(const HttpLimits& limits, HttpCounters& counters)
        : limits_(limits),
          counters_(counters) {}

    // False, and counted, when there is no place.
    [[nodiscard]] bool enter(const std::string& address) {
        const std::lock_guard lock(mutex_);
        if (count_ >= limits_.connections_max) {
            counters_.count(HttpTrouble::connections_full);
            return false;
        }
        std::uint32_t& of_address = by_address_[address];
        if (of_address >= limits_.connections_per_address_max) {
            counters_.count(HttpTrouble::address_full);
            return false;
        }
        ++of_address;
        ++count_;
        counters_.connections().set(count_);
        return true;
    }

    void leave(const std::string& address) {
        const std::lock_guard lock(mutex_);
        const auto at = by_address_.find(address);
        if (at != by_address_.end() && --at->second == 0) by_address_.erase(at);
        --count_;
        counters_.connections().set(count_);
        if (count_ == 0) empty_.notify_all();
    }

    // True when the last one left before `deadline`.
    [[nodiscard]] bool wait_empty(SteadyTime deadline) {
        std::unique_lock lock(mutex_);
        return empty_.wait_until(lock, deadline, [this] { return count_ == 0; });
    }

  private:
    const HttpLimits& limits_;
    HttpCounters& counters_;
    std::mutex mutex_;
    std::condition_variable empty_;
    std::unordered_map<std::string, std::uint32_t> by_address_;  // guarded by mutex_
    std::uint32_t count_ = 0;                                    // guarded by mutex_
};

}  // namespace spangate
