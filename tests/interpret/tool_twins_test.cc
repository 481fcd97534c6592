// A tool's call that a span, its events and log records tell is one call, and what overlays make of
// a joined record and its span is told once.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

using Builder = std::unique_ptr<SpanBuilder>;

Builder of_service(std::string_view name) {
    auto builder = std::make_unique<SpanBuilder>();
    builder->resource({{"service.name", text(name)}});
    return builder;
}

// How many calls the tellings make: requests and responses that repeat no other.
struct Calls {
    int requests = 0;
    int responses = 0;
    int twins = 0;

    void add(const EventBatch& batch) {
        for (const AgentItem& item : batch.items) {
            for (const AgentEvent& event : item.events)
                add(event);
        }
    }

    void add(const AgentEvent& event) {
        const bool is_request = event.type == EventType::tool_request;
        if (!is_request && event.type != EventType::tool_response) return;
        if (!text_on(event, FieldId::twin_of).empty()) {
            ++twins;
        } else {
            ++(is_request ? requests : responses);
        }
    }
};

// Codex tells one command by a span, an event of another span and two log records.
std::array<Builder, 4> codex_tellings(std::string_view call_id) {
    std::array<Builder, 4> all;
    for (Builder& builder : all)
        builder = of_service("codex_exec");
    const auto pairs = [&](std::string_view name) {
        return SpanBuilder::Pairs{
            {"event.name", text(name)},
            {"call_id", text(call_id)},
            {"tool_name", text("exec_command")},
            {"conversation.id", text("c-1")}};
    };
    all[0]->span(
        "exec_command", 1, 9, {{"call_id", text(call_id)}, {"tool_name", text("exec_command")}}
    );
    all[1]->span("dispatch", 2, 1, {}).event("result", pairs("codex.tool_result"));
    all[2]->log("", 3, pairs("codex.tool_decision"));
    all[3]->log("", 4, pairs("codex.tool_result"));
    return all;
}

// Gemini CLI's record names no call, and the span before its own.
Builder gemini_span(std::uint8_t id) {
    Builder builder = of_service("gemini-cli");
    builder->span(
        "tool_call",
        id,
        9,
        {{"gen_ai.operation.name", text("tool_call")},
         {"gen_ai.tool.name", text("read_file")},
         {"gen_ai.tool.call_id", text(std::string("c-") + std::to_string(id))}}
    );
    return builder;
}

Builder gemini_record(std::uint8_t id, std::string_view success = "false") {
    Builder builder = of_service("gemini-cli");
    builder->log(
        "",
        9,
        {{"event.name", text("gemini_cli.tool_call")},
         {"function_name", text("read_file")},
         {"success", text(success)},
         {"decision", text("accept")},
         {"duration_ms", number(900)}}
    );
    const std::uint64_t end = start_for_test + (id + 1) * second_nanos;
    builder->times(end, end);
    return builder;
}

}  // namespace

TEST_CASE("a tool's call that four carriers tell is one call, whichever comes first") {
    std::array<std::size_t, 4> order = {0, 1, 2, 3};
    do {
        InterpretContext context;
        Calls calls;
        for (int i = 0; i < 2; ++i) {
            calls = {};
            const std::array<Builder, 4> tellings = codex_tellings("call-1");
            for (const std::size_t telling : order)
                calls.add(context.interpret(tellings.at(telling)->spans()));
            CHECK(calls.requests == 1);
            CHECK(calls.responses == 1);
        }
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a record that tells a call once more keeps its own outcome and names the first telling"
) {
    InterpretContext context;
    const EventBatch& span = context.interpret(gemini_span(1)->spans());
    const EventBatch& record = context.interpret(gemini_record(1)->spans());
    CHECK(types_of(record.items.at(0)) == "policy_intervention tool_response*");
    CHECK(text_on(record.items[0], FieldId::outcome) == "error");
    CHECK(
        text_on(record.items[0], FieldId::twin_of) ==
        std::string(view(span.items.at(0).primary_event().event_id))
    );
    CHECK(text_on(span.items[0], FieldId::twin_of).empty());
}

TEST_CASE("calls of one tool in one trace each find their own record") {
    InterpretContext context;
    Calls calls;
    std::vector<std::string> firsts;
    for (const std::uint8_t id : std::array<std::uint8_t, 2>{1, 3}) {
        const EventBatch& batch = context.interpret(gemini_span(id)->spans());
        calls.add(batch);
        firsts.emplace_back(view(batch.items.at(0).primary_event().event_id));
    }
    for (const std::uint8_t id : std::array<std::uint8_t, 2>{3, 1}) {
        const EventBatch& batch = context.interpret(gemini_record(id)->spans());
        calls.add(batch);
        CHECK(text_on(batch.items.at(0), FieldId::twin_of) == firsts.at(id / 2));
    }
    calls.add(context.interpret(gemini_record(8)->spans()));
    CHECK(calls.requests == 2);
    CHECK(calls.responses == 3);
    CHECK(calls.twins == 2);
}

TEST_CASE("a call's id that comes again from the same carrier is a call of its own") {
    InterpretContext context;
    Calls calls;
    for (const std::uint8_t id : std::array<std::uint8_t, 2>{1, 2}) {
        SpanBuilder spans;
        spans.resource({{"service.name", text("codex_exec")}});
        spans.span("exec_command", id, 9, {{"call_id", text("call-1")}});
        calls.add(context.interpret(spans.spans()));
    }
    CHECK(calls.requests == 2);
    CHECK(calls.responses == 2);
}

TEST_CASE("a refusal that a span and its log record tell is one intervention") {
    const SpanBuilder::Pairs refusal = {
        {"gen_ai.operation.name", text("chat")},
        {"gen_ai.request.model", text("m")},
        {"gen_ai.response.finish_reasons", text("[\"content_filter\"]")}};
    const bool span_first = GENERATE(true, false);
    InterpretContext context;
    SpanBuilder span;
    span.span("chat", 3, 9, refusal);
    SpanBuilder record;
    record.log("gen_ai.client.inference.operation.details", 3, refusal);
    for (int i = 0; i < 2; ++i) {
        const EventBatch& one = context.interpret(span_first ? span.spans() : record.spans());
        const EventBatch& other = context.interpret(span_first ? record.spans() : span.spans());
        CHECK(types_of(one.items.at(0)) == "inference* policy_intervention");
        CHECK(types_of(other.items.at(0)) == "inference*");
        CHECK(text_on(other.items[0], FieldId::outcome) == "blocked");
    }
}

TEST_CASE("a record without a model counts no call of the span it stands in") {
    const SpanBuilder::Pairs usage = {
        {"gen_ai.operation.name", text("chat")}, {"gen_ai.usage.input_tokens", number(5)}};
    InterpretContext context;
    SpanBuilder record;
    record.log("gen_ai.client.inference.operation.details", 3, usage);
    SpanBuilder span;
    span.span("chat", 3, 9, usage);
    SpanBuilder alone;
    alone.log("gen_ai.client.inference.operation.details", 0, usage);
    const auto counted = [&](SpanBuilder& told) {
        return text_on(context.interpret(told.spans()).items.at(0), FieldId::counted);
    };
    CHECK(counted(record) == "false");
    CHECK(counted(span) == "true");
    CHECK(counted(alone) == "true");
}

TEST_CASE("what a failed span's message says of its end becomes an event") {
    const auto types = [](std::string_view message) {
        InterpretContext context;
        SpanBuilder spans;
        spans.span("turn", 1, 9, {{"gen_ai.operation.name", text("chat")}}).error(message);
        const EventBatch& batch = context.interpret(spans.spans());
        return types_of(batch.items.at(0)) + " " + text_on(batch.items[0], FieldId::outcome);
    };
    CHECK(types("Model refused to produce output: no") == "inference* policy_intervention blocked");
    CHECK(types("Connection refused") == "inference* error");
    CHECK(types("Max turns exceeded") == "inference* termination error");
}

TEST_CASE("the first failed call of a Pydantic tool is no retry") {
    const auto count = [](int attempt) {
        InterpretContext context;
        SpanBuilder spans;
        spans.scope("pydantic-ai")
            .span(
                "execute_tool x",
                1,
                9,
                {{"gen_ai.operation.name", text("execute_tool")},
                 {"gen_ai.tool.name", text("x")},
                 {"pydantic_ai.tool.retry.attempt", number(attempt)}}
            );
        const EventBatch& batch = context.interpret(spans.spans());
        const bool is_retry = event_of(batch.items.at(0), EventType::retry) != nullptr;
        const FieldValue* value = batch.items[0].fields->find(FieldId::retry_count);
        return std::pair(value == nullptr ? -1 : value->integer, is_retry);
    };
    CHECK(count(1) == std::pair(std::int64_t{0}, false));
    CHECK(count(2) == std::pair(std::int64_t{1}, true));
}
