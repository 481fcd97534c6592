// Log records beside spans: one call counts once, one run starts once, one attempt is one retry.
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

using Builder = std::unique_ptr<SpanBuilder>;

constexpr std::string_view details = "gen_ai.client.inference.operation.details";

SpanBuilder::Pairs call(std::string_view response_id) {
    SpanBuilder::Pairs pairs = {
        {"gen_ai.operation.name", text("chat")},
        {"gen_ai.request.model", text("m")},
        {"gen_ai.usage.input_tokens", number(5)}};
    if (!response_id.empty()) pairs.emplace_back("gen_ai.response.id", text(response_id));
    return pairs;
}

Builder a_span(std::string_view response_id = "") {
    auto builder = std::make_unique<SpanBuilder>();
    builder->span("chat", 3, 9, call(response_id));
    return builder;
}

Builder a_record(std::string_view response_id = "") {
    auto builder = std::make_unique<SpanBuilder>();
    builder->log(details, 3, call(response_id));
    return builder;
}

std::string counted(const EventBatch& batch) {
    return text_on(batch.items.at(0), FieldId::counted);
}

std::string id_of(const EventBatch& batch) {
    return std::string(view(batch.items.at(0).primary_event().event_id));
}

}  // namespace

TEST_CASE("a log record and its span count once, whichever comes first") {
    const bool span_first = GENERATE(true, false);
    const std::string response_id = GENERATE("", "r-1");
    InterpretContext context;
    const Builder span = a_span(response_id);
    const Builder record = a_record(response_id);
    const EventBatch& one = context.interpret(span_first ? span->spans() : record->spans());
    const EventBatch& other = context.interpret(span_first ? record->spans() : span->spans());
    CHECK(counted(one) == "true");
    CHECK(text_on(one.items[0], FieldId::usage_role) == "call");
    CHECK(counted(other) == "false");
    CHECK(text_on(other.items[0], FieldId::usage_role) == "twin");
    CHECK(text_on(other.items[0], FieldId::twin_of) == id_of(one));
}

TEST_CASE("a log record and its span in one batch count once") {
    InterpretContext context;
    SpanBuilder both;
    both.span("chat", 3, 9, call("")).log(details, 3, call(""));
    const EventBatch& batch = context.interpret(both.spans());
    REQUIRE(batch.items.size() == 2);
    CHECK(counted(batch) == "true");
    CHECK(text_on(batch.items[1], FieldId::counted) == "false");
}

TEST_CASE("what is sent again keeps its ids and is not its own twin") {
    InterpretContext context;
    for (int i = 0; i < 3; ++i) {
        const Builder span = a_span("r-1");
        const Builder record = a_record("r-1");
        const EventBatch& first = context.interpret(span->spans());
        CHECK(counted(first) == "true");
        CHECK(text_on(first.items[0], FieldId::twin_of).empty());
        CHECK(counted(context.interpret(record->spans())) == "false");
    }
}

TEST_CASE("records of other spans, tenants and traces are calls of their own") {
    InterpretContext context;
    CHECK(counted(context.interpret(a_span()->spans())) == "true");
    SpanBuilder other_span;
    other_span.log(details, 4, call(""));
    CHECK(counted(context.interpret(other_span.spans())) == "true");
    const Builder other_trace = a_record();
    other_trace->trace(2);
    CHECK(counted(context.interpret(other_trace->spans())) == "true");
    CHECK(
        counted(context.interpret(a_record()->spans(), received_at_for_test, "tenant-b")) == "true"
    );
}

TEST_CASE("a preferred scope's call that comes with an already counted one is its twin") {
    InterpretContext context;
    const auto openai = [](SpanBuilder& spans) {
        spans.scope("opentelemetry.instrumentation.openai.v1").span("chat", 1, 9, call("r"));
    };
    SpanBuilder alone;
    openai(alone);
    CHECK(counted(context.interpret(alone.spans())) == "true");
    SpanBuilder both;
    openai(both);
    both.scope("opentelemetry.instrumentation.langchain").span("chat", 2, 9, call("r"));
    both.times(both.spans()[0].start_unix_nano, both.spans()[0].end_unix_nano);
    const EventBatch& batch = context.interpret(both.spans());
    REQUIRE(batch.items.size() == 2);
    CHECK(text_on(batch.items[0], FieldId::counted) == "true");
    CHECK(text_on(batch.items[1], FieldId::counted) == "false");
}

TEST_CASE("a run that a span and a log record tell starts once") {
    InterpretContext context;
    const SpanBuilder::Pairs starts = {{"event.name", text("codex.conversation_starts")}};
    SpanBuilder span;
    span.resource({{"service.name", text("codex_exec")}}).span("session_init", 1, 0, {});
    span.event("starts", starts);
    SpanBuilder record;
    record.resource({{"service.name", text("codex_exec")}});
    record.log("", 1, starts);
    for (int i = 0; i < 2; ++i) {
        CHECK(types_of(context.interpret(span.spans()).items.at(0)) == "other* session_start");
        CHECK(types_of(context.interpret(record.spans()).items.at(0)) == "other*");
    }
}

TEST_CASE("two roots in one trace are one run unless they say different run ids") {
    const auto root = [](std::uint8_t id, std::string_view run_id) {
        auto spans = std::make_unique<SpanBuilder>();
        SpanBuilder::Pairs pairs = {{"gen_ai.operation.name", text("invoke_agent")}};
        if (!run_id.empty()) pairs.emplace_back("gen_ai.run.id", text(run_id));
        spans->span("agent", id, 0, pairs);
        return spans;
    };
    InterpretContext context;
    const EventBatch& first = context.interpret(root(1, "")->spans());
    CHECK(types_of(first.items.at(0)) == "session_start session_end*");
    const EventBatch& second = context.interpret(root(2, "")->spans());
    CHECK(types_of(second.items.at(0)) == "other step_cost*");
    CHECK(text_on(second.items[0], FieldId::twin_of) == id_of(first));
    InterpretContext named;
    CHECK(
        types_of(named.interpret(root(1, "a")->spans()).items.at(0)) == "session_start session_end*"
    );
    CHECK(
        types_of(named.interpret(root(2, "b")->spans()).items.at(0)) == "session_start session_end*"
    );
}

TEST_CASE("a failed tool called again is a retry, and its resend tells the same") {
    const auto attempt = [](std::uint8_t id, bool fails) {
        auto spans = std::make_unique<SpanBuilder>();
        spans->span(
            "execute_tool x",
            id,
            9,
            {{"gen_ai.operation.name", text("execute_tool")},
             {"gen_ai.tool.name", text("x")},
             {"session.id", text("s")}}
        );
        if (fails) spans->error("boom");
        return spans;
    };
    InterpretContext context;
    const auto retry = [&](std::uint8_t id, bool fails) {
        const EventBatch& batch = context.interpret(attempt(id, fails)->spans());
        const AgentEvent* event = event_of(batch.items.at(0), EventType::retry);
        return event == nullptr ? std::string() : text_on(*event, FieldId::retry_count);
    };
    CHECK(retry(1, true).empty());
    CHECK(retry(3, true) == "1");
    CHECK(retry(3, true) == "1");
    CHECK(retry(5, false) == "2");
    CHECK(retry(5, false) == "2");
    CHECK(retry(1, true).empty());
    CHECK(retry(7, true) == "2");
}

TEST_CASE("an attempt that a span and a log record tell is one retry") {
    InterpretContext context;
    SpanBuilder spans;
    spans.resource({{"service.name", text("gemini-cli")}});
    const auto both = [&](std::uint8_t id) {
        spans.span(
            "tool_call",
            id,
            9,
            {{"gen_ai.operation.name", text("tool_call")},
             {"gen_ai.tool.name", text("read_file")},
             {"session.id", text("s")}}
        );
        spans.log(
            "",
            id,
            {{"event.name", text("gemini_cli.tool_call")},
             {"function_name", text("read_file")},
             {"success", text("false")},
             {"duration_ms", number(1)},
             {"session.id", text("s")}}
        );
        const std::uint64_t end = start_for_test + id * second_nanos + second_nanos;
        spans.times(end, end);
    };
    both(1);
    both(3);
    const EventBatch& batch = context.interpret(spans.spans());
    std::size_t retries = 0;
    for (const AgentItem& item : batch.items) {
        if (event_of(item, EventType::retry) != nullptr) ++retries;
    }
    CHECK(retries == 1);
}
