// A hand-off is told once, and only where control passes to another agent (contract §2, §5).
#include <array>
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

SpanBuilder::Pairs tool(std::string_view name) {
    return {{"gen_ai.operation.name", text("execute_tool")}, {"gen_ai.tool.name", text(name)}};
}

SpanBuilder::Pairs agent(std::string_view name) {
    return {{"gen_ai.operation.name", text("invoke_agent")}, {"gen_ai.agent.name", text(name)}};
}

const SpanBuilder::Pairs workflow = {{"gen_ai.operation.name", text("invoke_workflow")}};

const AgentItem& item_of(const EventBatch& batch, std::uint8_t span) {
    for (const AgentItem& item : batch.items) {
        if (item.span->span_id == span_of(span)) return item;
    }
    FAIL("no such item");
    return batch.items[0];
}

std::uint64_t at(std::uint64_t seconds) {
    return start_for_test + seconds * second_nanos;
}

// A tool's span around the agent it leads to, with a step between them; as Pydantic AI tells it.
void tell_tool(SpanBuilder& builder, std::string_view name) {
    builder.span("tool", 2, 1, tool(name)).times(at(2), at(9));
}

void tell_agent(SpanBuilder& builder, std::uint8_t parent) {
    builder.span("agent", 4, parent, agent("refund_agent")).times(at(3), at(8));
}

const std::string told = "tool_request tool_response* handoff";
const std::string not_told = "planner_decision step_cost*";

}  // namespace

TEST_CASE("a hand-off tool may enclose its agent, however deep and whatever it is called") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, agent("triage")).times(at(1), at(10));
    tell_tool(builder, "transfer_to_money_back");
    builder.span("running 1 tool", 3, 2, {{"gen_ai.operation.name", text("task")}});
    tell_agent(builder, 3);
    builder.span("another", 5, 4, agent("other")).times(at(4), at(7));
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(types_of(item_of(batch, 2)) == told);
    CHECK(types_of(item_of(batch, 4)) == not_told);
    CHECK(types_of(item_of(batch, 5)) == "handoff step_cost*");
    const EventBatch& again = context.interpret(builder.spans());
    CHECK(types_of(item_of(again, 2)) == told);
    CHECK(types_of(item_of(again, 4)) == not_told);
}

TEST_CASE("an enclosing tool is found across batches, whichever comes first") {
    for (const bool agent_comes_first : {true, false}) {
        for (const std::uint8_t parent : std::array<std::uint8_t, 2>{2, 3}) {
            INFO(agent_comes_first << " " << int{parent});
            InterpretContext context;
            SpanBuilder agents;
            tell_agent(agents, parent);
            SpanBuilder tools;
            tell_tool(tools, "transfer_to_refund");
            if (agent_comes_first) {
                CHECK(types_of(context.interpret(agents.spans()).items[0]) == "handoff step_cost*");
                const std::string yields = "tool_request tool_response* planner_decision";
                CHECK(types_of(context.interpret(tools.spans()).items[0]) == yields);
                CHECK(types_of(context.interpret(tools.spans()).items[0]) == yields);
                CHECK(types_of(context.interpret(agents.spans()).items[0]) == "handoff step_cost*");
            } else {
                CHECK(types_of(context.interpret(tools.spans()).items[0]) == told);
                CHECK(types_of(context.interpret(agents.spans()).items[0]) == not_told);
                CHECK(types_of(context.interpret(tools.spans()).items[0]) == told);
            }
        }
    }
}

TEST_CASE("a tool around another agent than it names, known by time alone, is another hand-off") {
    InterpretContext context;
    SpanBuilder agents;
    tell_agent(agents, 3);
    static_cast<void>(context.interpret(agents.spans()));
    SpanBuilder tools;
    tell_tool(tools, "transfer_to_sales");
    CHECK(types_of(context.interpret(tools.spans()).items[0]) == told);
}

TEST_CASE("nobody hands over to the first agent of a run; each agent after it gets a hand-off") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("workflow", 1, 0, workflow)
        .span("trace", 2, 1, {{"gen_ai.operation.name", text("task")}})
        .span("first", 3, 2, agent("triage"))
        .span("second", 5, 2, agent("refunds"))
        .span("same again", 7, 2, agent("refunds"))
        .span("nested", 8, 7, agent("lookup"))
        .span("itself", 9, 8, agent("lookup"));
    for (int round = 0; round < 2; ++round) {
        const EventBatch& batch = context.interpret(builder.spans());
        CHECK(types_of(item_of(batch, 3)) == not_told);
        CHECK(types_of(item_of(batch, 5)) == "handoff step_cost*");
        CHECK(types_of(item_of(batch, 7)) == not_told);
        CHECK(types_of(item_of(batch, 8)) == "handoff step_cost*");
        CHECK(types_of(item_of(batch, 9)) == not_told);
    }
}

TEST_CASE("an agent under another one, or whose ancestors are not known, gets its hand-off") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("triage", 1, 0, agent("triage")).span("refunds", 2, 1, agent("refunds"));
    builder.span("far away", 3, 77, agent("refunds")).trace(2);
    builder.span("workflow", 4, 0, workflow).trace(3);
    builder
        .span(
            "names who",
            5,
            4,
            {{"gen_ai.operation.name", text("invoke_agent")},
             {"gen_ai.agent.name", text("refunds")},
             {"parent_agent_id", text("triage")}}
        )
        .trace(3);
    const EventBatch& batch = context.interpret(builder.spans());
    for (const std::uint8_t span : std::array<std::uint8_t, 3>{2, 3, 5})
        CHECK(types_of(item_of(batch, span)) == "handoff step_cost*");
}
