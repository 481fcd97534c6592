// What time it is for the sessions of one shard. Wall time only once the guard has read all there
// is and has stayed there for a while; before, after a restart or behind a lag, it is the time of
// the newest record read. So nobody is called silent whose events wait in the log.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"

namespace spangate {

class ShardClock {
  public:
    // Long enough for gateways to bring what they held while the brokers were away.
    static constexpr std::chrono::seconds settling{15};
    // A busy partition's end is never reached for long: records this young are the end.
    static constexpr WallNanos fresh_max = 2'000'000'000;

    void saw_record(WallNanos received_at, WallNanos wall, SteadyTime now) {
        newest_ = std::max(newest_, received_at);
        if (wall - received_at <= fresh_max) {
            reach_end(now);
        } else {
            end_since_.reset();
        }
    }

    void reach_end(SteadyTime now) {
        if (!end_since_) end_since_ = now;
    }

    // The brokers went away: what is not seen says nothing.
    void lose_sight() { end_since_.reset(); }

    [[nodiscard]] bool is_settled(SteadyTime now) const {
        return end_since_ && now - *end_since_ >= settling;
    }

    [[nodiscard]] bool is_at_end() const { return end_since_.has_value(); }

    // 0: nothing is known yet.
    [[nodiscard]] WallNanos time(WallNanos wall, SteadyTime now) const {
        return is_settled(now) ? std::max(wall, newest_) : newest_;
    }

    [[nodiscard]] WallNanos newest() const { return newest_; }

  private:
    WallNanos newest_ = 0;
    std::optional<SteadyTime> end_since_;
};

}  // namespace spangate
