#include "base/cores.h"

#include <catch2/catch.hpp>

using namespace spangate;

TEST_CASE("a container's CPU quota limits the cores that count") {
    CHECK(cores_within_quota(64, "max 100000") == 64);
    CHECK(cores_within_quota(64, "200000 100000") == 2);
    CHECK(cores_within_quota(64, "150000 100000") == 2);
    CHECK(cores_within_quota(64, "5000 100000") == 1);
    CHECK(cores_within_quota(2, "800000 100000") == 2);
}

TEST_CASE("an unreadable quota is none") {
    for (const char* text :
         {"", "max", "100000", "x 100000", "0 100000", "100000 0", "-1 100000"}) {
        CHECK(cores_within_quota(8, text) == 8);
    }
    CHECK(cores_within_quota(0, "") == 1);
    CHECK(usable_cores() >= 1);
}
