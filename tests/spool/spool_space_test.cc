#include "spool/spool_space.h"

#include <catch2/catch.hpp>

namespace spangate {

TEST_CASE("a class without a topic leaves a fifth to each of the others") {
    SpoolSpace space(1000);
    CHECK(space.bytes_left(SpoolLine::operational) == 600);
    CHECK(space.bytes_left(SpoolLine::dead_letter) == 400);
    CHECK(space.take(SpoolLine::operational, 600));
    CHECK_FALSE(space.take(SpoolLine::operational, 1));
    CHECK(space.take(SpoolLine::detail, 200));
    CHECK_FALSE(space.take(SpoolLine::detail, 1));
    CHECK(space.take(SpoolLine::evidence, 200));
    CHECK(space.bytes_used() == 1000);
    CHECK(space.bytes_left(SpoolLine::dead_letter) == 0);
    space.give_back(SpoolLine::operational, 100);
    CHECK(space.bytes_left(SpoolLine::operational) == 100);
    CHECK(space.bytes_left(SpoolLine::detail) == 100);
}

TEST_CASE("what is found at start counts though it is over the limit") {
    SpoolSpace space(1000);
    space.count_found(SpoolLine::detail, 5000);
    CHECK(space.bytes_used() == 5000);
    CHECK(space.bytes_left(SpoolLine::detail) == 0);
    CHECK_FALSE(space.take(SpoolLine::evidence, 1));
    space.give_back(SpoolLine::detail, 5000);
    CHECK(space.take(SpoolLine::evidence, 600));
}

}  // namespace spangate
