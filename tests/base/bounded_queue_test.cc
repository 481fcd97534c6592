#include "base/bounded_queue.h"

#include <memory>

#include <catch2/catch.hpp>

using spangate::BoundedQueue;

TEST_CASE("a full queue says no and leaves the item alone") {
    BoundedQueue<std::unique_ptr<int>> queue(1);
    REQUIRE(queue.try_push(std::make_unique<int>(1)));
    auto second = std::make_unique<int>(2);
    CHECK_FALSE(queue.try_push(std::move(second)));
    REQUIRE(second != nullptr);
    CHECK(*second == 2);
}

TEST_CASE("a closed queue gives what it holds and then nothing") {
    BoundedQueue<int> queue(4);
    REQUIRE(queue.try_push(1));
    REQUIRE(queue.try_push(2));
    queue.close();
    CHECK_FALSE(queue.try_push(3));
    CHECK(queue.pop() == 1);
    CHECK(queue.pop() == 2);
    CHECK(queue.pop() == std::nullopt);
}

TEST_CASE("waiting for more ends at the deadline") {
    BoundedQueue<int> queue(4);
    CHECK(queue.pop_until(std::chrono::steady_clock::now()) == std::nullopt);
}
