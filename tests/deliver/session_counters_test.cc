#include "deliver/session_counters.h"

#include <map>
#include <random>

#include <catch2/catch.hpp>

using namespace spangate;  // NOLINT: a test

namespace {

bool nobody_stays(std::uint64_t /*session_hash*/) {
    return false;
}

}  // namespace

TEST_CASE("a counter is found again and starts at one") {
    SessionCounters counters(10);
    CHECK(counters.find(7) == nullptr);
    SessionCounter* counter = counters.add(7, 100, nobody_stays);
    CHECK(counter->next_seq == 1);
    CHECK(counter->epoch_ms == 100);
    CHECK(counters.find(7) == counter);
}

TEST_CASE("never more counters than the limit, and the newest is kept") {
    SessionCounters counters(8);
    for (std::uint64_t hash = 1; hash <= 1'000; ++hash) {
        counters.add(hash * 65'536, 100, nobody_stays);
        CHECK(counters.size() <= 8);
        CHECK(counters.find(hash * 65'536) != nullptr);
    }
    CHECK(counters.forgotten_count() == 992);
}

TEST_CASE("an epoch after forgetting is later even when the clock went back") {
    SessionCounters counters(1);
    counters.add(1, 500, nobody_stays);
    counters.add(2, 100, nobody_stays);
    CHECK(counters.find(2)->epoch_ms == 501);
}

TEST_CASE("a protected counter stays while another can go") {
    SessionCounters counters(4);
    counters.add(1, 100, nobody_stays);
    for (std::uint64_t hash = 2; hash < 100; ++hash)
        counters.add(hash, 100, [](std::uint64_t session_hash) { return session_hash == 1; });
    CHECK(counters.find(1) != nullptr);
}

TEST_CASE("when all are protected one goes all the same") {
    SessionCounters counters(4);
    for (std::uint64_t hash = 1; hash < 20; ++hash)
        counters.add(hash, 100, [](std::uint64_t) { return true; });
    CHECK(counters.size() == 4);
}

TEST_CASE("the table agrees with a map under random use") {
    SessionCounters counters(64);
    std::map<std::uint64_t, std::uint64_t> next;  // session → next number, while kept
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t hash = (random() % 200) << 16;
        SessionCounter* counter = counters.find(hash);
        if (counter == nullptr) {
            counter = counters.add(hash, 100, nobody_stays);
            next[hash] = 1;
        }
        REQUIRE(counter->session_hash == hash);
        REQUIRE(counter->next_seq == next[hash]);
        ++counter->next_seq;
        ++next[hash];
    }
}
