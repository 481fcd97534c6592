// L1 to L3 each by itself (the others: loop_failures_test.cc, loop_spend_test.cc): silent below its
// threshold, told at it, and what honest work looks like.
#include <catch2/catch.hpp>

#include "timeline/loop_watcher.h"

namespace spangate {
namespace {

using test::LoopWatcher;
using test::ScriptedCall;

constexpr auto warning = Severity::warning;
constexpr auto critical = Severity::critical;

// A model thinks and calls once more.
void think_and_call(LoopWatcher& watcher, const ScriptedCall& call) {
    watcher.script.think();
    watcher.script.call(call);
}

TEST_CASE("L1 tells a call that repeats with the same result: a warning at 3, critical at 6") {
    LoopWatcher watcher;
    const ScriptedCall call{"get_status", "{1}", "ambiguous"};
    for (int i = 1; i <= 2; ++i)
        think_and_call(watcher, call);
    CHECK(watcher.look().empty());
    CHECK(watcher.detector.standing() == Severity::info);
    const EventKey first = watcher.script.in_arrival_order()[2].event.id;

    think_and_call(watcher, call);
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == warning);
    CHECK(watcher.last.repeats == 3);
    CHECK(watcher.last.first_event_id == first);
    CHECK(watcher.last.last_event_id == watcher.script.in_arrival_order().back().event.id);
    CHECK(watcher.last.text.find("get_status") == 0);
    CHECK(watcher.last.cost_so_far_usd == Approx(watcher.detector.cost_usd()));

    think_and_call(watcher, call);
    think_and_call(watcher, call);
    CHECK(watcher.look().empty());  // not at each step
    think_and_call(watcher, call);
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == critical);
    CHECK(watcher.detector.standing() == critical);

    think_and_call(watcher, {"get_status", "{1}", "paid"});
    CHECK(watcher.look().empty());
    CHECK(watcher.detector.standing() == Severity::info);
}

TEST_CASE("A loop that goes on is told again when it has doubled, past the steps kept") {
    LoopWatcher watcher;
    std::vector<std::uint32_t> told;
    for (int i = 1; i <= 220; ++i) {
        think_and_call(watcher, {"get_status", "{1}", "ambiguous"});
        for (const LoopTelling& telling : watcher.look()) {
            if (telling.signal == LoopSignal::no_progress_repeat) told.push_back(telling.repeats);
        }
    }
    CHECK(told == std::vector<std::uint32_t>{3, 6, 12, 24, 48, 96, 192});
}

TEST_CASE("A signal that goes on untold is told to who asks where it ends") {
    LoopWatcher watcher;
    for (int i = 1; i <= 5; ++i)
        think_and_call(watcher, {"get_status", "{1}", "ambiguous"});
    std::vector<LoopTelling> told;
    std::vector<LoopGrowth> grown;
    for (const auto& [event, step] : watcher.script.in_arrival_order())
        watcher.detector.observe(event, watcher.script.texts(), told, &grown);
    REQUIRE(told.size() == 1);
    REQUIRE(grown.size() == 2);
    CHECK(grown[1].signal == LoopSignal::no_progress_repeat);
    CHECK(grown[1].repeats == 5);
    CHECK(grown[1].first_event_id == told[0].first_event_id);
    CHECK(grown[1].last_event_id == watcher.script.in_arrival_order().back().event.id);
}

TEST_CASE("L1 compares a batch of parallel calls as a multiset") {
    LoopWatcher watcher;
    std::vector<ScriptedCall> calls = {
        {"search", "{a}", "1"}, {"search", "{b}", "2"}, {"lookup", "{c}", "3"}};
    for (int i = 1; i <= 2; ++i) {
        watcher.script.think();
        watcher.script.call_together(calls);
        std::swap(calls[0], calls[2]);
    }
    CHECK(watcher.look().empty());
    watcher.script.think();
    watcher.script.call_together(calls);
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == warning);
    CHECK(watcher.last.repeats == 3);
}

TEST_CASE("One call that a model asks for five times at once is no loop") {
    LoopWatcher watcher;
    const ScriptedCall call{"search", "{a}", "1"};
    watcher.script.think();
    watcher.script.call_together({call, call, call, call, call});
    CHECK(watcher.look().empty());
}

TEST_CASE("The order of the events of one batch does not matter") {
    for (int turn = 0; turn < 2; ++turn) {
        LoopWatcher watcher;
        std::vector<LoopTelling> told;
        const std::vector<ScriptedCall> calls = {{"search", "{a}", "1"}, {"search", "{b}", "2"}};
        std::vector<std::size_t> ends;
        for (int i = 1; i <= 3; ++i) {
            watcher.script.think();
            watcher.script.call_together(calls);
            ends.push_back(watcher.script.in_arrival_order().size());
        }
        auto events = watcher.script.in_arrival_order();
        // The last batch the other way round: request and response of each call are a pair.
        if (turn == 1) std::rotate(events.end() - 4, events.end() - 2, events.end());
        for (const auto& [event, step] : events)
            watcher.detector.observe(event, watcher.script.texts(), told);
        REQUIRE(told.size() == 1);
        CHECK(told[0].signal == LoopSignal::no_progress_repeat);
        CHECK(told[0].repeats == 3);
    }
}

TEST_CASE("L1 keeps the polls of a program that waits at info, up to a limit") {
    LoopWatcher watcher;
    watcher.script.think();
    for (int i = 1; i <= 50; ++i) {
        watcher.script.call({"get_job", "{7}", "pending"});
        watcher.script.wait_ms(2'000);
    }
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == Severity::info);
    CHECK(watcher.detector.standing() == Severity::info);
    watcher.script.call({"get_job", "{7}", "pending"});
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == warning);
}

TEST_CASE("Polls without a wait are a loop") {
    LoopWatcher watcher;
    watcher.script.think();
    for (int i = 1; i <= 3; ++i)
        watcher.script.call({"get_job", "{7}", "pending"});
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == warning);
}

TEST_CASE("Calls without a told result are judged twice as late") {
    LoopWatcher watcher;
    for (int i = 1; i <= 5; ++i)
        think_and_call(watcher, {"notify", "{1}", ""});
    CHECK(watcher.look().empty());
    think_and_call(watcher, {"notify", "{1}", ""});
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == warning);
}

TEST_CASE("A person who asks the same again makes no loop; an agent that restarts itself does") {
    LoopWatcher watcher;
    for (int i = 1; i <= 8; ++i) {
        watcher.script.person_speaks();
        think_and_call(watcher, {"check_mail", "{}", "none"});
    }
    CHECK(watcher.look().empty());
    for (int i = 1; i <= 3; ++i) {
        watcher.script.restart();
        think_and_call(watcher, {"check_mail", "{}", "none"});
    }
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == warning);
}

TEST_CASE("A call that waited for an approval and ran is one call") {
    LoopWatcher watcher;
    for (int i = 1; i <= 2; ++i)
        think_and_call(watcher, {"refund", "{1}", "refunded"});
    ScriptedCall asked{"refund", "{1}", "", "", EventOutcome::error, "GraphInterrupt"};
    think_and_call(watcher, {"lookup", "{2}", "found"});
    watcher.script.call(asked);
    watcher.script.tell_policy("ask");
    watcher.script.wait_ms(60'000);
    watcher.script.call({"refund", "{1}", "refunded"});
    watcher.script.call({"refund", "{1}", "refunded"});
    CHECK_FALSE(watcher.look_for(LoopSignal::no_progress_repeat).has_value());
    watcher.script.call({"refund", "{1}", "refunded"});
    CHECK(watcher.look_for(LoopSignal::no_progress_repeat) == warning);
    CHECK(watcher.last.repeats == 3);
}

TEST_CASE("An event that comes again is passed over") {
    LoopWatcher watcher;
    std::vector<LoopTelling> told;
    watcher.script.call(
        {"get_status", "{1}", "ambiguous", "", EventOutcome::ok, "", 0, -1, 0, "", "", 0.5}
    );
    for (int i = 0; i < 5; ++i) {
        for (const auto& [event, step] : watcher.script.in_arrival_order())
            watcher.detector.observe(event, watcher.script.texts(), told);
    }
    CHECK(told.empty());
    CHECK(watcher.detector.cost_usd() == Approx(0.5));
}

TEST_CASE("A call told by a span and by a log record is no repeat") {
    LoopWatcher watcher;
    std::vector<LoopTelling> told;
    for (int i = 0; i < 2; ++i)
        watcher.script.call({"get_status", "{1}", "ambiguous"});
    for (auto [event, step] : watcher.script.in_arrival_order()) {
        watcher.detector.observe(event, watcher.script.texts(), told);
        event.source = EventSource::log;
        event.id[0] ^= 1U;
        watcher.detector.observe(event, watcher.script.texts(), told);
    }
    CHECK(told.empty());
}

TEST_CASE("L2 tells polls with changing results only when they are fast or dear") {
    SECTION("fast") {
        LoopWatcher watcher;
        ScriptedCall call{"get_progress", "{7}"};
        call.duration_ms = 50;
        for (int i = 1; i <= 50; ++i) {
            call.result = std::to_string(i);
            watcher.script.call(call);
        }
        CHECK(watcher.look().empty());
        call.result = "51";
        watcher.script.call(call);
        CHECK(watcher.look_for(LoopSignal::changed_repeat) == warning);
    }
    SECTION("at a decent pace") {
        LoopWatcher watcher;
        for (int i = 1; i <= 60; ++i) {
            watcher.script.call({"get_progress", "{7}", std::to_string(i)});
            watcher.script.wait_ms(1'500);
        }
        CHECK(watcher.look_for(LoopSignal::changed_repeat) == Severity::info);
        CHECK(watcher.detector.standing() == Severity::info);
    }
    SECTION("dear") {
        LoopWatcher watcher;
        for (int i = 1; i <= 9; ++i) {
            watcher.script.think(0, 0.02);
            watcher.script.call({"get_progress", "{7}", std::to_string(i)});
        }
        CHECK(watcher.look().empty());
        watcher.script.think(0, 0.02);
        watcher.script.call({"get_progress", "{7}", "10"});
        CHECK(watcher.look_for(LoopSignal::changed_repeat) == warning);
    }
}

// A block of calls goes round.
void go_round(LoopWatcher& watcher, int period, bool tells_new_states = false) {
    for (int i = 0; i < period; ++i) {
        const std::string name = std::to_string(i);
        think_and_call(watcher, {"tool" + name, "{" + name + "}", "result" + name});
        if (tells_new_states) watcher.script.tell_state(watcher.script.fresh("state"));
    }
}

TEST_CASE("L3 tells a block that goes round: a warning at 3, critical at 5") {
    const int period = GENERATE(2, 3, 5, 8);
    CAPTURE(period);
    LoopWatcher watcher;
    for (int i = 1; i <= 2; ++i)
        go_round(watcher, period);
    CHECK(watcher.look().empty());
    go_round(watcher, period);
    CHECK(watcher.look_for(LoopSignal::cycle) == warning);
    CHECK(watcher.last.repeats == 3);
    CHECK(watcher.last.first_event_id == watcher.script.in_arrival_order()[2].event.id);
    go_round(watcher, period);
    CHECK(watcher.look().empty());
    go_round(watcher, period);
    CHECK(watcher.look_for(LoopSignal::cycle) == critical);
}

TEST_CASE("L3 does not look for longer blocks, and not below three rounds") {
    LoopWatcher watcher;
    for (int i = 1; i <= 4; ++i)
        go_round(watcher, 9);
    CHECK(watcher.look().empty());
}

TEST_CASE("L3 lets a block pass in which the state moves, until it has gone round five times") {
    LoopWatcher watcher;
    for (int i = 1; i <= 4; ++i)
        go_round(watcher, 2, true);
    CHECK(watcher.look().empty());
    go_round(watcher, 2, true);
    CHECK(watcher.look_for(LoopSignal::cycle) == warning);
}

TEST_CASE("L3 sees the rounds of several agents") {
    LoopWatcher watcher;
    for (int i = 1; i <= 3; ++i) {
        for (const char* agent : {"planner", "coder", "tester"}) {
            watcher.script.act_as(agent);
            // Each calls twice, so that no agent by itself repeats one call.
            think_and_call(watcher, {std::string(agent) + "_one", "{}", "1"});
            think_and_call(watcher, {std::string(agent) + "_two", "{}", "2"});
        }
        if (i == 2) CHECK(watcher.look().empty());
    }
    CHECK(watcher.look_for(LoopSignal::cycle) == warning);
}

TEST_CASE("Nothing is told where signals are switched off") {
    LoopWatcher watcher;
    watcher.config.enabled = false;
    for (int i = 1; i <= 10; ++i)
        think_and_call(watcher, {"get_status", "{1}", "ambiguous"});
    CHECK(watcher.look().empty());
}

}  // namespace
}  // namespace spangate
