// The clock seam. Code that decides by time takes a Clock&; tests give a ManualClock
// (tests/support/manual_clock.h). Both functions may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace spangate {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallNanos = std::int64_t;  // nanoseconds since 1970-01-01T00:00:00Z

class Clock {
  public:
    virtual ~Clock() = default;

    // For stamps that leave the process; may jump.
    [[nodiscard]] virtual WallNanos wall_nanos() const = 0;

    // For waits and deadlines; never goes back.
    [[nodiscard]] virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] WallNanos wall_nanos() const override {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::system_clock::now().time_since_epoch()
        )
            .count();
    }

    [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace spangate
