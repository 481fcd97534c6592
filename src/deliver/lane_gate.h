// Many lanes pass at a time; the line's thread closes it for an instant to change what is behind.
// The turnstile keeps new lanes back while the thread waits, because the shared mutex prefers them.
#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>

namespace spangate {

class LaneGate {
  public:
    [[nodiscard]] std::shared_lock<std::shared_mutex> enter() {
        // Relaxed: a hint for fairness only.
        if (is_closing_.load(std::memory_order_relaxed)) {
            const std::lock_guard turn(turnstile_);
        }
        return std::shared_lock(mutex_);
    }

    // One thread at a time.
    [[nodiscard]] std::unique_lock<std::shared_mutex> close() {
        is_closing_.store(true, std::memory_order_relaxed);
        const std::lock_guard turn(turnstile_);
        std::unique_lock lock(mutex_);
        is_closing_.store(false, std::memory_order_relaxed);
        return lock;
    }

  private:
    std::atomic<bool> is_closing_{false};
    std::mutex turnstile_;
    std::shared_mutex mutex_;
};

}  // namespace spangate
