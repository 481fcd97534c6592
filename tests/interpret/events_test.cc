// Which events a span makes by the built-in table, their ids, times and fields.
#include <string>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "digest/sha256.h"
#include "interpret/span_reader.h"
#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

struct Told {
    explicit Told(InterpretConfig config = {}) : context(std::move(config)) {}

    const AgentItem& only(SpanBuilder& builder) {
        EventBatch& batch = context.interpret(builder.spans());
        REQUIRE(batch.items.size() == 1);
        return batch.items[0];
    }

    InterpretContext context;
};

std::string types(const SpanBuilder::Pairs& attributes, std::uint8_t parent = 9) {
    Told told;
    SpanBuilder builder;
    builder.span("a span", 1, parent, attributes);
    return types_of(told.only(builder));
}

std::string id_of(const SpanView& span, std::string_view slot) {
    Sha256 hasher;
    hasher.add("spangate/event/1").add_byte(0).add(span.trace_id).add(span.span_id).add(slot);
    const Sha256Digest digest = hasher.finish();
    return to_hex(std::span(digest).first(16));
}

}  // namespace

TEST_CASE("OpenTelemetry GenAI spans make their events") {
    CHECK(types({{"gen_ai.operation.name", text("chat")}}) == "inference*");
    CHECK(
        types({{"gen_ai.operation.name", text("execute_tool")}}) == "tool_request tool_response*"
    );
    CHECK(
        types({{"gen_ai.operation.name", text("invoke_agent")}}, 0) == "session_start session_end*"
    );
    CHECK(types({{"gen_ai.operation.name", text("invoke_agent")}}) == "handoff step_cost*");
    CHECK(types({{"gen_ai.operation.name", text("plan")}}) == "planner_decision*");
    CHECK(types({{"gen_ai.operation.name", text("retrieval")}}) == "retrieval*");
    CHECK(types({{"gen_ai.operation.name", text("search_memory")}}) == "state_snapshot*");
    CHECK(types({{"gen_ai.operation.name", text("apply_guardrail")}}) == "policy_intervention*");
    CHECK(
        types({{"gen_ai.system", text("openai")}, {"gen_ai.request.model", text("m")}}) ==
        "inference*"
    );
    CHECK(types({{"gen_ai.system", text("openai")}}) == "other*");
}

TEST_CASE("OpenInference and OpenLLMetry spans make their events") {
    CHECK(types({{"openinference.span.kind", text("LLM")}}) == "inference*");
    CHECK(types({{"openinference.span.kind", text("TOOL")}}) == "tool_request tool_response*");
    CHECK(types({{"openinference.span.kind", text("CHAIN")}}) == "planner_decision*");
    CHECK(types({{"openinference.span.kind", text("AGENT")}}, 0) == "session_start session_end*");
    CHECK(types({{"openinference.span.kind", text("RETRIEVER")}}) == "retrieval*");
    CHECK(types({{"openinference.span.kind", text("GUARDRAIL")}}) == "policy_intervention*");
    CHECK(
        types(
            {{"openinference.span.kind", text("LLM")}, {"evaluations.0.evaluation.name", text("x")}}
        ) == "inference* evaluation"
    );
    CHECK(types({{"traceloop.span.kind", text("tool")}}) == "tool_request tool_response*");
    CHECK(types({{"traceloop.span.kind", text("workflow")}}, 0) == "session_start session_end*");
    CHECK(types({{"traceloop.span.kind", text("task")}}) == "planner_decision*");
    CHECK(types({{"llm.request.type", text("chat")}}) == "inference*");
}

TEST_CASE("attributes set by hand make their events") {
    CHECK(types({{"event_type", text("termination")}}) == "termination*");
    CHECK(types({{"event_type", text("Policy_Intervention")}}) == "policy_intervention*");
    CHECK(types({{"event_type", text("tool_call")}}) == "tool_request tool_response*");
    CHECK(types({{"tool_name", text("search")}}) == "tool_request tool_response*");
    CHECK(types({{"tokens.prompt", number(3)}}) == "inference*");
    CHECK(types({{"session_id", text("s1")}, {"event_type", text("session_alias")}}) == "other*");
}

TEST_CASE("fields set by hand stand on the events") {
    Told told;
    SpanBuilder builder;
    builder.span(
        "step",
        1,
        9,
        {{"event_type", text("inference")},
         {"session_id", text("s1")},
         {"agent_id", text("planner")},
         {"model", text("small-1")},
         {"tokens.prompt", number(10)},
         {"tokens.completion", text("5")},
         {"cost.usd", Value::of(0.25)},
         {"user_id", text("u-1")},
         {"workflow_id", text("w1")},
         {"caller_step", text("plan")},
         {"retry_count", number(0)},
         {"budget_remaining", Value::of(9.5)},
         {"state_snapshot_hash", text("abc")}}
    );
    const AgentItem& item = told.only(builder);
    CHECK(item.session.session_id == "s1");
    CHECK(item.session_source == "session_id");
    CHECK(item.user_id == "u-1");
    CHECK(text_on(item, FieldId::agent_id) == "planner");
    CHECK(text_on(item, FieldId::model) == "small-1");
    CHECK(text_on(item, FieldId::tokens_prompt) == "10");
    CHECK(text_on(item, FieldId::tokens_completion) == "5");
    CHECK(text_on(item, FieldId::cost_usd) == "0.25");
    CHECK(text_on(item, FieldId::cost_source) == "reported");
    CHECK(text_on(item, FieldId::counted) == "true");
    CHECK(text_on(item, FieldId::usage_role) == "call");
    CHECK(text_on(item, FieldId::workflow_id) == "w1");
    CHECK(text_on(item, FieldId::caller_step) == "plan");
    CHECK(text_on(item, FieldId::retry_count) == "0");
    CHECK(text_on(item, FieldId::budget_remaining) == "9.5");
    CHECK(text_on(item, FieldId::state_snapshot_hash) == "abc");
    CHECK(text_on(item, FieldId::operation) == "chat");
    CHECK(text_on(item, FieldId::outcome) == "ok");
}

TEST_CASE("the id of an event follows from its place in the span") {
    Told told;
    SpanBuilder builder;
    builder.span("t", 1, 9, {{"gen_ai.operation.name", text("execute_tool")}})
        .error("guardrail says no")
        .event("exception", {{"exception.type", text("Boom")}});
    const AgentItem& item = told.only(builder);
    const SpanView& span = *item.span;
    CHECK(types_of(item) == "tool_request tool_response* error policy_intervention");
    CHECK(view(item.events[0].event_id) == id_of(span, "start"));
    CHECK(view(item.events[1].event_id) == id_of(span, "end"));
    CHECK(view(item.events[2].event_id) == id_of(span, "event:0"));
    CHECK(view(item.events[3].event_id) == id_of(span, "also:refusal_message"));
    CHECK(text_on(item.events[0], FieldId::primary_event_id) == view(item.events[1].event_id));
    CHECK(text_on(item.events[1], FieldId::primary_event_id).empty());
}

TEST_CASE("measures stand at the end, the request at the start") {
    Told told;
    SpanBuilder builder;
    builder.span(
        "t",
        1,
        9,
        {{"gen_ai.operation.name", text("execute_tool")}, {"gen_ai.tool.name", text("search")}}
    );
    const AgentItem& item = told.only(builder);
    const AgentEvent& request = item.events[0];
    const AgentEvent& response = item.events[1];
    CHECK(request.timestamp == static_cast<WallNanos>(item.span->start_unix_nano));
    CHECK(response.timestamp == static_cast<WallNanos>(item.span->end_unix_nano));
    CHECK(text_on(request, FieldId::tool_name) == "search");
    CHECK(text_on(request, FieldId::duration_ms).empty());
    CHECK(text_on(response, FieldId::duration_ms) == "1000");
    CHECK(text_on(request, FieldId::outcome).empty());
    CHECK(text_on(response, FieldId::outcome) == "ok");
}

TEST_CASE("a time that cannot be true is replaced by the time of receipt") {
    Told told;
    SpanBuilder builder;
    builder.span(
               "t", 1, 9, {{"gen_ai.operation.name", text("execute_tool")}}
    ).times(0, start_for_test);
    const AgentItem& item = told.only(builder);
    CHECK(item.events[0].timestamp == received_at_for_test);
    CHECK(item.events[0].time_source == TimeSource::received);
    CHECK(item.events[1].timestamp == static_cast<WallNanos>(start_for_test));
    CHECK(item.events[1].time_source == TimeSource::span);
    CHECK(text_on(item, FieldId::duration_ms).empty());
    CHECK(text_on(item, FieldId::time_fault).empty());
    CHECK_FALSE(is_possible_time(946'684'799'999'999'999));
    CHECK(is_possible_time(946'684'800'000'000'000));
    CHECK_FALSE(is_possible_time(7'258'118'400'000'000'000));
}

TEST_CASE("an end before the start is a time fault without a duration") {
    Told told;
    SpanBuilder builder;
    builder.span(
               "t", 1, 9, {{"gen_ai.operation.name", text("chat")}}
    ).times(start_for_test + second_nanos, start_for_test);
    const AgentItem& item = told.only(builder);
    CHECK(text_on(item, FieldId::time_fault) == "true");
    CHECK(text_on(item, FieldId::duration_ms).empty());
}

TEST_CASE("overlays add what the span tells beside its own event") {
    Told told;
    SpanBuilder builder;
    builder.span(
        "c",
        1,
        9,
        {{"gen_ai.operation.name", text("chat")},
         {"gen_ai.response.finish_reasons", text("[\"content_filter\"]")}}
    );
    const AgentItem& item = told.only(builder);
    CHECK(types_of(item) == "inference* policy_intervention");
    CHECK(text_on(item, FieldId::finish_reason) == "blocked");
    CHECK(text_on(item, FieldId::outcome) == "blocked");
    CHECK(text_on(item.events[1], FieldId::policy_decision) == "deny");

    CHECK(
        types({{"gen_ai.operation.name", text("chat")}, {"http.request.resend_count", number(1)}}
        ) == "inference* retry"
    );
    CHECK(
        types({{"gen_ai.operation.name", text("chat")}, {"http.request.resend_count", number(0)}}
        ) == "inference*"
    );
    CHECK(
        types(
            {{"gen_ai.operation.name", text("chat")},
             {"error.type", text("openai.MaxTurnsExceeded")}}
        ) == "inference* termination"
    );
    CHECK(
        types(
            {{"gen_ai.operation.name", text("execute_tool")},
             {"gen_ai.tool.name", text("transfer_to_refunds")}}
        ) == "tool_request tool_response* handoff"
    );
}

TEST_CASE("an error is told once") {
    Told told;
    SpanBuilder builder;
    builder.span("c", 1, 9, {{"gen_ai.operation.name", text("plan")}}).error("no");
    builder.span("t", 2, 9, {{"gen_ai.operation.name", text("chat")}}).error("no");
    EventBatch& batch = told.context.interpret(builder.spans());
    CHECK(types_of(batch.items[0]) == "planner_decision* error");
    CHECK(types_of(batch.items[1]) == "inference*");
    CHECK(text_on(batch.items[1], FieldId::outcome) == "error");
    CHECK(text_on(batch.items[1], FieldId::status_code) == "error");
}

TEST_CASE("a span event has fields of its own and the span's identity") {
    Told told;
    SpanBuilder builder;
    builder
        .span(
            "c",
            1,
            9,
            {{"gen_ai.operation.name", text("chat")}, {"gen_ai.agent.name", text("helper")}}
        )
        .event(
            "gen_ai.evaluation.result",
            {{"gen_ai.evaluation.name", text("faithful")},
             {"gen_ai.evaluation.score.value", Value::of(0.5)}}
        );
    const AgentItem& item = told.only(builder);
    const AgentEvent* evaluation = event_of(item, EventType::evaluation);
    REQUIRE(evaluation != nullptr);
    CHECK(text_on(*evaluation, FieldId::eval_name) == "faithful");
    CHECK(text_on(*evaluation, FieldId::eval_score) == "0.5");
    CHECK(text_on(*evaluation, FieldId::agent_name) == "helper");
    CHECK(text_on(*evaluation, FieldId::duration_ms).empty());
    CHECK(
        evaluation->timestamp ==
        static_cast<WallNanos>(item.span->start_unix_nano + second_nanos / 2)
    );
}

TEST_CASE("the model that answered stands before the one asked") {
    Told told;
    SpanBuilder builder;
    builder.span(
        "c",
        1,
        9,
        {{"gen_ai.operation.name", text("chat")},
         {"gen_ai.request.model", text("m")},
         {"gen_ai.response.model", text("m-2025")}}
    );
    const AgentItem& item = told.only(builder);
    CHECK(text_on(item, FieldId::model) == "m-2025");
    CHECK(text_on(item, FieldId::model_requested) == "m");
}

TEST_CASE("Claude Code's prompt tokens are made to include the cached ones") {
    Told told;
    SpanBuilder builder;
    builder.span(
        "claude_code.llm_request",
        1,
        9,
        {{"input_tokens", number(10)},
         {"cache_read_tokens", number(20)},
         {"cache_creation_tokens", number(3)}}
    );
    CHECK(text_on(told.only(builder), FieldId::tokens_prompt) == "33");
}

TEST_CASE("spans that say nothing of an agent are dropped, and their children told where to look") {
    Told told;
    SpanBuilder builder;
    builder.span("agent", 1, 0, {{"gen_ai.operation.name", text("invoke_agent")}});
    builder.span(
        "POST",
        2,
        1,
        {{"http.request.method", text("POST")},
         {"url.full", text("http://x")},
         {"my.key", text("v")}}
    );
    builder.span("chat", 3, 2, {{"gen_ai.operation.name", text("chat")}});
    builder.span("failed", 4, 2, {{"http.request.method", text("POST")}}).error("no");
    EventBatch& batch = told.context.interpret(builder.spans());
    REQUIRE(batch.items.size() == 3);
    CHECK(batch.outcomes[0].produced == 3);
    CHECK(batch.outcomes[0].dropped_other == 1);
    CHECK(text_on(batch.items[1], FieldId::ancestor_span_id) == "0000000000000001");
    CHECK(text_on(batch.items[0], FieldId::ancestor_span_id).empty());
    CHECK(types_of(batch.items[2]) == "error*");

    InterpretConfig keep;
    keep.keep_other = true;
    Told keeping(keep);
    CHECK(keeping.context.interpret(builder.spans()).items.size() == 4);
}

TEST_CASE("unfinished copies of a span are dropped") {
    Told told;
    SpanBuilder builder;
    builder.span(
        "chat m",
        1,
        0,
        {{"logfire.span_type", text("pending_span")}, {"gen_ai.operation.name", text("chat")}}
    );
    builder.span(
        "chat m",
        1,
        0,
        {{"logfire.span_type", text("span")}, {"gen_ai.operation.name", text("chat")}}
    );
    EventBatch& batch = told.context.interpret(builder.spans());
    CHECK(batch.items.size() == 1);
    CHECK(batch.outcomes[0].dropped_partial == 1);
}

TEST_CASE("items stand in the order of the story, parents first") {
    Told told;
    SpanBuilder builder;
    const SpanBuilder::Pairs chat = {{"gen_ai.operation.name", text("chat")}};
    builder.span("child", 5, 4, chat).times(start_for_test, start_for_test + 1);
    builder.span("later", 3, 4, chat).times(start_for_test + 9, start_for_test + 10);
    builder.span("parent", 4, 0, chat).times(start_for_test, start_for_test + 20);
    EventBatch& batch = told.context.interpret(builder.spans());
    REQUIRE(batch.items.size() == 3);
    CHECK(batch.items[0].span->name == "parent");
    CHECK(batch.items[1].span->name == "child");
    CHECK(batch.items[2].span->name == "later");
}

TEST_CASE("environment and service come from configuration, resource and detection") {
    EnrichConfig enrich;
    enrich.env = "prod";
    InterpretContext context({}, enrich);
    SpanBuilder builder;
    builder.resource({{"service.name", text("shop")}, {"deployment.environment.name", text("dev")}}
    );
    builder.span("c", 1, 0, {{"gen_ai.operation.name", text("chat")}});
    const AgentItem& item = context.interpret(builder.spans()).items.at(0);
    CHECK(text_on(item, FieldId::env) == "prod");
    CHECK(text_on(item, FieldId::service_name) == "shop");
}
