// How many records are open at Kafka, and for how long the oldest is: a ring of counters by the
// coarse time of sending, so that one partition without a leader is seen while others go on.
//
//   tick  …  41  42  43  44  now
//   open      0   3   0   9   2      the oldest is 3 ticks old
//
// add() and remove() from any thread: one relaxed atomic add, no clock. The rest from the owner's.
// Records older than the ring look younger than they are; the ring is twice the age that matters.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace spangate {

class OpenRing {
  public:
    // `age_max`: the age that the owner watches for.
    explicit OpenRing(std::chrono::milliseconds age_max)
        : tick_length_(std::chrono::nanoseconds(age_max) / ticks_per_age_max) {}

    // The tick to keep with the record until remove().
    [[nodiscard]] std::uint32_t add() {
        const std::uint32_t tick = tick_.load(std::memory_order_relaxed);
        counts_[tick % ticks_count].fetch_add(1, std::memory_order_relaxed);
        return tick;
    }

    void remove(std::uint32_t tick, std::uint32_t count = 1) {
        counts_[tick % ticks_count].fetch_sub(count, std::memory_order_relaxed);
    }

    void advance(SteadyTime now) {
        tick_.store(
            static_cast<std::uint32_t>(now.time_since_epoch() / tick_length_),
            std::memory_order_relaxed
        );
    }

    // Exact when nobody adds meanwhile.
    [[nodiscard]] std::int64_t count() const {
        std::int64_t sum = 0;
        for (const auto& count : counts_)
            sum += count.load(std::memory_order_relaxed);
        return sum;
    }

    // Zero when nothing is open; else at most one tick too short.
    [[nodiscard]] std::chrono::nanoseconds oldest_age() const {
        const std::uint32_t now = tick_.load(std::memory_order_relaxed);
        for (std::uint32_t age = ticks_count - 1; age > 0; --age) {
            if (counts_[(now - age) % ticks_count].load(std::memory_order_relaxed) > 0) {
                return tick_length_ * age;
            }
        }
        return {};
    }

  private:
    static constexpr std::uint32_t ticks_per_age_max = 32;
    static constexpr std::uint32_t ticks_count = 64;

    const std::chrono::nanoseconds tick_length_;
    std::atomic<std::uint32_t> tick_{0};
    std::array<std::atomic<std::int64_t>, ticks_count> counts_{};
};

}  // namespace spangate
