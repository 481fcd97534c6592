// Readiness by room: a room that cannot work says why, /readyz repeats it. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace spangate {

class Health {
  public:
    void set_ready(std::string_view room) {
        const std::lock_guard lock(mutex_);
        const auto at = not_ready_.find(room);
        if (at != not_ready_.end()) not_ready_.erase(at);
    }

    // `reason` is for people and holds no secret.
    void set_not_ready(std::string_view room, std::string_view reason) {
        const std::lock_guard lock(mutex_);
        not_ready_.insert_or_assign(std::string(room), std::string(reason));
    }

    // Room → reason; empty: ready.
    [[nodiscard]] std::map<std::string, std::string, std::less<>> not_ready() const {
        const std::lock_guard lock(mutex_);
        return not_ready_;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string, std::less<>> not_ready_;
};

}  // namespace spangate
