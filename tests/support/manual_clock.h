// A clock that moves only when a test says so.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace spangate::testing {

class ManualClock final : public Clock {
  public:
    explicit ManualClock(WallNanos wall = 1'790'000'000'000'000'000) : wall_(wall) {}

    [[nodiscard]] WallNanos wall_nanos() const override { return wall_; }

    [[nodiscard]] SteadyTime steady() const override {
        return SteadyTime(std::chrono::nanoseconds(steady_));
    }

    void advance(std::chrono::nanoseconds by) {
        wall_ += by.count();
        steady_ += by.count();
    }

  private:
    std::atomic<WallNanos> wall_;
    std::atomic<std::int64_t> steady_{1'000'000'000};
};

}  // namespace spangate::testing
