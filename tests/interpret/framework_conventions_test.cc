// Every convention of the built-in table, the second part: spans of agent frameworks, protocols and
// in-house code.
#include "support/convention_case.h"

using namespace spangate;
using F = FieldId;

TEST_CASE("Strands, Google ADK and AutoGen spans") {
    check_cases({
        {.convention = "strands",
         .scope = "strands.telemetry.tracer",
         .name = "execute_tool handoff_to_agent",
         .attributes =
             {{"gen_ai.operation.name", text("execute_tool")},
              {"gen_ai.tool.name", text("handoff_to_agent")}},
         .types = "handoff*",
         .fields = {}},
        {.convention = "strands",
         .scope = "strands.telemetry.tracer",
         .name = "execute_tool find",
         .attributes =
             {{"gen_ai.operation.name", text("execute_tool")},
              {"gen_ai.tool.status", text("error")},
              {"gen_ai.tool.name", text("find")}},
         .types = "tool_request tool_response*",
         .fields = {{F::outcome, "error"}, {F::tool_name, "find"}}},
        {.convention = "google_adk",
         .scope = "gcp.vertex.agent",
         .name = "call_llm",
         .attributes =
             {{"gcp.vertex.agent.invocation_id", text("e-1")},
              {"gcp.vertex.agent.session_id", text("s-1")},
              {"gcp.vertex.agent.llm_request", text("{}")},
              {"gen_ai.usage.input_tokens", number(5)}},
         .types = "inference*",
         .fields = {{F::run_id, "e-1"}, {F::tokens_prompt, "5"}, {F::counted, "true"}},
         .content = {"gcp.vertex.agent.llm_request"}},
        {.convention = "google_adk",
         .scope = "gcp.vertex.agent",
         .name = "execute_tool transfer_to_agent",
         .attributes = {{"gen_ai.operation.name", text("execute_tool")}},
         .types = "handoff*",
         .fields = {}},
        {.convention = "google_adk",
         .scope = "gcp.vertex.agent",
         .name = "invocation",
         .is_root = true,
         .types = "session_start session_end*",
         .fields = {}},
        {.convention = "autogen",
         .scope = "autogen-core",
         .name = "execute_tool transfer_to_refunds",
         .attributes =
             {{"gen_ai.tool.name", text("transfer_to_refunds")},
              {"gen_ai.operation.name", text("execute_tool")}},
         .types = "handoff*",
         .fields = {{F::handoff_target, "refunds"}}},
        {.convention = "autogen",
         .scope = "autogen SingleThreadedAgentRuntime",
         .name = "autogen send",
         .attributes = {{"messaging.operation", text("publish")}, {"message", text("hi")}},
         .types = "other*",
         .fields = {},
         .content = {"message"}},
    });
}

TEST_CASE("an AutoGen session stands in the agent's id") {
    SpanBuilder spans;
    spans.scope("autogen-core")
        .span(
            "invoke_agent planner",
            1,
            9,
            {{"gen_ai.operation.name", text("invoke_agent")},
             {"gen_ai.agent.id", text("planner_0f8fad5b-d9cb-469f-a165-70867728950e/x")}}
        );
    InterpretContext context;
    const EventBatch& batch = context.interpret(spans.spans());
    REQUIRE(batch.items.size() == 1);
    CHECK(batch.items[0].session.session_id == "0f8fad5b-d9cb-469f-a165-70867728950e");
}

TEST_CASE("Pydantic AI, Anthropic SDK, MCP and plain spans") {
    check_cases({
        {.convention = "pydantic_ai",
         .scope = "pydantic-ai",
         .name = "running tool: find",
         .attributes =
             {{"gen_ai.tool.name", text("find")},
              {"pydantic_ai.tool.retry.attempt", number(2)},
              {"tool_arguments", text("{}")}},
         .types = "tool_request tool_response* retry",
         .fields = {{F::tool_name, "find"}, {F::retry_count, "1"}},
         .content = {"tool_arguments"}},
        {.convention = "pydantic_ai",
         .scope = "pydantic-ai",
         .name = "agent run",
         .is_root = true,
         .attributes =
             {{"agent_name", text("triage")}, {"gen_ai.aggregated_usage.input_tokens", number(40)}},
         .types = "session_start session_end*",
         .fields = {{F::agent_name, "triage"}, {F::tokens_prompt, "40"}, {F::counted, "false"}}},
        {.convention = "anthropic_sdk",
         .scope = "com.anthropic.sdk.python",
         .name = "anthropic.messages.create",
         .attributes =
             {{"anthropic.message.stop_reason", text("refusal")},
              {"http.request.resend_count", number(2)}},
         .types = "inference* policy_intervention retry",
         .fields =
             {{F::finish_reason, "refusal"},
              {F::outcome, "blocked"},
              {F::policy_decision, "deny"},
              {F::retry_count, "2"}}},
        {.convention = "mcp",
         .name = "tools/call find",
         .attributes =
             {{"mcp.method.name", text("tools/call")},
              {"mcp.session.id", text("t-1")},
              {"mcp.request.argument", text("{}")}},
         .types = "tool_request tool_response*",
         .fields = {{F::tool_name, "find"}, {F::mcp_method, "tools/call"}},
         .content = {"mcp.request.argument"}},
        {.convention = "mcp",
         .name = "resources/read",
         .attributes = {{"mcp.method.name", text("resources/read")}},
         .types = "retrieval*",
         .fields = {{F::mcp_method, "resources/read"}}},
        {.convention = "plain",
         .name = "step",
         .attributes =
             {{"event_type", text("Planner_Decision")},
              {"workflow_id", text("w-1")},
              {"budget_remaining", text("3.5")},
              {"prompt", text("hi")}},
         .types = "planner_decision*",
         .fields = {{F::workflow_id, "w-1"}, {F::budget_remaining, "3.5"}},
         .content = {"prompt"}},
        {.convention = "plain",
         .name = "call",
         .attributes = {{"tool_name", text("find")}, {"args", text("{}")}},
         .types = "tool_request tool_response*",
         .fields = {{F::tool_name, "find"}},
         .content = {"args"}},
    });
}
