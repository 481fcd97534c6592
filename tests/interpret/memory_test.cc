#include <string>

#include <catch2/catch.hpp>

#include "base/arena.h"
#include "interpret/attribute_index.h"
#include "interpret/bounded_map.h"
#include "interpret/conventions.h"
#include "interpret/session_memory.h"
#include "support/span_builder.h"

using namespace spangate;

TEST_CASE("a bounded map keeps what is used and never grows beyond its bound") {
    BoundedMap<int, int> map(4, 100);
    for (int i = 0; i < 4; ++i)
        map.at(i, static_cast<std::uint64_t>(i), 0) = i * 10;
    REQUIRE(map.find(0, 0, 1) != nullptr);
    map.at(7, 7, 1) = 70;
    CHECK(map.size() == 4);
    CHECK(map.evicted() == 1);
    REQUIRE(map.find(0, 0, 2) != nullptr);
    CHECK(*map.find(0, 0, 2) == 0);
    CHECK(*map.find(7, 7, 2) == 70);
    CHECK(map.find(1, 1, 2) == nullptr);
}

TEST_CASE("a bounded map finds all its keys however they collide") {
    BoundedMap<int, int> map(64, 1000);
    for (int round = 0; round < 500; ++round) {
        map.at(round, static_cast<std::uint64_t>(round % 3), 0) = round;
        for (int back = 0; back < 8 && back <= round; ++back) {
            const int key = round - back;
            const int* found = map.find(key, static_cast<std::uint64_t>(key % 3), 0);
            REQUIRE(found != nullptr);
            CHECK(*found == key);
        }
    }
    CHECK(map.size() == 64);
}

TEST_CASE("entries expire, and asking keeps them alive") {
    BoundedMap<int, int> map(4, 100);
    map.at(1, 1, 0) = 5;
    CHECK(map.find(1, 1, 90) != nullptr);
    CHECK(map.find(1, 1, 180) != nullptr);
    CHECK(map.find(1, 1, 281) == nullptr);
    CHECK(map.at(1, 1, 300) == 0);
}

TEST_CASE("session memory is bounded by its traces") {
    SessionMemoryConfig config;
    config.traces_max = 640;
    SessionMemory memory(config);
    Arena arena;
    AliasFinds finds{&arena, {}, {}};
    for (std::uint32_t i = 0; i < 5'000; ++i) {
        TraceId id{};
        id[0] = static_cast<std::uint8_t>(i);
        id[1] = static_cast<std::uint8_t>(i >> 8);
        const std::string session = "s" + std::to_string(i);
        const TraceSession key{{session, "session.id", true}, "default", Standing::key};
        memory.tell(trace_key("", "", id), {{&key, 1}, {}}, 1, finds);
    }
    CHECK(memory.size() <= 640);
    CHECK(memory.evicted() >= 5'000 - 640);
    CHECK(finds.change.traces_evicted == memory.evicted());
    CHECK(finds.change.traces_added == static_cast<std::int64_t>(memory.size()));
    CHECK(finds.aliases.empty());
}

TEST_CASE("strange keys fill the key cache up to its bound and are then forgotten") {
    const auto conventions = load_conventions(builtin_conventions(), "built-in");
    REQUIRE(conventions);
    const ConventionTable& table = (*conventions)->table();
    Arena arena;
    KeyCache cache(table);
    const std::size_t named = cache.size();
    for (std::size_t i = 0; i < KeyCache::learnt_keys_max + 100; ++i) {
        const std::string key = "llm.input_messages." + std::to_string(i) + ".x";
        CHECK((cache.facts_of(key, arena).content & common_bit) != 0);
    }
    CHECK(cache.size() <= named + KeyCache::learnt_keys_max + 1);
    CHECK(cache.facts_of("gen_ai.request.model", arena).id != 0);
    cache.begin();
    CHECK(cache.size() == named);
    CHECK(cache.facts_of("gen_ai.request.model", arena).id != 0);
}
