#include "guard/verdict_board.h"

#include <catch2/catch.hpp>

#include "guard/guard_events.h"

namespace spangate {
namespace {

using testing::KeptTellings;
using testing::tool_response;

const GuardConfig config;

// A session as it is saved after so many calls of a loop.
std::string saved_after(int calls) {
    KeptTellings kept;
    Watch watch(config, "", kept);
    for (int i = 0; i < calls; ++i)
        (void)watch.observe({}, i, tool_response(i));
    return session_record_value(*watch.shelf().find({"acme", "sess-1"}), "t");
}

}  // namespace

TEST_CASE("another guard's session is answered from what it has saved") {
    VerdictBoard board(10);
    const SessionKey key{"acme", "sess-1"};
    CHECK_FALSE(board.find(key).has_value());
    board.take(session_record_key(key), saved_after(2));
    CHECK(board.find(key)->standing == Severity::info);
    board.take(session_record_key(key), saved_after(7));
    const std::optional<Verdict> verdict = board.find(key);
    REQUIRE(verdict.has_value());
    CHECK(verdict->standing == Severity::critical);
    CHECK(verdict->cost_usd == Approx(0.07));
    CHECK_FALSE(verdict->reasons.empty());
    const std::string text = verdict_text(key, *verdict);
    CHECK(text.find(R"("verdict":"stop","known":true)") != std::string::npos);
}

TEST_CASE("what a guard that was cut off saves late changes no verdict") {
    VerdictBoard board(10);
    const SessionKey key{"acme", "sess-1"};
    board.take(session_record_key(key), saved_after(7));
    board.take(session_record_key(key), saved_after(3));
    CHECK(board.find(key)->standing == Severity::critical);
    CHECK(board.size() == 1);
}

TEST_CASE("a tombstone takes a session off the board, and the board is bounded") {
    VerdictBoard board(10);
    const std::string value = saved_after(1);
    for (int i = 0; i < 30; ++i)
        board.take(session_record_key({"acme", fmt::format("s{}", i)}), value);
    CHECK(board.size() == 10);
    CHECK_FALSE(board.find({"acme", "s19"}).has_value());
    REQUIRE(board.find({"acme", "s20"}).has_value());
    board.take(session_record_key({"acme", "s20"}), "");
    CHECK_FALSE(board.find({"acme", "s20"}).has_value());
    board.take(session_record_key({"acme", "s21"}), "{damaged");
    CHECK(board.find({"acme", "s21"}).has_value());
}

}  // namespace spangate
