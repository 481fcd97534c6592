#include "base/arena.h"

#include <catch2/catch.hpp>

using spangate::Arena;

TEST_CASE("an arena in steady state takes nothing from the heap") {
    Arena arena(1024);
    const auto fill = [&arena] {
        for (int i = 0; i < 100; ++i)
            static_cast<void>(arena.copy("twenty bytes of text"));
    };
    fill();
    arena.reset();
    const std::uint64_t refills = arena.refills();
    for (int round = 0; round < 10; ++round) {
        fill();
        arena.reset();
    }
    CHECK(arena.refills() == refills);
}

TEST_CASE("what stands in an arena stays whole while it grows") {
    Arena arena(64);
    std::vector<std::string_view> texts;
    for (int i = 0; i < 1000; ++i)
        texts.push_back(arena.copy("text " + std::to_string(i)));
    for (int i = 0; i < 1000; ++i)
        CHECK(texts[static_cast<std::size_t>(i)] == "text " + std::to_string(i));
}

TEST_CASE("a piece larger than a block gets a block of its own and goes back at reset") {
    Arena arena(64);
    const std::string large(10'000, 'x');
    CHECK(arena.copy(large) == large);
    CHECK(arena.copy("small") == "small");
    arena.reset();
    const std::uint64_t refills = arena.refills();
    CHECK(arena.copy(large) == large);
    CHECK(arena.refills() == refills + 1);
}

TEST_CASE("an arena aligns what it makes") {
    Arena arena;
    static_cast<void>(arena.copy("x"));
    const auto numbers = arena.make_array<double>(3);
    CHECK(reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(double) == 0);
    CHECK(numbers[2] == 0.0);
    CHECK(arena.make_array<int>(0).empty());
}
