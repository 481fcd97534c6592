#include "guard/session_shelf.h"

#include <catch2/catch.hpp>

namespace spangate {
namespace {

const GuardConfig config;

GuardedSession session_of(const std::string& id, Shard shard = {}) {
    return {{"acme", id}, shard, LoopDetector(config)};
}

}  // namespace

TEST_CASE("a full shelf lets the session go that was silent longest, and tells it before") {
    std::vector<std::string> evicted;
    SessionShelf shelf(3, [&](GuardedSession& session) { evicted.push_back(session.session_id); });
    for (const char* id : {"a", "b", "c"})
        shelf.add(session_of(id));
    shelf.touch(*shelf.find({"acme", "a"}));

    shelf.add(session_of("d"));

    CHECK(evicted == std::vector<std::string>{"b"});
    CHECK(shelf.size() == 3);
    CHECK(shelf.find({"acme", "b"}) == nullptr);
    CHECK(shelf.find({"acme", "a"}) != nullptr);
}

TEST_CASE("a session is found by tenant and id, both") {
    SessionShelf shelf(3, [](GuardedSession&) {});
    shelf.add(session_of("a"));
    CHECK(shelf.find({"acme", "a"}) != nullptr);
    CHECK(shelf.find({"other", "a"}) == nullptr);
}

TEST_CASE("what is read back goes before what runs, and a full shelf takes no more of it") {
    std::vector<std::string> evicted;
    SessionShelf shelf(3, [&](GuardedSession& session) { evicted.push_back(session.session_id); });
    shelf.add(session_of("runs"));
    CHECK(shelf.add_oldest(session_of("newer")) != nullptr);
    CHECK(shelf.add_oldest(session_of("older")) != nullptr);
    CHECK(shelf.add_oldest(session_of("oldest")) == nullptr);

    shelf.add(session_of("next"));
    CHECK(evicted == std::vector<std::string>{"older"});
}

TEST_CASE("a partition's sessions leave together") {
    SessionShelf shelf(10, [](GuardedSession&) { FAIL("nobody is evicted"); });
    shelf.add(session_of("a", {0, 1}));
    shelf.add(session_of("b", {0, 2}));
    shelf.add(session_of("c", {1, 1}));
    shelf.remove_shard({0, 1});
    CHECK(shelf.size() == 2);
    CHECK(shelf.find({"acme", "a"}) == nullptr);
}

}  // namespace spangate
