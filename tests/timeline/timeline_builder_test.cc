#include "timeline/timeline_builder.h"

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "stored_session.h"

namespace spangate {
namespace {

std::string steps_of(const Timeline& timeline) {
    std::string letters;
    for (const Step& step : timeline.steps)
        letters += letter_of(step.kind);
    return letters;
}

std::string kinds_of(const Timeline& timeline) {
    std::string kinds;
    for (const Finding& finding : timeline.findings)
        kinds += std::string(name_of(finding.kind)) + " ";
    return kinds;
}

}  // namespace

TEST_CASE("a good session is complete, and nothing is found") {
    const Timeline timeline = timeline_of(StoredSession::good().records());
    CHECK(kinds_of(timeline).empty());
    CHECK(timeline.completeness.is_complete());
    CHECK(timeline.worst() == Severity::info);
    CHECK(timeline.tenant_id == "default");
    CHECK(timeline.completeness.evidence_checked == 9);
}

TEST_CASE("a call's request and response are one step, the run's start and end are a pair") {
    const Timeline timeline = timeline_of(StoredSession::good().records());
    REQUIRE(steps_of(timeline) == "[IHITTITD]P");
    CHECK(timeline.steps[0].paired == 9);
    CHECK(timeline.steps[9].paired == 0);
    const Step& tool = timeline.steps[4];
    REQUIRE(tool.request != no_index);
    CHECK(timeline.events[tool.request].type == EventType::tool_request);
    CHECK(timeline.event_of(tool).type == EventType::tool_response);
    CHECK(timeline.event_of(timeline.steps[tool.parent]).type == EventType::planner_decision);
    CHECK(tool.depth == 2);
    CHECK(tool.end_at - tool.start_at == 400'000'000);
}

TEST_CASE("cost, tokens, budget and state run on from step to step") {
    const Timeline timeline = timeline_of(StoredSession::good().records());
    CHECK(timeline.totals.cost_usd == Approx(0.03));
    CHECK(timeline.totals.tokens_prompt == 300);
    CHECK(timeline.totals.tokens_completion == 60);
    CHECK(timeline.totals.budget_left == Approx(4.93));
    CHECK(timeline.totals.budget == Approx(4.99));
    CHECK(timeline.steps[4].cost_sum_usd == Approx(0.02));
    CHECK(timeline.steps[4].tokens_sum == 240);
    CHECK(timeline.steps[4].budget_left == Approx(4.96));
    CHECK(timeline.text(timeline.steps[9].state_after) == "st-2");
    CHECK(timeline.totals.tool_calls == 3);
    CHECK(timeline.totals.inferences == 3);
    CHECK(timeline.totals.policies == 1);
}

TEST_CASE("agents are lanes, and a handoff leads from one to the other") {
    const Timeline timeline = timeline_of(StoredSession::good().records());
    REQUIRE(timeline.lanes.size() == 2);
    CHECK(timeline.text(timeline.lanes[0].agent_name) == "planner");
    CHECK(timeline.text(timeline.lanes[1].agent_name) == "validator");
    REQUIRE(timeline.handoffs.size() == 1);
    CHECK(timeline.handoffs[0].from_lane == 0);
    CHECK(timeline.handoffs[0].to_lane == 1);
}

TEST_CASE("the order of reading changes nothing") {
    std::vector<StoredRecord> records = StoredSession::good().records();
    // Twice, and once with other numbers: copies have an order of their own.
    const std::size_t count = records.size();
    for (std::size_t i = 0; i < count; i += 3) {
        StoredRecord copy = records[i];
        copy.stored.offset += 1'000;
        records.push_back(copy);
    }
    const std::string wanted = text_of(timeline_of(records));
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        std::shuffle(records.begin(), records.end(), random);
        REQUIRE(text_of(timeline_of(records)) == wanted);
    }
}

TEST_CASE("a hole that the gateway tells is explained, with its reason") {
    StoredSession session;
    session.add_event("other", 100, R"("service_name":"a")");
    session.skip_numbers(2);
    session.add_event("gateway_gap", 300, R"("seq_from":2,"seq_to":3,"reason":"dead-letter")");
    const Timeline timeline = timeline_of(session.records());
    REQUIRE(kinds_of(timeline) == "explained_gap ");
    CHECK(timeline.completeness.events_explained == 2);
    CHECK(timeline.completeness.events_missing == 0);
    CHECK(timeline.findings[0].text.find("dead-letter") != std::string::npos);
}

TEST_CASE("each epoch of a gateway counts from 1 again, and its first numbers can be missing") {
    StoredSession session;
    session.add_event("other", 100, R"("service_name":"a")");
    session.start_epoch();
    session.skip_numbers(1);
    session.add_event("other", 200, R"("service_name":"b")");
    CHECK(kinds_of(timeline_of(session.records())) == "gap ");

    TimelineSettings settings = settings_for(session);
    settings.since = 1;
    CHECK(kinds_of(timeline_of(session.records(), settings)).empty());
}

TEST_CASE("a session of two tenants is two sessions") {
    StoredSession first;
    first.add_event("other", 100, R"("service_name":"a")");
    first.add_event("other", 200, R"("service_name":"a")");
    StoredSession second;
    second.tenant_id = "b";
    second.add_event("other", 300, R"("service_name":"b")");
    std::vector<StoredRecord> both = second.records();
    both.insert(both.end(), first.records().begin(), first.records().end());
    CHECK(timeline_of(both).tenant_id == "default");
    CHECK(kinds_of(timeline_of(both)).empty());
    TimelineSettings settings = settings_for(first);
    settings.tenant_id = "b";
    const Timeline timeline = timeline_of(both, settings);
    CHECK(timeline.tenant_id == "b");
    CHECK(timeline.events.size() == 1);
}

TEST_CASE("an alias asks for the other session, once, and both are one story") {
    StoredSession session;
    session.add_event(
        "session_alias", 100, R"("alias_session_id":"s-2","alias_reason":"late_key")"
    );
    StoredSession other("s-2");
    other.add_event("session_alias", 100, R"("alias_session_id":"s-1","alias_reason":"late_key")");
    other.add_event("other", 200, R"("service_name":"a")");
    TimelineBuilder builder(settings_for(session));
    for (const StoredRecord& record : session.records())
        builder.add(record.stored);
    REQUIRE(builder.wanted_sessions() == std::vector<std::string>{"s-2"});
    builder.accept_session("s-2");
    for (const StoredRecord& record : other.records())
        builder.add(record.stored);
    CHECK(builder.wanted_sessions().empty());
    const Timeline timeline = builder.finish();
    CHECK(timeline.aliases == std::vector<std::string>{"s-2"});
    CHECK(timeline.events.size() == 3);
    CHECK(timeline.steps.size() == 1);
    CHECK(kinds_of(timeline).empty());
}

TEST_CASE("an answer that two gateways count is paid once") {
    StoredSession first;
    StoredSpan call;
    call.has_evidence = false;
    call.end_ms = 100;
    call.end_fields =
        R"("response_id":"r","cost_usd":0.5,"tokens_prompt":1,"tokens_completion":1,"counted":true)";
    first.add(call);
    StoredSession second;
    second.gateway_id = "gw-2";
    call.span = 2;
    second.add(call);
    std::vector<StoredRecord> both = first.records();
    both.insert(both.end(), second.records().begin(), second.records().end());
    const Timeline timeline = timeline_of(both);
    CHECK(timeline.steps.size() == 2);
    CHECK(timeline.totals.cost_usd == Approx(0.5));
}

TEST_CASE("a retried call knows its attempt and the one that it repeats") {
    StoredSession session;
    StoredSpan call;
    call.end_type = "tool_response";
    call.outcome = "error";
    call.fields = R"("tool_name":"pay")";
    call.end_ms = 100;
    session.add(call);
    call.span = 2;
    call.start_ms = 200;
    call.end_ms = 300;
    call.outcome = "ok";
    call.also_type = "retry";
    call.end_fields = R"("retry_count":1,"attempt_of":")" + session.records()[0].event_id + "\"";
    session.add(call);
    const Timeline timeline = timeline_of(session.records());
    REQUIRE(timeline.steps.size() == 2);
    CHECK(timeline.steps[0].is_failed);
    CHECK_FALSE(timeline.steps[1].is_failed);
    CHECK(timeline.steps[1].attempt == 1);
    CHECK(timeline.steps[1].attempt_of == 0);
    CHECK((timeline.steps[1].types & bit(EventType::retry)) != 0);
    CHECK(timeline.totals.retries == 1);
    CHECK(timeline.totals.errors == 1);
}

TEST_CASE("a call without an answer is unfinished once the session is over") {
    StoredSession session;
    session.add_event("tool_request", 100, R"("tool_name":"pay","tool_call_id":"c-1")");
    const Timeline open = timeline_of(session.records());
    CHECK(open.steps.at(0).is_unfinished);
    CHECK(kinds_of(open).empty());
    TimelineSettings settings = settings_for(session);
    settings.now = open.totals.ended_at + settings.silent_after + 1;
    CHECK(kinds_of(timeline_of(session.records(), settings)) == "unfinished ");
    session.add_event("tool_response", 200, R"("tool_name":"pay","tool_call_id":"c-1")");
    const Timeline closed = timeline_of(session.records());
    CHECK(closed.steps.size() == 1);
    CHECK(closed.completeness.unfinished == 0);
}

TEST_CASE("a child that starts before its parent is shown under it, and marked") {
    StoredSession session;
    StoredSpan child;
    child.span = 2;
    child.parent = 1;
    child.begin_type = "tool_request";
    child.end_type = "tool_response";
    child.start_ms = 1'000;
    child.end_ms = 4'500;
    session.add(child);
    StoredSpan parent;
    parent.begin_type = "session_start";
    parent.end_type = "session_end";
    parent.start_ms = 3'000;
    parent.end_ms = 5'000;
    session.add(parent);
    const Timeline timeline = timeline_of(session.records());
    CHECK(steps_of(timeline) == "[T]");
    REQUIRE(kinds_of(timeline) == "skew ");
    CHECK(timeline.findings[0].first_step == 1);
    CHECK(timeline.completeness.skewed == 1);
}

TEST_CASE("a parent that never came is told once for all its children") {
    StoredSession session;
    for (std::uint64_t span = 2; span < 5; ++span) {
        StoredSpan child;
        child.span = span;
        child.parent = 1;
        child.end_ms = static_cast<std::int64_t>(span) * 100;
        session.add(child);
    }
    const Timeline timeline = timeline_of(session.records());
    CHECK(kinds_of(timeline) == "orphan ");
    CHECK(timeline.completeness.orphans == 1);
}

TEST_CASE("a run that tells more than its steps is a drift") {
    StoredSession session;
    StoredSpan call;
    call.span = 2;
    call.parent = 1;
    call.end_ms = 100;
    call.end_fields = R"("tokens_prompt":100,"tokens_completion":10,"counted":true)";
    session.add(call);
    StoredSpan run;
    run.begin_type = "session_start";
    run.end_type = "session_end";
    run.end_ms = 200;
    run.end_fields =
        R"("tokens_prompt":150,"tokens_completion":10,"counted":false,"usage_role":"aggregate")";
    session.add(run);
    CHECK(kinds_of(timeline_of(session.records())) == "cost_drift ");
}

TEST_CASE("a class that cannot be read is not missing") {
    std::vector<StoredRecord> records = StoredSession::good().records();
    std::erase_if(records, [](const StoredRecord& record) {
        return record.stored.event_class == EventClass::evidence;
    });
    TimelineSettings settings = settings_for(StoredSession());
    settings.readable = {EventClass::operational, EventClass::detail};
    const Timeline timeline = timeline_of(records, settings);
    CHECK(kinds_of(timeline).empty());
    CHECK(timeline.completeness.classes[2].promised == 9);
    CHECK_FALSE(timeline.completeness.classes[2].is_readable);
    CHECK(timeline.completeness.is_complete());
}

TEST_CASE("records that are still coming are not missing yet") {
    std::vector<StoredRecord> records = StoredSession::good().records();
    const WallNanos newest = records.back().stored.received_at;
    std::erase_if(records, [newest](const StoredRecord& record) {
        return record.stored.event_class != EventClass::operational &&
               record.stored.received_at == newest;
    });
    TimelineSettings settings = settings_for(StoredSession());
    settings.now = newest + 1'000'000'000;
    CHECK(kinds_of(timeline_of(records, settings)).empty());
    settings.now = newest + 60'000'000'000;
    CHECK(kinds_of(timeline_of(records, settings)) == "class_missing evidence_missing ");
}

TEST_CASE("an empty session has an empty timeline") {
    const Timeline timeline = timeline_of({});
    CHECK(timeline.events.empty());
    CHECK(timeline.steps.empty());
    CHECK(timeline.findings.empty());
}

}  // namespace spangate
