#include "base/memory_budget.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>

using spangate::Lease;
using spangate::MemoryBudget;

TEST_CASE("a lease that does not fit changes nothing") {
    MemoryBudget budget(100);
    Lease lease(budget);
    REQUIRE(lease.grow_to(60));
    CHECK_FALSE(lease.grow_to(101));
    CHECK(lease.bytes() == 60);
    CHECK(budget.bytes_held() == 60);
}

TEST_CASE("a lease gives itself back, once, wherever it was moved") {
    MemoryBudget budget(100);
    {
        Lease first(budget);
        REQUIRE(first.grow_to(40));
        Lease second = std::move(first);
        CHECK(first.bytes() == 0);
        second.shrink_to(10);
        CHECK(budget.bytes_held() == 10);
    }
    CHECK(budget.bytes_held() == 0);
}

TEST_CASE("a number near the type's end does not slip past the limit") {
    MemoryBudget budget(100);
    REQUIRE(budget.take(1));
    CHECK_FALSE(budget.take(UINT64_MAX));
    CHECK_FALSE(budget.take(UINT64_MAX - 1));
    CHECK(budget.bytes_held() == 1);
}

TEST_CASE("threads never hold more than the budget together") {
    MemoryBudget budget(1000);
    std::atomic<bool> is_over = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 20'000; ++round) {
                Lease lease(budget);
                if (lease.grow_to(300) && budget.bytes_held() > 1000) is_over = true;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK_FALSE(is_over);
    CHECK(budget.bytes_held() == 0);
}
