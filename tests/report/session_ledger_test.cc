#include "report/session_ledger.h"

#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "report/ledger_context.h"

namespace spangate {

TEST_CASE("a span's events are one step, and its failure is one error") {
    LedgerContext context;
    StoryEvent response = context.tool("search", EventOutcome::error);
    StoryEvent request = context.beside(response, EventType::tool_request);
    context.add(request);
    context.add(response);
    context.add(context.beside(response, EventType::error));
    context.add(context.beside(response, EventType::step_cost));
    const RunSums& sums = context.only().sums;
    CHECK(sums.events == 4);
    CHECK(sums.steps == 1);
    CHECK(sums.tool_calls == 1);
    CHECK(sums.errors() == 1);
    CHECK(context.only().verdict() == Verdict::warning);
}

TEST_CASE("a request and a response told apart are one step; without the response it is open") {
    LedgerContext context;
    StoryEvent request = context.event(EventType::tool_request);
    request.tool_call_id = context.texts.intern("call-1");
    context.add(request);
    CHECK(context.only().sums.steps == 1);
    CHECK(context.only().unfinished == 1);
    StoryEvent response = context.tool("search", EventOutcome::ok);
    response.tool_call_id = request.tool_call_id;
    context.add(response);
    CHECK(context.only().sums.steps == 1);
    CHECK(context.only().unfinished == 0);
    CHECK(context.only().verdict() == Verdict::ok);
}

TEST_CASE("a run that failed because of a step is no error of its own") {
    LedgerContext context;
    StoryEvent end = context.event(EventType::session_end);
    end.outcome = EventOutcome::error;
    context.add(end);
    CHECK(context.only().sums.errors() == 1);
    context.add(context.tool("search", EventOutcome::timeout));
    CHECK(context.only().sums.errors() == 1);
}

TEST_CASE("usage is counted where the gateway says so, once, and once across gateways") {
    LedgerContext context;
    StoryEvent call = context.inference(0.5);
    call.response_id = context.texts.intern("resp-1");
    context.add(call);
    StoryEvent twin = context.inference(0.5);
    twin.counted = Told::no;
    context.add(twin);
    StoryEvent elsewhere = context.inference(0.5);
    elsewhere.response_id = call.response_id;
    elsewhere.gateway_id = context.texts.intern("gw-2");
    context.add(elsewhere);
    StoryEvent again = context.inference(0.5);
    again.response_id = call.response_id;
    again.gateway_id = context.texts.intern("gw-2");
    context.add(again);
    CHECK(context.only().sums.cost_usd == Approx(0.5));
    CHECK(context.only().sums.tokens() == 120);
    CHECK(context.ledger.doubles() == 2);
    StoryEvent part = context.inference(0.25);
    part.response_id = call.response_id;
    context.add(part);
    CHECK(context.only().sums.cost_usd == Approx(0.75));  // the same gateway knows what it tells
}

TEST_CASE("a record that comes again adds nothing") {
    LedgerContext context;
    const StoryEvent call = context.inference(0.5);
    context.add(call);
    StoryEvent repeat = call;
    repeat.gateway_seq = 2;
    context.add(repeat);
    CHECK(context.only().sums.events == 1);
    CHECK(context.ledger.repeats() == 1);
    CHECK(context.only().missing == 0);
}

TEST_CASE("numbers that are left out are missing, unless a gateway explains them") {
    LedgerContext context;
    StoryEvent event = context.inference(0);
    event.gateway_seq = 5;  // reading began in the middle
    context.add(event);
    CHECK(context.only().missing == 0);
    event = context.inference(0);
    event.gateway_seq = 9;
    context.add(event);
    CHECK(context.only().missing == 3);
    CHECK(context.only().verdict() == Verdict::critical);
    StoryEvent gap = context.event(EventType::gateway_gap);
    gap.seq_from = 6;
    gap.seq_to = 8;
    gap.gateway_seq = 10;
    context.add(gap);
    CHECK(context.only().missing == 0);
    CHECK(context.only().explained == 3);
    CHECK(context.only().verdict() == Verdict::warning);
    CHECK(context.only().sums.steps == 2);
}

TEST_CASE("a loop is told by the loop detector and makes the session critical") {
    LedgerContext context;
    for (int i = 0; i < 8; ++i) {
        StoryEvent call = context.tool("get_status", EventOutcome::ok);
        call.args_digest = context.texts.intern("k:1");
        call.result_digest = context.texts.intern("k:2");
        call.end_at = call.timestamp;  // without waits in between
        call.start_at = call.timestamp - 990'000'000;
        context.add(call);
    }
    CHECK(context.only().loops >= 1);
    CHECK(context.only().has_signal(LoopSignal::no_progress_repeat));
    CHECK(context.only().verdict() == Verdict::critical);
}

TEST_CASE("the list begins with the worst: critical, warning, then errors, loops, cost, newest") {
    LedgerContext context;
    context.add(context.inference(9.0, "expensive"));
    context.add(context.tool("x", EventOutcome::error, "one-error"));
    for (int i = 0; i < 3; ++i)
        context.add(context.tool("x" + std::to_string(i), EventOutcome::error, "three-errors"));
    context.add(context.inference(0.1, "gap"));
    StoryEvent late = context.inference(0.1, "gap");
    late.gateway_seq = 7;
    context.add(late);
    context.add(context.inference(0.1, "newest"));
    std::string order;
    for (const SessionSums* session : context.ledger.listed(0))
        order += session->session_id + " ";
    CHECK(order == "gap three-errors one-error expensive newest ");
    CHECK(context.ledger.listed(2).size() == 2);
}

TEST_CASE("sums by agent, model, tool and tenant, and what is beyond the bound is put together") {
    SessionLedgerLimits limits;
    limits.names_max = 3;
    LedgerContext context(limits);
    context.add(context.inference(1.0));
    for (int i = 0; i < 10; ++i)
        context.add(context.tool("tool-" + std::to_string(i), EventOutcome::ok));
    CHECK(context.ledger.models().begin()->second.sums.cost_usd == Approx(1.0));
    const SessionLedger::Groups& tools = context.ledger.tools();
    CHECK(tools.size() == 4);
    const SessionLedger::Name others(SessionLedger::others, SessionLedger::others);
    CHECK(tools.at(others).sums.tool_calls == 7);
    CHECK(context.ledger.tenants().begin()->second.sessions == 1);
    CHECK(context.ledger.totals().steps == 11);
}

TEST_CASE("more sessions than there is room for: the quiet ones are closed and still counted") {
    SessionLedgerLimits limits;
    limits.sessions_max = 100;
    limits.kept_max = 5;
    LedgerContext context(limits);
    for (int i = 0; i < 1'000; ++i)
        context.add(context.inference(i == 3 ? 5.0 : 0.001, fmt::format("s-{}", i)));
    CHECK(context.ledger.sessions() == 1'000);
    CHECK(context.ledger.closed() >= 900);
    CHECK(context.ledger.totals().steps == 1'000);
    CHECK(context.ledger.listed(5).size() == 5);
    CHECK(context.ledger.listed(5).front()->session_id == "s-3");
    CHECK(context.ledger.tenants().begin()->second.sessions == 1'000);
}

TEST_CASE("more loop detectors than there is room for: quiet sessions give theirs up") {
    LedgerContext context;
    context.guard.sessions_max = 10;
    for (int i = 0; i < 50; ++i)
        context.add(context.inference(0.001, fmt::format("s-{}", i)));
    CHECK(context.ledger.detectors_dropped() >= 40);
    CHECK(context.ledger.sessions() == 50);
}

// Run by hand with [.memory]: 100,000 sessions of 20 events, each with its loop detector.
TEST_CASE("memory of 100,000 sessions is below 600 MiB", "[.memory]") {
    LedgerContext context;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 100'000; ++i) {
            const std::string session = fmt::format("session-{:08}", i);
            context.add(context.inference(0.001, session));
            if (context.texts.bytes() > 1'000'000) context.texts.clear();
        }
    }
    CHECK(context.ledger.sessions() == 100'000);
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (!line.starts_with("VmHWM:")) continue;
        WARN(line);
        CHECK(std::stoul(line.substr(6)) < 600'000U);
    }
}

TEST_CASE("recent keys are remembered, older ones may be forgotten") {
    RecentKeys keys(1'000);
    for (std::uint64_t key = 1; key <= 10'000; ++key)
        REQUIRE(keys.add(key));
    for (std::uint64_t key = 9'001; key <= 10'000; ++key)
        REQUIRE_FALSE(keys.add(key));
    CHECK(keys.add(1));
    CHECK(keys.contains(1));
    CHECK_FALSE(keys.contains(2));
}

}  // namespace spangate
