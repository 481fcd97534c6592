// Every convention of the built-in table, as its documentation shows it: spans of SDKs and
// frameworks. Those of the command-line agents stand in cli_conventions_test.cc.
#include "support/convention_case.h"

using namespace spangate;
using F = FieldId;

TEST_CASE("OpenTelemetry GenAI spans, current and deprecated keys") {
    check_cases({
        {.convention = "gen_ai",
         .name = "chat gpt-4o",
         .attributes =
             {{"gen_ai.operation.name", text("chat")},
              {"gen_ai.system", text("az.ai.openai")},
              {"gen_ai.request.model", text("gpt-4o")},
              {"gen_ai.response.model", text("gpt-4o-08")},
              {"gen_ai.usage.prompt_tokens", text("12")},
              {"gen_ai.usage.output_tokens", number(3)},
              {"gen_ai.response.finish_reasons", text("[\"tool-calls\"]")},
              {"gen_ai.input.messages", text("[]")}},
         .types = "inference*",
         .fields =
             {{F::provider, "azure.ai.openai"},
              {F::model, "gpt-4o-08"},
              {F::tokens_prompt, "12"},
              {F::tokens_completion, "3"},
              {F::finish_reason, "tool_call"},
              {F::operation, "chat"},
              {F::counted, "true"}},
         .content = {"gen_ai.input.messages"}},
        {.convention = "gen_ai",
         .name = "execute_tool find",
         .attributes =
             {{"gen_ai.operation.name", text("execute_tool")}, {"gen_ai.tool.call.id", text("c1")}},
         .types = "tool_request tool_response*",
         .fields = {{F::tool_name, "find"}, {F::tool_call_id, "c1"}}},
        {.convention = "gen_ai",
         .name = "apply_guardrail",
         .attributes =
             {{"gen_ai.operation.name", text("apply_guardrail")},
              {"gen_ai.guardrail.name", text("pii")},
              {"gen_ai.guardrail.triggered", text("true")}},
         .types = "policy_intervention*",
         .fields = {{F::guardrail_name, "pii"}, {F::operation, "guardrail"}}},
        {.convention = "gen_ai",
         .name = "search_memory",
         .attributes =
             {{"gen_ai.operation.name", text("search_memory")},
              {"gen_ai.memory.record.id", text("m1")}},
         .types = "state_snapshot*",
         .fields = {{F::memory_ref, "m1"}, {F::operation, "memory"}}},
        {.convention = "gen_ai",
         .name = "plan",
         .attributes = {{"gen_ai.operation.name", text("plan")}},
         .types = "planner_decision*",
         .fields = {{F::operation, "plan"}}},
    });
}

TEST_CASE("OpenInference spans, CrewAI's among them") {
    check_cases({
        {.convention = "openinference",
         .name = "ChatCompletion",
         .attributes =
             {{"openinference.span.kind", text("LLM")},
              {"llm.model_name", text("m-resp")},
              {"llm.invocation_parameters", text("{\"model\":\"m-req\"}")},
              {"llm.token_count.prompt", number(7)},
              {"llm.token_count.completion", number(2)},
              {"llm.token_count.prompt_details.cache_read", number(4)},
              {"llm.cost.total", Value::of(0.25)},
              {"llm.input_messages.0.message.content", text("hi")},
              {"input.value", text("hi")}},
         .types = "inference*",
         .fields =
             {{F::model_requested, "m-req"},
              {F::model, "m-resp"},
              {F::tokens_prompt, "7"},
              {F::tokens_cache_read, "4"},
              {F::cost_usd, "0.25"},
              {F::cost_source, "reported"}},
         .content = {"llm.input_messages.0.message.content", "input.value"}},
        {.convention = "openinference",
         .name = "handoff to Refunds",
         .attributes = {{"openinference.span.kind", text("TOOL")}},
         .types = "handoff*",
         .fields = {{F::handoff_target, "Refunds"}}},
        {.convention = "openinference",
         .name = "Crew.kickoff",
         .is_root = true,
         .attributes =
             {{"openinference.span.kind", text("CHAIN")},
              {"crew_id", text("crew-1")},
              {"crew_key", text("k-1")},
              {"crew_inputs", text("{}")}},
         .types = "session_start session_end*",
         .fields =
             {{F::run_id, "crew-1"}, {F::workflow_id, "k-1"}, {F::workflow_name, "Crew.kickoff"}},
         .content = {"crew_inputs"}},
        {.convention = "openinference",
         .name = "search",
         .attributes =
             {{"openinference.span.kind", text("RETRIEVER")},
              {"retrieval.documents.0.document.id", text("a")},
              {"retrieval.documents.0.document.score", Value::of(0.5)},
              {"retrieval.documents.1.document.id", number(7)},
              {"retrieval.documents.0.document.content", text("secret")}},
         .types = "retrieval*",
         .fields = {{F::retrieval_ids, "a;7;"}, {F::retrieval_scores, "0.5;"}},
         .content = {"retrieval.documents.0.document.content"}},
        {.convention = "openinference",
         .name = "pii check",
         .attributes = {{"openinference.span.kind", text("GUARDRAIL")}},
         .types = "policy_intervention*",
         .fields = {{F::guardrail_name, "pii check"}, {F::outcome, "ok"}}},
        {.convention = "openinference",
         .name = "judge",
         .attributes =
             {{"openinference.span.kind", text("LLM")},
              {"evaluations.0.evaluation.name", text("helpful")},
              {"evaluations.0.evaluation.score", Value::of(0.9)},
              {"evaluations.0.evaluation.explanation", text("because")}},
         .types = "inference* evaluation",
         .fields = {{F::eval_name, "helpful"}, {F::eval_score, "0.9"}},
         .content = {"evaluations.0.evaluation.explanation"}},
    });
}

TEST_CASE("openai-agents spans through any processor") {
    check_cases({
        {.convention = "openai_agents",
         .scope = "openinference.instrumentation.openai_agents",
         .name = "math guard",
         .attributes = {{"openinference.span.kind", text("GUARDRAIL")}},
         .types = "policy_intervention*",
         .fields = {{F::guardrail_name, "math guard"}}},
        {.convention = "openai_agents",
         .scope = "opentelemetry.instrumentation.openai_agents",
         .name = "A → B.handoff",
         .attributes =
             {{"gen_ai.handoff.from_agent", text("A")}, {"gen_ai.handoff.to_agent", text("B")}},
         .types = "handoff*",
         .fields = {{F::handoff_source, "A"}, {F::handoff_target, "B"}}},
    });
}

TEST_CASE("OpenLLMetry spans, old llm keys too") {
    check_cases({
        {.convention = "openllmetry",
         .name = "refund.workflow",
         .is_root = true,
         .attributes =
             {{"traceloop.span.kind", text("workflow")},
              {"traceloop.workflow.name", text("refund")},
              {"traceloop.association.properties.session_id", text("s-9")},
              {"traceloop.association.properties.email", text("a@b.c")},
              {"traceloop.entity.input", text("{}")}},
         .types = "session_start session_end*",
         .fields = {{F::workflow_name, "refund"}},
         .content = {"traceloop.entity.input", "traceloop.association.properties.email"}},
        {.convention = "openllmetry",
         .name = "openai.chat",
         .attributes =
             {{"llm.request.type", text("chat")},
              {"llm.usage.prompt_tokens", number(9)},
              {"llm.response.finish_reason", text("STOP")},
              {"gen_ai.prompt.0.content", text("hi")}},
         .types = "inference*",
         .fields = {{F::tokens_prompt, "9"}, {F::finish_reason, "stop"}},
         .content = {"gen_ai.prompt.0.content"}},
        {.convention = "openllmetry",
         .name = "qdrant.search",
         .attributes = {{"db.system", text("qdrant")}, {"traceloop.workflow.name", text("w")}},
         .types = "retrieval*",
         .fields = {}},
    });
}

TEST_CASE("AI SDK spans of versions 4 to 6") {
    check_cases({
        {.convention = "ai_sdk",
         .scope = "ai",
         .name = "ai.generateText.doGenerate",
         .attributes =
             {{"ai.operationId", text("ai.generateText.doGenerate")},
              {"ai.model.provider", text("openai.responses")},
              {"ai.model.id", text("gpt-x")},
              {"ai.response.finishReason", text("tool-calls")},
              {"ai.usage.promptTokens", number(8)},
              {"ai.telemetry.metadata.email", text("a@b.c")},
              {"ai.prompt.messages", text("[]")}},
         .types = "inference*",
         .fields =
             {{F::provider, "openai"},
              {F::finish_reason, "tool_call"},
              {F::tokens_prompt, "8"},
              {F::operation, "chat"}},
         .content = {"ai.prompt.messages", "ai.telemetry.metadata.email"}},
        {.convention = "ai_sdk",
         .scope = "ai",
         .name = "ai.streamText",
         .is_root = true,
         .attributes =
             {{"ai.operationId", text("ai.streamText")}, {"ai.usage.inputTokens", number(8)}},
         .types = "session_start session_end*",
         .fields = {{F::counted, "false"}, {F::usage_role, "aggregate"}}},
        {.convention = "ai_sdk",
         .scope = "ai",
         .name = "ai.toolCall",
         .attributes =
             {{"ai.operationId", text("ai.toolCall")},
              {"ai.toolCall.name", text("find")},
              {"ai.toolCall.args", text("{}")}},
         .types = "tool_request tool_response*",
         .fields = {{F::tool_name, "find"}},
         .content = {"ai.toolCall.args"}},
    });
}

TEST_CASE("Langfuse spans, with usage as JSON text") {
    check_cases({
        {.convention = "langfuse",
         .scope = "langfuse-sdk",
         .name = "generation",
         .attributes =
             {{"langfuse.observation.type", text("generation")},
              {"langfuse.observation.model.name", text("gpt-x")},
              {"langfuse.observation.usage_details",
               text("{\"input\":11,\"output\":4,\"total\":15}")},
              {"langfuse.observation.cost_details", text("{\"total\": Infinity}")},
              {"langfuse.observation.level", text("ERROR")},
              {"langfuse.observation.input", text("hi")}},
         .types = "inference*",
         .fields =
             {{F::tokens_prompt, "11"},
              {F::tokens_completion, "4"},
              {F::tokens_total, "15"},
              {F::outcome, "error"},
              {F::model_requested, "gpt-x"}},
         .content = {"langfuse.observation.input"}},
        {.convention = "langfuse",
         .scope = "langfuse-sdk",
         .name = "pii",
         .attributes = {{"langfuse.observation.type", text("guardrail")}},
         .types = "policy_intervention*",
         .fields = {{F::guardrail_name, "pii"}}},
        {.convention = "langfuse",
         .scope = "langfuse-sdk",
         .name = "run",
         .is_root = true,
         .attributes =
             {{"langfuse.observation.type", text("agent")},
              {"langfuse.trace.name", text("refund")}},
         .types = "session_start session_end*",
         .fields = {{F::workflow_name, "refund"}, {F::agent_name, "run"}}},
    });
}

TEST_CASE("LangSmith spans, whose span kind is to be trusted") {
    check_cases({
        {.convention = "langsmith",
         .scope = "langsmith",
         .name = "VectorStore",
         .attributes =
             {{"langsmith.span.kind", text("retriever")},
              {"gen_ai.operation.name", text("embeddings")},
              {"gen_ai.completion", text("docs")}},
         .types = "retrieval*",
         .fields = {{F::operation, "retrieval"}},
         .content = {"gen_ai.completion"}},
        {.convention = "langsmith",
         .scope = "langsmith",
         .name = "ChatOpenAI",
         .attributes =
             {{"langsmith.span.kind", text("llm")},
              {"langsmith.metadata.ls_model_name", text("gpt-x")},
              {"langsmith.metadata.ls_provider", text("openai")},
              {"langsmith.metadata.secret", text("x")},
              {"gen_ai.usage.input_tokens", number(3)}},
         .types = "inference*",
         .fields = {{F::provider, "openai"}, {F::model, "gpt-x"}, {F::tokens_prompt, "3"}},
         .content = {"langsmith.metadata.secret"}},
    });
}
