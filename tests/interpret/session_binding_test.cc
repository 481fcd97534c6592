// How spans come to their session and tenant (contract §3, §4).
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

const SpanBuilder::Pairs chat = {{"gen_ai.operation.name", text("chat")}};

SpanBuilder::Pairs keyed(std::string_view session, std::string_view key = "session.id") {
    return {{"gen_ai.operation.name", text("chat")}, {key, text(session)}};
}

const AgentItem& item_of(const EventBatch& batch, std::uint8_t span) {
    for (const AgentItem& item : batch.items) {
        if (item.span->span_id == span_of(span)) return item;
    }
    FAIL("no such item");
    return batch.items[0];
}

std::string session_of(const EventBatch& batch, std::uint8_t span) {
    return std::string(item_of(batch, span).session.session_id);
}

const std::string trace_one = "trace:00000000000000000000000000000001";

}  // namespace

TEST_CASE("a span's own key wins, and the order of keys is the table's") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("r", 1, 0, keyed("outer"));
    builder.span(
        "c",
        2,
        1,
        {{"gen_ai.operation.name", text("chat")},
         {"session.id", text("second")},
         {"gen_ai.conversation.id", text("first")},
         {"session_id", text("second")},
         {"thread_id", text("t-3")}}
    );
    const EventBatch& batch = context.interpret(builder.spans());
    const AgentItem& item = item_of(batch, 2);
    CHECK(item.session.session_id == "first");
    CHECK(item.session_source == "gen_ai.conversation.id");
    CHECK(item.session_is_from_client);
    REQUIRE(item.session_keys_seen.size() == 2);
    CHECK(item.session_keys_seen[0] == "second");
    CHECK(item.session_keys_seen[1] == "t-3");
}

TEST_CASE("configured keys are tried before the table's") {
    InterpretConfig config;
    config.session_keys = {"x.shop.visit"};
    InterpretContext context(config);
    SpanBuilder builder;
    builder.span("r", 1, 0, {{"session.id", text("theirs")}, {"x.shop.visit", text("ours")}});
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(session_of(batch, 1) == "ours");
    CHECK(batch.items[0].session_source == "x.shop.visit");
    CHECK(batch.items[0].span->attributes[1].treatment == Treatment::mapped);
}

TEST_CASE("values that are no session are passed over") {
    InterpretContext context;
    SpanBuilder builder;
    std::uint8_t id = 1;
    for (const char* none :
         {"", "null", "None", "undefined", "DEFAULT", "0", "00000000000000000000000000000000"}) {
        builder
            .span(
                "c",
                id,
                0,
                {{"gen_ai.operation.name", text("chat")},
                 {"session.id", text(none)},
                 {"session_id", text("next")}}
            )
            .trace(id);
        ++id;
    }
    builder.span("os thread", id, 0, keyed("140735", "thread_id")).trace(id);
    const EventBatch& batch = context.interpret(builder.spans());
    for (std::uint8_t i = 1; i < id; ++i)
        CHECK(session_of(batch, i) == "next");
    CHECK(session_of(batch, id).starts_with("trace:"));
}

TEST_CASE("metadata JSON may hold the session, and numbers are ids") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span(
        "c",
        1,
        0,
        {{"openinference.span.kind", text("LLM")}, {"metadata", text(R"({"thread_id":"t-9"})")}}
    );
    builder.span(
               "d", 2, 0, {{"gen_ai.operation.name", text("chat")}, {"session.id", number(4711)}}
    ).trace(2);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(session_of(batch, 1) == "t-9");
    CHECK(batch.items[0].session_source == "metadata/thread_id");
    CHECK(session_of(batch, 2) == "4711");
}

TEST_CASE("what is no Id or looks like the gateway's own is replaced by its keyed hash") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("a", 1, 0, keyed("has blank")).trace(1);
    builder.span("b", 2, 0, keyed("trace:0001")).trace(2);
    builder.span("c", 3, 0, keyed(std::string(129, 'a'))).trace(3);
    builder.span("d", 4, 0, keyed(std::string(128, 'a'))).trace(4);
    builder.span("e", 5, 0, keyed("has blank")).trace(5);
    const EventBatch& batch = context.interpret(builder.spans());
    for (std::uint8_t i = 1; i <= 3; ++i) {
        CHECK(session_of(batch, i).starts_with("h:"));
        CHECK(session_of(batch, i).size() == HashKey::token_size);
        CHECK_FALSE(item_of(batch, i).session_is_from_client);
    }
    CHECK(session_of(batch, 4) == std::string(128, 'a'));
    CHECK(session_of(batch, 1) == session_of(batch, 5));
}

TEST_CASE("keyless spans take their nearest keyed ancestor's session, across requests") {
    InterpretContext context;
    SpanBuilder first;
    first.span("leaf", 4, 3, chat).span("mid", 3, 2, chat);
    SpanBuilder second;
    second.span("inner", 2, 1, keyed("inner")).span("root", 1, 0, keyed("outer"));
    std::vector<DecodedRequest> requests(2);
    requests[0].spans = first.spans();
    requests[1].spans = second.spans();
    const EventBatch& batch = context.interpret(std::move(requests));
    CHECK(session_of(batch, 4) == "inner");
    CHECK(session_of(batch, 3) == "inner");
    CHECK(item_of(batch, 4).session_source == "session.id");
}

TEST_CASE("a dropped span is still the bridge to its ancestors") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, keyed("s")).span("POST", 2, 1, {}).span("chat", 3, 2, chat);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(batch.items.size() == 2);
    CHECK(session_of(batch, 3) == "s");
}

TEST_CASE("without a keyed ancestor the root's key decides, then the only key of the trace") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("orphan", 5, 77, chat)
        .span("sibling", 6, 77, keyed("sibling"))
        .span("root", 1, 0, keyed("root"));
    builder.span("orphan", 7, 77, chat).trace(2).span("sibling", 8, 77, keyed("two")).trace(2);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(session_of(batch, 5) == "root");
    CHECK(session_of(batch, 7) == "two");
}

TEST_CASE("the memory knows a trace's session in later batches, until it has forgotten") {
    InterpretConfig config;
    config.session_memory.ttl = Millis(60'000);
    InterpretContext context(config);
    SpanBuilder keyed_span;
    keyed_span.span("root", 1, 0, keyed("s"));
    static_cast<void>(context.interpret(keyed_span.spans(), received_at_for_test));
    SpanBuilder later;
    later.span("late", 2, 1, chat);
    constexpr WallNanos second = 1'000'000'000;
    CHECK(
        session_of(context.interpret(later.spans(), received_at_for_test + 59 * second), 2) == "s"
    );
    CHECK(
        session_of(context.interpret(later.spans(), received_at_for_test + 500 * second), 2) ==
        trace_one
    );
}

TEST_CASE("two keys in one trace say nothing about its other spans, in whichever request") {
    InterpretContext context;
    SpanBuilder one;
    one.span("a", 1, 9, keyed("first"));
    SpanBuilder two;
    two.span("b", 2, 9, keyed("second")).span("orphan", 3, 9, chat);
    SpanBuilder keyless;
    keyless.span("c", 4, 9, chat);
    static_cast<void>(context.interpret(one.spans()));
    const EventBatch& batch = context.interpret(two.spans());
    CHECK(session_of(batch, 2) == "second");
    CHECK(session_of(batch, 3) == trace_one);
    CHECK(session_of(context.interpret(keyless.spans()), 4) == trace_one);

    SpanBuilder both;
    both.span("orphan", 1, 9, chat).span("a", 2, 9, keyed("x")).span("b", 3, 9, keyed("y"));
    InterpretContext fresh;
    CHECK(session_of(fresh.interpret(both.spans()), 1) == trace_one);
}

TEST_CASE("two sessions in one trace: each keyed subtree keeps its own, the root's key has the rest"
) {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, keyed("outer"))
        .span("inner", 2, 1, keyed("inner"))
        .span("leaf", 3, 2, chat)
        .span("sibling", 4, 1, chat)
        .span("orphan", 5, 77, chat);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(session_of(batch, 3) == "inner");
    CHECK(session_of(batch, 4) == "outer");
    CHECK(session_of(batch, 5) == "outer");
}

TEST_CASE("a key that only a dropped span tells is known all the same") {
    InterpretConfig config;
    config.session_keys = {"x.shop.visit"};
    InterpretContext context(config);
    SpanBuilder dropped;
    dropped.span("GET", 1, 0, {{"x.shop.visit", text("web")}});
    CHECK(context.interpret(dropped.spans()).items.empty());
    SpanBuilder later;
    later.span("late", 2, 9, chat);
    CHECK(session_of(context.interpret(later.spans()), 2) == "web");
}

TEST_CASE("log records hang under the span they were written in") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("outer", 1, 0, keyed("outer")).span("inner", 2, 1, keyed("inner"));
    builder.span("", 2, 0, chat).span("", 7, 0, chat);
    LogRecordView record;
    for (const std::size_t log : {2U, 3U}) {
        builder.spans()[log].log = &record;
        builder.spans()[log].parent_span_id = {};
    }
    const EventBatch& batch = context.interpret(builder.spans());
    std::size_t logs = 0;
    for (const AgentItem& item : batch.items) {
        if (!item.span->is_log()) continue;
        ++logs;
        // The second names a span that is not here: the root's key is its trace's.
        const bool is_first = item.span->span_id == span_of(2);
        CHECK(item.session.session_id == (is_first ? "inner" : "outer"));
    }
    CHECK(logs == 2);
}

TEST_CASE("log records without a trace share their resource's session") {
    InterpretContext context;
    SpanBuilder builder;
    builder.resource({{"service.name", text("cli")}, {"process.pid", number(7)}});
    builder.span("a", 1, 0, chat).trace(0).span("b", 2, 0, chat).trace(0);
    builder.resource({{"service.name", text("cli")}, {"process.pid", number(8)}});
    builder.span("c", 3, 0, chat).trace(0);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(session_of(batch, 1) == session_of(batch, 2));
    CHECK(session_of(batch, 1) != session_of(batch, 3));
    CHECK(session_of(batch, 3).starts_with("log:"));
}

TEST_CASE("linked traces with different keys say nothing, and a chain of links leads to its key") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("a", 1, 0, keyed("a")).trace(1).span("b", 2, 0, keyed("b")).trace(2);
    builder.span("torn", 3, 0, chat).trace(3).link(1).link(2);
    builder.span("far", 4, 0, chat).trace(4).link(5);
    builder.span("near", 5, 0, chat).trace(5).link(1);
    builder.span("beside", 6, 77, chat).trace(5);
    builder.span("ring", 7, 0, chat).trace(7).link(8);
    builder.span("ring", 8, 0, chat).trace(8).link(7);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(session_of(batch, 3).starts_with("trace:"));
    CHECK(session_of(batch, 4) == "a");
    CHECK(session_of(batch, 5) == "a");
    CHECK(session_of(batch, 6) == "a");
    CHECK(session_of(batch, 7).starts_with("trace:"));
    SpanBuilder later;
    later.span("more of it", 9, 77, chat).trace(5);
    CHECK(session_of(context.interpret(later.spans()), 9) == "a");
}

TEST_CASE("a linked trace, the resource and the trace itself come last") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("known", 1, 0, keyed("s")).trace(1);
    builder.span("feedback", 2, 0, chat).trace(2).link(1);
    builder.resource({{"session.id", text("window-1")}});
    builder.span("in window", 3, 0, chat).trace(3);
    builder.resource({});
    builder.span("alone", 4, 0, chat).trace(4);
    builder.span("no trace", 5, 0, chat).trace(0);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(session_of(batch, 2) == "s");
    CHECK(session_of(batch, 3) == "window-1");
    CHECK(session_of(batch, 4) == "trace:00000000000000000000000000000004");
    CHECK(item_of(batch, 4).session_source == "trace");
    CHECK(session_of(batch, 5).starts_with("log:"));
    CHECK(item_of(batch, 5).session_source == "log");
}

TEST_CASE("a ring of parents does not hold the gateway up") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("a", 1, 2, chat).span("b", 2, 1, chat).span("self", 3, 3, chat);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(batch.items.size() == 3);
    CHECK(session_of(batch, 1) == trace_one);
}

TEST_CASE("the tenant comes from authentication, resource, span, or is the default") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("plain", 1, 0, chat).trace(1);
    builder
        .span(
            "own",
            2,
            0,
            {{"gen_ai.operation.name", text("chat")}, {"tenant.id", text("\"tenant-b\"")}}
        )
        .trace(2);
    builder.resource({{"tenant.id", text("tenant-a")}});
    builder
        .span(
            "resource",
            3,
            0,
            {{"gen_ai.operation.name", text("chat")}, {"tenant.id", text("tenant-b")}}
        )
        .trace(3);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(item_of(batch, 1).session.tenant_id == "default");
    CHECK(item_of(batch, 2).session.tenant_id == "tenant-b");
    CHECK(item_of(batch, 3).session.tenant_id == "tenant-a");
    const EventBatch& authenticated =
        context.interpret(builder.spans(), received_at_for_test, "owner");
    for (const AgentItem& item : authenticated.items)
        CHECK(item.session.tenant_id == "owner");
}

TEST_CASE("traces of different authenticated tenants never meet") {
    InterpretContext context;
    SpanBuilder mine;
    mine.span("root", 1, 0, keyed("secret-session"));
    SpanBuilder theirs;
    theirs.span("child", 2, 1, chat);
    std::vector<DecodedRequest> requests(2);
    requests[0].spans = mine.spans();
    requests[0].raw.tenant_id = "a";
    requests[0].raw.received_at = received_at_for_test;
    requests[1].spans = theirs.spans();
    requests[1].raw.tenant_id = "b";
    requests[1].raw.received_at = received_at_for_test;
    const EventBatch& batch = context.interpret(std::move(requests));
    CHECK(session_of(batch, 2) == trace_one);
    CHECK(session_of(context.interpret(theirs.spans(), received_at_for_test, "b"), 2) == trace_one);
    CHECK(
        session_of(context.interpret(theirs.spans(), received_at_for_test, "a"), 2) ==
        "secret-session"
    );
}

TEST_CASE("a metric tells how spans came to their session") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, keyed("s"))
        .span("child", 2, 1, chat)
        .span("alone", 3, 0, chat)
        .trace(3);
    static_cast<void>(context.interpret(builder.spans()));
    const std::string text = context.metrics().exposition();
    CHECK(text.find("spangate_session_bound_total{source=\"own\"} 1") != std::string::npos);
    CHECK(text.find("spangate_session_bound_total{source=\"ancestor\"} 1") != std::string::npos);
    CHECK(text.find("spangate_session_bound_total{source=\"trace_id\"} 1") != std::string::npos);
}
