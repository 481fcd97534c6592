// L4 to L8 each by itself, as in loop_signals_test.cc.
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

TEST_CASE("L4 tells three failures of one kind, two where a repeat cannot mend them") {
    struct Case {
        const char* error;
        int http_status;
        int told_at;
    };

    const auto one = GENERATE(values<Case>({
        {"ToolError", 0, 3},
        {"TimeoutError", 0, 3},
        {"", 503, 3},
        {"", 429, 3},
        {"ValidationError", 0, 2},
        {"PermissionDenied", 0, 2},
        {"NotFound", 0, 2},
        {"", 404, 2},
        {"", 422, 2},
        {"403", 0, 2},
    }));
    CAPTURE(one.error, one.http_status);
    LoopWatcher watcher;
    for (int i = 1; i < one.told_at; ++i)
        think_and_call(
            watcher, {"save", "{1}", "", "", EventOutcome::error, one.error, one.http_status}
        );
    CHECK_FALSE(watcher.look_for(LoopSignal::failure_streak).has_value());
    think_and_call(watcher, {"save", "{1}", "", "", EventOutcome::error, one.error, one.http_status});
    CHECK(watcher.look_for(LoopSignal::failure_streak) == warning);
    CHECK(watcher.last.repeats == static_cast<std::uint32_t>(one.told_at));
    think_and_call(watcher, {"save", "{1}", "saved"});
    CHECK(watcher.look().empty());
    CHECK(watcher.detector.standing() == Severity::info);
}

TEST_CASE("Failures that are waited out, and looking in other places, have more patience") {
    LoopWatcher watcher;
    watcher.script.think();
    int pause = 300;
    for (int i = 1; i <= 5; ++i) {
        watcher.script.call({"fetch", "{1}", "", "", EventOutcome::error, "TimeoutError"});
        watcher.script.wait_ms(pause);
        pause *= 2;
    }
    for (int i = 1; i <= 5; ++i)
        think_and_call(
            watcher,
            {"read_file", watcher.script.fresh("path"), "", "", EventOutcome::error, "FileNotFoundError"}
        );
    CHECK_FALSE(watcher.look_for(LoopSignal::failure_streak).has_value());
    CHECK(watcher.detector.standing() == Severity::info);
}

// A step that changes nothing.
void act_in_vain(LoopWatcher& watcher, const std::string& state) {
    think_and_call(watcher, {"set_field", watcher.script.fresh("args"), "accepted"});
    watcher.script.tell_state(state);
}

TEST_CASE("L5 tells a state that does not move: a warning after 5 steps, critical after 10") {
    LoopWatcher watcher;
    act_in_vain(watcher, "one");
    for (int i = 1; i <= 4; ++i)
        act_in_vain(watcher, "one");
    CHECK(watcher.look().empty());
    act_in_vain(watcher, "one");
    CHECK(watcher.look_for(LoopSignal::frozen_state) == warning);
    for (int i = 6; i <= 9; ++i)
        act_in_vain(watcher, "one");
    CHECK(watcher.look_for(LoopSignal::frozen_state) == std::nullopt);
    act_in_vain(watcher, "one");
    CHECK(watcher.look_for(LoopSignal::frozen_state) == critical);
    act_in_vain(watcher, "two");
    watcher.look();
    CHECK(watcher.detector.standing() == Severity::info);
}

TEST_CASE("L5 tells a state that comes back twice, and leaves reading alone") {
    LoopWatcher watcher;
    for (const char* state : {"one", "two", "one"})
        act_in_vain(watcher, state);
    CHECK(watcher.look().empty());
    act_in_vain(watcher, "two");
    CHECK(watcher.look_for(LoopSignal::frozen_state) == warning);

    LoopWatcher reader;
    for (int i = 1; i <= 20; ++i) {
        think_and_call(reader, {"read_file", reader.script.fresh("a"), reader.script.fresh("r")});
        reader.script.tell_state("one");
    }
    CHECK(reader.look().empty());
}

TEST_CASE("L6 tells retries with nothing changed: a warning at 2, critical at 4") {
    LoopWatcher watcher;
    ScriptedCall call{"charge", "{1}", "ambiguous"};
    for (int retry = 0; retry <= 1; ++retry) {
        call.retry = retry;
        watcher.script.call(call);
    }
    CHECK(watcher.look().empty());
    call.retry = 2;
    watcher.script.call(call);
    CHECK(watcher.look_for(LoopSignal::uncorrected_retry) == warning);
    call.retry = 3;
    watcher.script.call(call);
    CHECK(watcher.look_for(LoopSignal::uncorrected_retry) == std::nullopt);
    call.retry = 4;
    watcher.script.call(call);
    CHECK(watcher.look_for(LoopSignal::uncorrected_retry) == critical);
}

TEST_CASE("L6 leaves retries alone that are corrected, or that succeed") {
    LoopWatcher watcher;
    for (int retry = 0; retry <= 4; ++retry) {
        ScriptedCall call{"charge", watcher.script.fresh("args"), "", "", EventOutcome::error, "Odd"};
        call.retry = retry;
        watcher.script.call(call);
    }
    CHECK_FALSE(watcher.look_for(LoopSignal::uncorrected_retry).has_value());
    for (int round = 0; round < 3; ++round) {
        ScriptedCall call{"pay", "{1}", "", "", EventOutcome::error, "TimeoutError"};
        for (int retry = 0; retry <= 1; ++retry) {
            call.retry = retry;
            watcher.script.call(call);
        }
        call = {"pay", "{1}", watcher.script.fresh("paid")};
        call.retry = 2;
        watcher.script.call(call);
    }
    CHECK_FALSE(watcher.look_for(LoopSignal::uncorrected_retry).has_value());
}

TEST_CASE("L7 tells arguments that differ only in shape-less parts, with the same result") {
    LoopWatcher watcher;
    const auto vary = [&](const char* tool, const std::string& result) {
        think_and_call(watcher, {tool, watcher.script.fresh("q"), result, "{q}"});
    };
    for (int i = 1; i <= 3; ++i)
        vary("search", "nothing");
    CHECK(watcher.look().empty());
    vary("search", "nothing");
    CHECK(watcher.look_for(LoopSignal::cosmetic_variation) == warning);
    CHECK(watcher.last.repeats == 4);
    for (int i = 1; i <= 8; ++i)
        vary("search", watcher.script.fresh("page"));  // paging
    CHECK(watcher.look().empty());
    for (int i = 1; i <= 7; ++i)
        vary("search", "shipped");  // few answers
    CHECK(watcher.look().empty());
    for (int i = 1; i <= 12; ++i)
        vary("send_email", "sent");  // receipts
    CHECK(watcher.look().empty());
    CHECK(watcher.detector.standing() == Severity::info);
}

TEST_CASE("L8 tells agents that hand to and fro with no new result") {
    LoopWatcher watcher;
    watcher.script.hand_over("triage", "billing");
    watcher.script.think();
    watcher.script.hand_over("billing", "triage");
    watcher.script.think();
    CHECK(watcher.look().empty());
    watcher.script.hand_over("triage", "billing");
    CHECK(watcher.look_for(LoopSignal::handoff_ping_pong) == warning);
    CHECK(watcher.last.repeats == 3);

    LoopWatcher at_work;
    for (int i = 1; i <= 5; ++i) {
        at_work.script.hand_over("triage", "billing");
        at_work.script.call({"lookup", at_work.script.fresh("a"), at_work.script.fresh("r")});
        at_work.script.hand_over("billing", "triage");
    }
    CHECK(at_work.look().empty());
}

TEST_CASE("L8 tells work that is handed on more than eight agents deep") {
    LoopWatcher watcher;
    for (int i = 0; i < 8; ++i) {
        watcher.script.hand_over("agent" + std::to_string(i), "agent" + std::to_string(i + 1));
        watcher.script.think();
    }
    CHECK(watcher.look().empty());
    watcher.script.hand_over("agent8", "agent9");
    CHECK(watcher.look_for(LoopSignal::handoff_ping_pong) == warning);
    watcher.script.hand_over("agent9", "agent0");
    watcher.look();
    CHECK(watcher.detector.standing() == Severity::info);
}

}  // namespace
}  // namespace spangate
