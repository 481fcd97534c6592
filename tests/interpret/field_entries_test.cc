// Each option of the table's field entries, each test word of its conditions, and loose types.
#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

// A table in which every span is an inference, with the given fields and maps.
std::string table_with(const std::string& fields, const std::string& rest = {}) {
    return "schema: agent-semantics/2\n" + rest + "common_fields:\n" + fields +
           "conventions:\n"
           "  - {id: fallback, priority: 1000, detect: {any: [{name_regex: '.*'}]},\n"
           "     rules: [{when: {name_regex: '.*'}, emit: [{event: inference, at: end}]}]}\n";
}

std::string read(const std::string& table, FieldId id, const SpanBuilder::Pairs& attributes) {
    InterpretContext context({}, {}, table);
    SpanBuilder builder;
    builder.resource({{"where", text("here")}})
        .span("call the_tool", 1, 0, attributes)
        .event("e", {{"k", text("v")}});
    const EventBatch& batch = context.interpret(builder.spans());
    REQUIRE(batch.items.size() == 1);
    return text_on(batch.items[0], id);
}

std::string step(const std::string& entry, const SpanBuilder::Pairs& attributes) {
    return read(table_with("  step: [" + entry + "]\n"), FieldId::step, attributes);
}

// Whether a rule with this condition matches a fixed span.
bool matches(const std::string& condition) {
    const std::string table =
        "schema: agent-semantics/2\n"
        "conventions:\n"
        "  - {id: fallback, priority: 1000, detect: {any: [{name_regex: '.*'}]},\n"
        "     rules: [{when: " +
        condition +
        ", emit: [{event: retrieval, at: end}]},\n"
        "             {when: {name_regex: '.*'}, emit: [{event: inference, at: end}]}]}\n";
    InterpretContext context({}, {}, table);
    SpanBuilder builder;
    builder.resource({{"service.name", text("Shop")}})
        .scope("lib.openai.v1")
        .span(
            "call the_tool",
            2,
            1,
            {{"kind", text("LLM")},
             {"n", number(7)},
             {"ok", Value::of(true)},
             {"gen_ai.x", text("y")}}
        )
        .kind(SpanKind::client)
        .error("boom");
    const EventBatch& batch = context.interpret(builder.spans());
    return batch.items.at(0).primary_event().type == EventType::retrieval;
}

}  // namespace

TEST_CASE("a condition looks at scope, name, kind, status and place in the tree") {
    CHECK(matches("{scope: lib.openai.v1}"));
    CHECK_FALSE(matches("{scope: LIB.openai.v1}"));
    CHECK(matches("{scope_prefix: lib.}"));
    CHECK(matches("{name: call the_tool}"));
    CHECK(matches("{name_prefix: 'call '}"));
    CHECK_FALSE(matches("{name_prefix: 'Call '}"));
    CHECK(matches("{name_regex: 'the_(tool|agent)$'}"));
    CHECK(matches("{kind: [server, client]}"));
    CHECK_FALSE(matches("{kind: server}"));
    CHECK(matches("{status: error}"));
    CHECK_FALSE(matches("{status: ok}"));
    CHECK(matches("{root: false}"));
    CHECK_FALSE(matches("{root: true}"));
    CHECK(matches("{attr_prefix: gen_ai.}"));
    CHECK_FALSE(matches("{attr_prefix: llm.}"));
}

TEST_CASE("a condition tests attributes of span and resource, without regard to case") {
    CHECK(matches("{attr: kind, exists: true}"));
    CHECK(matches("{attr: none, exists: false}"));
    CHECK_FALSE(matches("{attr: none, eq: x}"));
    CHECK(matches("{attr: kind, eq: llm}"));
    CHECK(matches("{attr: kind, in: [tool, Llm]}"));
    CHECK(matches("{attr: kind, prefix: ll}"));
    CHECK(matches("{attr: kind, regex: '^L+M$'}"));
    CHECK_FALSE(matches("{attr: kind, regex: '^l+m$'}"));
    CHECK(matches("{attr: n, gt: 6}"));
    CHECK_FALSE(matches("{attr: n, gt: 7}"));
    CHECK(matches("{attr: n, eq: 7}"));
    CHECK(matches("{attr: ok, eq: 'true'}"));
    CHECK(matches("{resource: service.name, eq: shop}"));
}

TEST_CASE("conditions are ANDed in a map and nest") {
    CHECK(matches("{attr: kind, eq: llm, root: false}"));
    CHECK_FALSE(matches("{attr: kind, eq: llm, root: true}"));
    CHECK(matches("{any: [{root: true}, {status: error}]}"));
    CHECK_FALSE(matches("{all: [{root: true}, {status: error}]}"));
    CHECK(matches("{not: {root: true}}"));
    CHECK(matches("{all: [{any: [{root: true}, {not: {status: ok}}]}, {kind: client}]}"));
}

TEST_CASE("the first entry with a value that is not empty wins") {
    CHECK(step("a, b, c", {{"a", text("")}, {"b", text("two")}, {"c", text("three")}}) == "two");
    CHECK(step("a", {{"a", Value{}}}).empty());
    CHECK(step("a", {{"a", text("one")}, {"a", text("last")}}) == "last");
}

TEST_CASE("an entry reads the resource, the span itself and its events") {
    CHECK(step("{resource: where}", {}) == "here");
    CHECK(step("{span: name}", {}) == "call the_tool");
    CHECK(step("{span: kind}", {}) == "internal");
    CHECK(step("{span: status}", {}) == "unset");
    CHECK(step("{name_regex: '^call (.+)$', group: 1}", {}) == "the_tool");
    CHECK(step("{span_event: e, key: k}", {}) == "v");
    CHECK(step("{span_event: other, key: k}", {}).empty());
}

TEST_CASE("an entry takes parts of a value") {
    CHECK(step("{key: a, json: /x/1/y}", {{"a", text(R"({"x":[0,{"y":"deep"}]})")}}) == "deep");
    CHECK(step("{key: a, json: /x}", {{"a", text("not json")}}).empty());
    CHECK(step("{key: a, json: '/q~1r'}", {{"a", text(R"({"q/r":5})")}}) == "5");
    CHECK(step("{key: a, json: /x}", {{"a", text(R"("{\"x\":\"inner\"}")")}}) == "inner");
    CHECK(step("{key: a, index: 1}", {{"a", text(R"(["p","q"])")}}) == "q");
    CHECK(step("{key: a, index: 2}", {{"a", text(R"(["p","q"])")}}).empty());
    CHECK(step("{key: a, regex: 'v([0-9]+)', group: 1}", {{"a", text("xv12")}}) == "12");
    CHECK(step("{key: a, regex: 'v([0-9]+)', group: 1}", {{"a", text("none")}}).empty());
    const Value items[] = {text("first"), text("second")};
    CHECK(step("{key: a, index: 0}", {{"a", Value::of(std::span<const Value>(items))}}) == "first");
}

TEST_CASE("an entry may hold only under a condition") {
    const std::string entry = "{key: a, when: {attr: kind, eq: tool}}";
    CHECK(step(entry, {{"a", text("x")}, {"kind", text("TOOL")}}) == "x");
    CHECK(step(entry, {{"a", text("x")}, {"kind", text("llm")}}).empty());
}

TEST_CASE("a keyed entry publishes a reference, never the value") {
    const std::string table = table_with("  run_id: [{key: a, keyed: 'uri:'}]\n");
    const std::string found = read(table, FieldId::run_id, {{"a", text("file:///secret")}});
    CHECK(found.starts_with("uri:"));
    CHECK(found.size() == 4 + 32);
    CHECK(found == read(table, FieldId::run_id, {{"a", text("file:///secret")}}));
}

TEST_CASE("numbers are shifted and scaled") {
    const std::string shifted = table_with("  retry_count: [{key: attempt, add: -1}]\n");
    CHECK(read(shifted, FieldId::retry_count, {{"attempt", text("3")}}) == "2");
    CHECK(read(shifted, FieldId::retry_count, {{"attempt", number(0)}}).empty());
    const std::string scaled = table_with("  cost_usd: [{key: micros, scale: 0.000001}]\n");
    CHECK(read(scaled, FieldId::cost_usd, {{"micros", number(2'500'000)}}) == "2.5");
}

TEST_CASE("indexed keys are read in ascending order") {
    const std::string table =
        "schema: agent-semantics/2\n"
        "common_fields: {retrieval_ids: ['d.{N}.id'], retrieval_scores: [{key: docs, json: "
        "'/*/score'}], step: ['d.{N}.id']}\n"
        "conventions:\n"
        "  - {id: fallback, priority: 1000, detect: {any: [{name_regex: '.*'}]},\n"
        "     rules: [{when: {name_regex: '.*'}, emit: [{event: retrieval, at: end}]}]}\n";
    const SpanBuilder::Pairs attributes = {
        {"d.10.id", text("c")},
        {"d.2.id", text("b")},
        {"d.0.id", text("a")},
        {"docs", text(R"([{"score":0.5},{"none":1},{"score":"0.25"}])")}};
    CHECK(read(table, FieldId::retrieval_ids, attributes) == "a;b;c;");
    CHECK(read(table, FieldId::step, attributes) == "a");
    CHECK(read(table, FieldId::retrieval_scores, attributes) == "0.5;0.25;");
}

TEST_CASE("closed vocabularies map, keep, replace or leave out") {
    const std::string table = table_with(
        "  finish_reason: [a]\n  outcome: [a]\n  provider: [a]\n",
        "maps: {finish_reason: {tool_calls: tool_call}, outcome: {success: ok}, provider: {google: "
        "gcp}}\n"
        "fields:\n"
        "  finish_reason: {map: finish_reason, values: [stop, tool_call, other]}\n"
        "  outcome: {map: outcome, values: [ok, error], unknown: absent}\n"
        "  provider: {map: provider}\n"
    );
    CHECK(read(table, FieldId::finish_reason, {{"a", text("Tool-Calls")}}) == "tool_call");
    CHECK(read(table, FieldId::finish_reason, {{"a", text("STOP")}}) == "stop");
    CHECK(read(table, FieldId::finish_reason, {{"a", text("whatever")}}) == "other");
    CHECK(read(table, FieldId::outcome, {{"a", text("SUCCESS")}}) == "ok");
    CHECK(read(table, FieldId::outcome, {{"a", text("whatever")}}) == "ok");  // the default
    CHECK(read(table, FieldId::provider, {{"a", text("Google")}}) == "gcp");
    CHECK(read(table, FieldId::provider, {{"a", text("MyOwn")}}) == "MyOwn");
}

TEST_CASE("loose types are taken for what they mean") {
    const std::string tokens = table_with("  tokens_prompt: [a]\n");
    const auto count = [&](const Value& value) {
        return read(tokens, FieldId::tokens_prompt, {{"a", value}});
    };
    CHECK(count(number(12)) == "12");
    CHECK(count(text("12")) == "12");
    CHECK(count(text(" \"12\" ")) == "12");
    CHECK(count(Value::of(12.0)) == "12");
    CHECK(count(text("12.0")) == "12");
    CHECK(count(number(0)) == "0");
    CHECK(count(number((std::int64_t{1} << 53) - 1)) == "9007199254740991");
    CHECK(count(number(std::int64_t{1} << 53)).empty());
    CHECK(count(number(-1)).empty());
    CHECK(count(Value::of(1.5)).empty());
    CHECK(count(Value::of(std::numeric_limits<double>::infinity())).empty());
    CHECK(count(text("Infinity")).empty());
    CHECK(count(text("many")).empty());

    const std::string stream = table_with("  stream: [a]\n");
    for (const Value& yes : {Value::of(true), text("True"), text("1"), number(1)}) {
        CHECK(read(stream, FieldId::stream, {{"a", yes}}) == "true");
    }
    CHECK(read(stream, FieldId::stream, {{"a", text("false")}}) == "false");
    CHECK(read(stream, FieldId::stream, {{"a", text("maybe")}}).empty());

    CHECK(step("a", {{"a", number(7)}}) == "7");
    CHECK(step("a", {{"a", text("\"tenant-a\"")}}) == "tenant-a");
    CHECK(step("a", {{"a", text("\"a \\\"b\\\"\"")}}) == "a \"b\"");
    const std::string status = table_with("  http_status: [a, b]\n");
    CHECK(read(status, FieldId::http_status, {{"a", number(0)}, {"b", text("503")}}) == "503");
    CHECK(read(status, FieldId::http_status, {{"a", number(600)}}).empty());
}

TEST_CASE("lists accept arrays, JSON text and a bare value") {
    const std::string table =
        "schema: agent-semantics/2\n"
        "common_fields: {decision_options: [a]}\n"
        "conventions:\n"
        "  - {id: fallback, priority: 1000, detect: {any: [{name_regex: '.*'}]},\n"
        "     rules: [{when: {name_regex: '.*'}, emit: [{event: planner_decision, at: end}]}]}\n";
    const Value items[] = {text("x"), number(2)};
    CHECK(
        read(table, FieldId::decision_options, {{"a", Value::of(std::span<const Value>(items))}}) ==
        "x;2;"
    );
    CHECK(read(table, FieldId::decision_options, {{"a", text(R"(["x","y"])")}}) == "x;y;");
    CHECK(read(table, FieldId::decision_options, {{"a", text("x")}}) == "x;");
}
