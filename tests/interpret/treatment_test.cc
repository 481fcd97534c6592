// Deny by default: what may become of each attribute, and the roles of content.
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

const Attribute& attribute_of(const SpanView& span, std::string_view key) {
    for (const Attribute& attribute : span.attributes) {
        if (attribute.key == key) return attribute;
    }
    FAIL("no such attribute");
    return span.attributes[0];
}

Treatment treatment(const SpanBuilder::Pairs& attributes, std::string_view key) {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("s", 1, 0, attributes);
    static_cast<void>(context.interpret(builder.spans()));
    return attribute_of(builder.spans()[0], key).treatment;
}

ContentRole role(const SpanBuilder::Pairs& attributes, std::string_view key) {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("s", 1, 9, attributes);
    static_cast<void>(context.interpret(builder.spans()));
    return attribute_of(builder.spans()[0], key).role;
}

}  // namespace

TEST_CASE("what no list names is content") {
    const SpanBuilder::Pairs attributes = {
        {"gen_ai.operation.name", text("chat")},
        {"my.own.key", text("jane@example.com")},
        {"gen_ai.request.model", text("m")},
        {"gen_ai.request.temperature", Value::of(0.5)},
        {"user.id", text("jane")},
        {"gen_ai.input.messages", text("[]")},
        {"gen_ai.prompt.0.content", text("hi")},
        {"gen_ai.prompt.name", text("greeting")},
        {"session.id", text("s")}};
    CHECK(treatment(attributes, "my.own.key") == Treatment::content);
    CHECK(treatment(attributes, "gen_ai.request.model") == Treatment::mapped);
    CHECK(treatment(attributes, "gen_ai.request.temperature") == Treatment::plain);
    CHECK(treatment(attributes, "user.id") == Treatment::identity);
    CHECK(treatment(attributes, "gen_ai.input.messages") == Treatment::content);
    CHECK(treatment(attributes, "gen_ai.prompt.0.content") == Treatment::content);
    CHECK(treatment(attributes, "gen_ai.prompt.name") == Treatment::plain);
    CHECK(treatment(attributes, "session.id") == Treatment::mapped);
}

TEST_CASE("a convention's keys mean something only where it holds") {
    const SpanBuilder::Pairs with = {
        {"traceloop.span.kind", text("task")}, {"traceloop.entity.path", text("a.b")}};
    CHECK(treatment(with, "traceloop.entity.path") == Treatment::mapped);
    const SpanBuilder::Pairs without = {
        {"gen_ai.operation.name", text("chat")}, {"query_source", text("x")}};
    CHECK(treatment(without, "query_source") == Treatment::content);
}

TEST_CASE("prefixes, exceptions and patterns of a convention are applied") {
    const SpanBuilder::Pairs attributes = {
        {"traceloop.span.kind", text("task")},
        {"traceloop.association.properties.email", text("jane@example.com")},
        {"traceloop.association.properties.session_id", text("s")},
        {"traceloop.association.properties.user_id", text("jane")}};
    CHECK(treatment(attributes, "traceloop.association.properties.email") == Treatment::content);
    CHECK(
        treatment(attributes, "traceloop.association.properties.session_id") == Treatment::mapped
    );
    CHECK(treatment(attributes, "traceloop.association.properties.user_id") == Treatment::identity);
    const SpanBuilder::Pairs evaluation = {
        {"openinference.span.kind", text("LLM")},
        {"evaluations.3.evaluation.explanation", text("x")}};
    CHECK(treatment(evaluation, "evaluations.3.evaluation.explanation") == Treatment::content);
}

TEST_CASE("a key that only a part is lifted from stays content") {
    const SpanBuilder::Pairs attributes = {
        {"openinference.span.kind", text("LLM")},
        {"metadata", text(R"({"session_id":"s","email":"jane@example.com"})")}};
    CHECK(treatment(attributes, "metadata") == Treatment::content);
}

TEST_CASE("resource, scope, events and links are content unless a list says otherwise") {
    InterpretContext context;
    SpanBuilder builder;
    builder
        .resource(
            {{"service.name", text("shop")},
             {"process.command_args", text("-p secret")},
             {"my.owner", text("jane")},
             {"tenant.id", text("t")}}
        )
        .scope("lib", {{"any", text("x")}})
        .span("c", 1, 0, {{"gen_ai.operation.name", text("chat")}})
        .event("exception", {{"exception.type", text("Boom")}, {"exception.message", text("jane")}})
        .event("gen_ai.choice", {{"finish_reason", text("stop")}, {"message", text("hi")}})
        .link(7, {{"model", text("x")}});
    static_cast<void>(context.interpret(builder.spans()));
    const SpanView& span = builder.spans()[0];
    CHECK(span.resource->attributes[0].treatment == Treatment::mapped);
    CHECK(span.resource->attributes[1].treatment == Treatment::content);
    CHECK(span.resource->attributes[2].treatment == Treatment::content);
    CHECK(span.resource->attributes[3].treatment == Treatment::mapped);
    CHECK(span.scope->attributes[0].treatment == Treatment::content);
    CHECK(span.events[0].attributes[0].treatment == Treatment::mapped);
    CHECK(span.events[0].attributes[1].treatment == Treatment::content);
    CHECK(span.events[0].attributes[1].role == ContentRole::error);
    CHECK(span.events[1].attributes[1].treatment == Treatment::content);
    CHECK(span.links[0].attributes[0].treatment == Treatment::content);
}

TEST_CASE("content has a role by its key and the span's events") {
    const SpanBuilder::Pairs tool = {
        {"openinference.span.kind", text("TOOL")},
        {"input.value", text("{}")},
        {"output.value", text("x")}};
    CHECK(role(tool, "input.value") == ContentRole::tool_args);
    CHECK(role(tool, "output.value") == ContentRole::tool_result);
    const SpanBuilder::Pairs call = {
        {"openinference.span.kind", text("LLM")},
        {"input.value", text("{}")},
        {"output.value", text("x")}};
    CHECK(role(call, "input.value") == ContentRole::prompt);
    CHECK(role(call, "output.value") == ContentRole::completion);
    const SpanBuilder::Pairs family = {
        {"openinference.span.kind", text("LLM")},
        {"llm.input_messages.0.message.content", text("a")},
        {"llm.input_messages.1.message.content", text("b")},
        {"input.value", text("{}")}};
    CHECK(role(family, "llm.input_messages.0.message.content") == ContentRole::prompt);
    CHECK(role(family, "llm.input_messages.1.message.content") == ContentRole::prompt);
    CHECK(role(family, "input.value") == ContentRole::other);
    const SpanBuilder::Pairs own = {
        {"langfuse.observation.type", text("tool")}, {"langfuse.observation.input", text("x")}};
    CHECK(role(own, "langfuse.observation.input") == ContentRole::tool_args);
}
