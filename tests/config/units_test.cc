#include "config/units.h"

#include <catch2/catch.hpp>

namespace spangate {

TEST_CASE("sizes are read in powers of 1024 and of 1000") {
    CHECK(read_size("0") == 0);
    CHECK(read_size("1500") == 1500);
    CHECK(read_size("7B") == 7);
    CHECK(read_size("64MiB") == 64 * mib);
    CHECK(read_size("2KiB") == 2048);
    CHECK(read_size("1GiB") == gib);
    CHECK(read_size("2TiB") == 2048 * gib);
    CHECK(read_size("5KB") == 5'000);
    CHECK(read_size("5MB") == 5'000'000);
    CHECK(read_size("5GB") == 5'000'000'000);
}

TEST_CASE("what is no size is refused") {
    for (const char* text :
         {"",
          "MiB",
          "-1",
          "+1",
          "1.5MiB",
          "1 MiB",
          "64mib",
          "64Mi",
          "64M",
          "1MiB2",
          "0x10",
          "99999999999999999999",
          "18446744073709551615KiB"}) {
        CAPTURE(text);
        CHECK_FALSE(read_size(text).has_value());
    }
}

TEST_CASE("durations are read with a unit, and 0 without") {
    CHECK(read_duration("0") == Millis{0});
    CHECK(read_duration("0ms") == Millis{0});
    CHECK(read_duration("200ms") == Millis{200});
    CHECK(read_duration("5s") == Millis{5'000});
    CHECK(read_duration("2m") == Millis{120'000});
    CHECK(read_duration("1h") == Millis{3'600'000});
}

TEST_CASE("what is no duration is refused") {
    for (const char* text :
         {"",
          "5",
          "s",
          "-5s",
          "1.5s",
          "5 s",
          "5sec",
          "1h30m",
          "5S",
          "9223372036854775807h",
          "9223372036854775808ms"}) {
        CAPTURE(text);
        CHECK_FALSE(read_duration(text).has_value());
    }
}

TEST_CASE("what is printed reads back") {
    for (const Bytes size : {Bytes{0}, Bytes{1}, Bytes{1000}, kib, 3 * mib, 1536 * kib, gib + 1}) {
        CHECK(read_size(size_text(size)) == size);
    }
    for (const int millis : {0, 1, 999, 1'000, 1'500, 60'000, 90'000, 3'600'000}) {
        CHECK(read_duration(duration_text(Millis{millis})) == Millis{millis});
    }
    CHECK(size_text(20 * mib) == "20MiB");
    CHECK(size_text(1500) == "1500");
    CHECK(duration_text(Millis{0}) == "0s");
    CHECK(duration_text(Millis{90'000}) == "90s");
}

}  // namespace spangate
