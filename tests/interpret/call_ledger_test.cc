// One call told twice counts once; one hand-off is told once; a call after a failed one is a retry.
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

SpanBuilder::Pairs call(std::string_view response_id) {
    return {
        {"gen_ai.operation.name", text("chat")},
        {"gen_ai.response.id", text(response_id)},
        {"gen_ai.usage.input_tokens", number(5)}};
}

SpanBuilder::Pairs tool(std::string_view name) {
    return {
        {"gen_ai.operation.name", text("execute_tool")},
        {"gen_ai.tool.name", text(name)},
        {"session.id", text("s")}};
}

SpanBuilder::Pairs agent(std::string_view name) {
    return {
        {"gen_ai.operation.name", text("invoke_agent")},
        {"gen_ai.agent.name", text(name)},
        {"session.id", text("s")}};
}

const AgentItem& item_of(const EventBatch& batch, std::uint8_t span) {
    for (const AgentItem& item : batch.items) {
        if (item.span->span_id == span_of(span)) return item;
    }
    FAIL("no such item");
    return batch.items[0];
}

std::string id_of(const AgentItem& item) {
    return std::string(view(item.primary_event().event_id));
}

}  // namespace

TEST_CASE("equal response ids count once, in a batch and across batches") {
    InterpretContext context;
    SpanBuilder first;
    first.span("chat", 1, 9, call("r1"))
        .span("http chat", 2, 9, call("r1"))
        .span("chat", 3, 9, call("r2"));
    const EventBatch& batch = context.interpret(first.spans());
    CHECK(text_on(item_of(batch, 1), FieldId::counted) == "true");
    CHECK(text_on(item_of(batch, 2), FieldId::counted) == "false");
    CHECK(text_on(item_of(batch, 2), FieldId::usage_role) == "twin");
    CHECK(text_on(item_of(batch, 2), FieldId::twin_of) == id_of(item_of(batch, 1)));
    CHECK(text_on(item_of(batch, 3), FieldId::counted) == "true");
    SpanBuilder later;
    later.span("again", 4, 9, call("r2"));
    const EventBatch& second = context.interpret(later.spans());
    CHECK(text_on(second.items[0], FieldId::counted) == "false");
    CHECK(text_on(second.items[0], FieldId::twin_of) == id_of(item_of(batch, 3)));
}

TEST_CASE("a batch sent again counts as it did") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("chat", 1, 9, call("r1")).span("twin", 2, 9, call("r1"));
    static_cast<void>(context.interpret(builder.spans()));
    const EventBatch& again = context.interpret(builder.spans());
    CHECK(text_on(again.items[0], FieldId::counted) == "true");
    CHECK(text_on(again.items[1], FieldId::counted) == "false");
}

TEST_CASE("response ids of different traces or tenants are different calls") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("a", 1, 0, call("r1")).trace(1).span("b", 2, 0, call("r1")).trace(2);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(text_on(batch.items[0], FieldId::counted) == "true");
    CHECK(text_on(batch.items[1], FieldId::counted) == "true");
    const EventBatch& other = context.interpret(builder.spans(), received_at_for_test, "b");
    CHECK(text_on(other.items[0], FieldId::counted) == "true");
}

TEST_CASE("of two libraries that tell one call the table's choice counts") {
    InterpretContext context;
    const SpanBuilder::Pairs usage = {
        {"gen_ai.operation.name", text("chat")}, {"gen_ai.usage.input_tokens", number(5)}};
    SpanBuilder builder;
    builder.scope("opentelemetry.instrumentation.openai_agents")
        .span("outer", 1, 9, usage)
        .times(start_for_test, start_for_test + 100);
    builder.scope("opentelemetry.instrumentation.openai.v1")
        .span("inner", 2, 1, usage)
        .times(start_for_test + 10, start_for_test + 90);
    builder.span("elsewhere", 3, 8, usage).times(start_for_test + 10, start_for_test + 90);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(text_on(item_of(batch, 1), FieldId::counted) == "true");
    CHECK(text_on(item_of(batch, 2), FieldId::counted) == "false");
    CHECK(text_on(item_of(batch, 2), FieldId::twin_of) == id_of(item_of(batch, 1)));
    CHECK(text_on(item_of(batch, 3), FieldId::counted) == "true");
}

TEST_CASE("sums on agents are not counted") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span(
        "run",
        1,
        0,
        {{"gen_ai.operation.name", text("invoke_agent")}, {"gen_ai.usage.input_tokens", number(50)}}
    );
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(text_on(batch.items[0], FieldId::counted) == "false");
    CHECK(text_on(batch.items[0], FieldId::usage_role) == "aggregate");
}

TEST_CASE("a hand-off by a tool is not told again by the agent it leads to") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("tool", 1, 9, tool("transfer_to_refund_agent"));
    builder.span("agent", 3, 9, agent("Refund Agent"));
    builder.span("agent", 5, 9, agent("someone else"));
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(types_of(item_of(batch, 1)) == "tool_request tool_response* handoff");
    CHECK(types_of(item_of(batch, 3)) == "planner_decision step_cost*");
    CHECK(types_of(item_of(batch, 5)) == "handoff step_cost*");
}

TEST_CASE("a tool's hand-off is used once, also across batches") {
    InterpretContext context;
    SpanBuilder first;
    first.span("tool", 1, 9, tool("delegate_work"));
    static_cast<void>(context.interpret(first.spans()));
    SpanBuilder second;
    second.span("agent", 3, 9, agent("any")).span("agent", 5, 9, agent("any"));
    const EventBatch& batch = context.interpret(second.spans());
    CHECK(types_of(item_of(batch, 3)) == "planner_decision step_cost*");
    CHECK(types_of(item_of(batch, 5)) == "handoff step_cost*");
    const EventBatch& again = context.interpret(second.spans());
    CHECK(types_of(item_of(again, 3)) == "planner_decision step_cost*");
    CHECK(types_of(item_of(again, 5)) == "handoff step_cost*");
}

TEST_CASE("a hand-off tool told after its agent names the agent's event") {
    InterpretContext context;
    SpanBuilder first;
    first.span("agent", 5, 9, agent("refunds"));
    const EventBatch& agents = context.interpret(first.spans());
    SpanBuilder second;
    second.scope("openinference.instrumentation.openai_agents")
        .span("handoff to refunds", 2, 9, {{"openinference.span.kind", text("TOOL")}});
    const EventBatch& tools = context.interpret(second.spans());
    CHECK(types_of(tools.items[0]) == "handoff*");
    CHECK(text_on(tools.items[0], FieldId::twin_of) == view(agents.items[0].events[0].event_id));
}

TEST_CASE("a tool called again after an error is a retry") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("t", 1, 9, tool("search")).error("no");
    builder.span("t", 3, 9, tool("search")).error("no");
    builder.span("t", 5, 9, tool("search"));
    builder.span("t", 7, 9, tool("other"));
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(types_of(item_of(batch, 1)) == "tool_request tool_response*");
    CHECK(types_of(item_of(batch, 3)) == "tool_request tool_response* retry");
    CHECK(text_on(item_of(batch, 3), FieldId::retry_count) == "1");
    CHECK(text_on(item_of(batch, 5), FieldId::retry_count) == "2");
    CHECK(text_on(item_of(batch, 5), FieldId::attempt_of) == id_of(item_of(batch, 1)));
    CHECK(types_of(item_of(batch, 7)) == "tool_request tool_response*");
    const EventBatch& again = context.interpret(builder.spans());
    CHECK(types_of(item_of(again, 1)) == "tool_request tool_response*");
}

TEST_CASE("a model call is a retry only when the one before it failed") {
    InterpretContext context;
    const SpanBuilder::Pairs chat = {{"gen_ai.operation.name", text("chat")}};
    SpanBuilder builder;
    builder.span("c", 1, 9, chat).error("429").span("c", 3, 9, chat).span("c", 5, 9, chat);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(types_of(item_of(batch, 3)) == "inference* retry");
    CHECK(types_of(item_of(batch, 5)) == "inference*");
}

TEST_CASE("a tool call of both sides of a protocol is the client's") {
    InterpretContext context;
    const SpanBuilder::Pairs mcp = {
        {"mcp.method.name", text("tools/call")}, {"gen_ai.tool.name", text("add")}};
    SpanBuilder builder;
    builder.span("tools/call add", 1, 9, mcp).kind(SpanKind::client);
    builder.span("tools/call add", 2, 1, mcp).kind(SpanKind::server);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(types_of(item_of(batch, 1)) == "tool_request tool_response*");
    CHECK(types_of(item_of(batch, 2)) == "other*");
    CHECK(text_on(item_of(batch, 2), FieldId::joins) == "0000000000000001");

    InterpretContext late;
    SpanBuilder server;
    server.span("tools/call add", 2, 1, mcp).kind(SpanKind::server);
    SpanBuilder client;
    client.span("tools/call add", 1, 9, mcp).kind(SpanKind::client);
    const EventBatch& told = late.interpret(server.spans());
    CHECK(types_of(told.items[0]) == "tool_request tool_response*");
    const EventBatch& after = late.interpret(client.spans());
    CHECK(text_on(after.items[0], FieldId::twin_of) == id_of(told.items[0]));
}
