#include "guard/shard_clock.h"

#include <catch2/catch.hpp>

namespace spangate {
namespace {

constexpr WallNanos second = 1'000'000'000;
constexpr WallNanos wall = 1'800'000'000 * second;

SteadyTime after(int seconds) {
    return SteadyTime(std::chrono::seconds(1'000 + seconds));
}

}  // namespace

TEST_CASE("behind a lag it is the time of the newest record, never the wall's") {
    ShardClock clock;
    CHECK(clock.time(wall, after(0)) == 0);
    clock.saw_record(wall - 900 * second, wall, after(0));
    clock.saw_record(wall - 800 * second, wall, after(100));
    CHECK(clock.time(wall, after(100)) == wall - 800 * second);
    CHECK_FALSE(clock.is_at_end());
}

TEST_CASE("at the end of the log the wall's time counts, once the guard has stayed there") {
    ShardClock clock;
    clock.saw_record(wall - 900 * second, wall, after(0));
    clock.reach_end(after(1));
    CHECK(clock.time(wall, after(10)) == wall - 900 * second);
    CHECK(clock.time(wall, after(17)) == wall);
}

TEST_CASE("a busy partition is at its end as long as its records are young") {
    ShardClock clock;
    for (int i = 0; i < 20; ++i)
        clock.saw_record(wall + i * second, wall + i * second, after(i));
    CHECK(clock.is_settled(after(20)));
}

TEST_CASE("when the brokers go away, the time stands still until they are back for a while") {
    ShardClock clock;
    clock.saw_record(wall, wall, after(0));
    CHECK(clock.is_settled(after(20)));
    clock.lose_sight();
    CHECK(clock.time(wall + 600 * second, after(600)) == wall);
    clock.reach_end(after(700));
    CHECK(clock.time(wall + 705 * second, after(705)) == wall);
    CHECK(clock.time(wall + 720 * second, after(720)) == wall + 720 * second);
}

}  // namespace spangate
