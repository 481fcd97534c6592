// Log records are event carriers like spans: names, rules, ids, times and fields.
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

SpanBuilder::Pairs named(std::string_view name, SpanBuilder::Pairs more = {}) {
    more.emplace_back("event.name", text(name));
    return more;
}

std::string id_of(const AgentEvent& event) {
    return std::string(view(event.event_id));
}

}  // namespace

TEST_CASE("a log record's name comes from its event name, its body or a key, with a prefix") {
    InterpretContext context;
    SpanBuilder records;
    records.resource({{"service.name", text("claude-code")}});
    records.log("user_prompt", 0, {});
    records.log("", 0, named("compaction"));
    records.log("", 0, {}, text("claude_code.internal_error"));
    records.log("claude_code.api_refusal", 0, {});
    records.log("", 0, {}, text("claude_code.internal_error with blanks"));
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 5);
    const auto types = [&](std::string_view name, std::string_view wanted) {
        for (const AgentItem& item : batch.items) {
            if (item.span->log->event_name == name && types_of(item) == wanted) return true;
        }
        return false;
    };
    CHECK(types("user_prompt", "planner_decision*"));
    CHECK(types("", "state_snapshot*"));
    CHECK(types("", "error*"));
    CHECK(types("claude_code.api_refusal", "policy_intervention*"));
    CHECK(types("", "other*"));
    CHECK(batch.items[0].source == EventSource::log);
}

TEST_CASE("a prefix that a convention puts before names makes no record that convention's") {
    InterpretContext context;
    SpanBuilder records;
    records.log("user_prompt", 0, {{"code.function.name", text("handle")}}, text("a body"));
    const EventBatch& batch = context.interpret(records.spans());
    CHECK(batch.items.empty());
    CHECK(batch.outcomes[0].dropped_other == 1);
}

TEST_CASE("an application's log record is dropped, an agent's that no rule knows is `other`") {
    SpanBuilder records;
    records.log("", 0, {{"code.line.number", number(7)}}, text("GET / 200"))
        .log("gen_ai.something.new", 0, {{"gen_ai.system", text("openai")}})
        .log("", 0, {{"gen_ai.prompt", text("hi")}});
    InterpretContext context;
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 2);
    CHECK(types_of(batch.items[0]) == "other*");
    CHECK(batch.outcomes[0].dropped_other == 1);
    InterpretConfig config;
    config.keep_other = true;
    InterpretContext keeping(config);
    CHECK(keeping.interpret(records.spans()).items.size() == 3);
}

TEST_CASE("several events of one record have ids of their own, and the last is primary") {
    InterpretContext context;
    SpanBuilder records;
    records.log(
        "",
        0,
        named(
            "codex.tool_decision",
            {{"tool_name", text("exec_command")},
             {"call_id", text("c1")},
             {"decision", text("approved")}}
        )
    );
    records.resource({{"service.name", text("codex_exec")}});
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 1);
    const AgentItem& item = batch.items[0];
    CHECK(types_of(item) == "policy_intervention tool_request*");
    CHECK(id_of(item.events[0]) != id_of(item.events[1]));
    CHECK(text_on(item.events[0], FieldId::policy_decision) == "allow");
    CHECK(text_on(item.events[1], FieldId::tool_name) == "exec_command");
    CHECK(text_on(item.events[0], FieldId::primary_event_id) == id_of(item.events[1]));
}

TEST_CASE("a record's event id depends on what it says, not on the batch it comes in") {
    const auto ids = [](std::size_t copies, bool with_another) {
        SpanBuilder records;
        if (with_another) records.log("", 0, named("codex.user_prompt", {{"n", number(1)}}));
        for (std::size_t i = 0; i < copies; ++i)
            records.log("", 0, named("codex.user_prompt", {{"n", number(2)}}));
        InterpretContext context;
        std::vector<std::string> result;
        for (const AgentItem& item : context.interpret(records.spans()).items)
            result.push_back(id_of(item.events[0]));
        return result;
    };
    const std::vector<std::string> alone = ids(1, false);
    const std::vector<std::string> twice = ids(2, true);
    REQUIRE(alone.size() == 1);
    REQUIRE(twice.size() == 3);
    CHECK(twice[1] == alone[0]);
    CHECK(twice[2] != alone[0]);
    CHECK(twice[0] != alone[0]);
    CHECK(ids(2, true) == twice);
}

TEST_CASE("the order of attributes does not change a record's event id") {
    const auto id = [](const SpanBuilder::Pairs& pairs) {
        SpanBuilder records;
        records.log("gen_ai.choice", 3, pairs);
        InterpretContext context;
        return id_of(context.interpret(records.spans()).items.at(0).events[0]);
    };
    const std::string one = id({{"gen_ai.system", text("openai")}, {"a", number(1)}});
    CHECK(one == id({{"a", number(1)}, {"gen_ai.system", text("openai")}}));
    CHECK(one != id({{"a", text("1")}, {"gen_ai.system", text("openai")}}));
}

TEST_CASE("a record without a possible time has the observed one, else the gateway's") {
    SpanBuilder records;
    records.log("gen_ai.choice", 1, {}).log("gen_ai.choice", 2, {}).log("gen_ai.choice", 3, {});
    records.spans()[0].start_unix_nano = records.spans()[0].end_unix_nano = 0;
    records.spans()[1].start_unix_nano = records.spans()[1].end_unix_nano = 12;
    records.spans()[1].log->observed_unix_nano = 0;
    InterpretContext context;
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 3);
    for (const AgentItem& item : batch.items) {
        const AgentEvent& event = item.primary_event();
        if (item.span->span_id == span_of(1)) {
            CHECK(event.time_source == TimeSource::observed);
            CHECK(event.timestamp == static_cast<WallNanos>(start_for_test + 200 * second_nanos));
        }
        if (item.span->span_id == span_of(2)) {
            CHECK(event.time_source == TimeSource::received);
            CHECK(event.timestamp == received_at_for_test);
        }
        if (item.span->span_id == span_of(3)) {
            CHECK(event.time_source == TimeSource::span);
            CHECK(event.timestamp == static_cast<WallNanos>(start_for_test + 3 * second_nanos));
        }
        CHECK(text_on(event, FieldId::duration_ms).empty());
        CHECK(text_on(event, FieldId::status_code).empty());
    }
}

TEST_CASE("numbers of a log record may be strings, and its duration is its own") {
    InterpretContext context;
    SpanBuilder records;
    records.resource({{"service.name", text("codex_exec")}});
    records.log(
        "",
        0,
        named(
            "codex.sse_event",
            {{"event.kind", text("response.completed")},
             {"input_token_count", text("120")},
             {"output_token_count", text("45")},
             {"cached_token_count", text("64")},
             {"duration_ms", text("25")},
             {"model", text("gpt-fake")},
             {"conversation.id", text("c-1")}}
        )
    );
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 1);
    const AgentItem& item = batch.items[0];
    CHECK(types_of(item) == "inference*");
    CHECK(text_on(item, FieldId::tokens_prompt) == "120");
    CHECK(text_on(item, FieldId::tokens_cache_read) == "64");
    CHECK(text_on(item, FieldId::duration_ms) == "25");
    CHECK(text_on(item, FieldId::counted) == "true");
    CHECK(text_on(item, FieldId::model) == "gpt-fake");
    CHECK(item.session.session_id == "c-1");
}

TEST_CASE("a record whose event is an error has the outcome error") {
    InterpretContext context;
    SpanBuilder records;
    records.log("", 0, named("codex.api_request", {{"error.message", text("no route")}}));
    records.log(
        "",
        0,
        named("codex.tool_result", {{"success", text("false")}, {"tool_name", text("shell")}})
    );
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 2);
    CHECK(types_of(batch.items[0]) == "error*");
    CHECK(text_on(batch.items[0], FieldId::outcome) == "error");
    CHECK(text_on(batch.items[1], FieldId::outcome) == "error");
}

TEST_CASE("fields of a span event stand in the body of the log record of that name") {
    const std::string_view table = R"(
schema: agent-semantics/2
conventions:
  - id: mine
    priority: 1
    detect: {any: [{event_prefix: mine.}]}
    log_rules:
      - {when: {event_name: [mine.answer]}, emit: [{event: inference}]}
    fields:
      finish_reason: [{span_event: mine.answer, key: reason}]
  - {id: fallback, priority: 9, detect: {any: [{name_regex: .*}]}, rules: []}
)";
    InterpretContext context({}, {}, table);
    std::array body = {Attribute{"reason", text("stop")}, Attribute{"index", number(0)}};
    SpanBuilder records;
    records.log("mine.answer", 4, {}, Value::of(std::span<Attribute>(body)));
    records.log("mine.answer", 5, {}, text("not a list"));
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 2);
    CHECK(text_on(batch.items[0], FieldId::finish_reason) == "stop");
    CHECK(text_on(batch.items[1], FieldId::finish_reason).empty());
}

TEST_CASE("a record that joins a span names it, and its body has a role") {
    InterpretContext context;
    SpanBuilder records;
    records.log("gen_ai.user.message", 7, {{"gen_ai.system", text("openai")}}, text("hello you"));
    const EventBatch& batch = context.interpret(records.spans());
    REQUIRE(batch.items.size() == 1);
    CHECK(types_of(batch.items[0]) == "other*");
    CHECK(text_on(batch.items[0], FieldId::joins) == "0000000000000007");
    CHECK(batch.items[0].span->log->body.treatment == Treatment::content);
    CHECK(batch.items[0].span->log->body.role == ContentRole::prompt);
}
