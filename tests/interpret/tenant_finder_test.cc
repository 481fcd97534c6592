// Spans that say no tenant get their trace's, and with it the session (contract §3, §4).
#include <array>
#include <string>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

// Of an operation, a tenant and a session; empty: not said.
SpanBuilder::Pairs said(std::string_view tenant, std::string_view session = {}) {
    SpanBuilder::Pairs pairs = {{"gen_ai.operation.name", text("chat")}};
    if (!tenant.empty()) pairs.emplace_back("tenant.id", text(tenant));
    if (!session.empty()) pairs.emplace_back("session.id", text(session));
    return pairs;
}

const AgentItem& item_of(const EventBatch& batch, std::uint8_t span) {
    for (const AgentItem& item : batch.items) {
        if (item.source != EventSource::gateway && item.span->span_id == span_of(span)) return item;
    }
    FAIL("no such item");
    return batch.items[0];
}

// «tenant/session»
std::string place_of(const EventBatch& batch, std::uint8_t span) {
    const SessionKey& session = item_of(batch, span).session;
    return fmt::format("{}/{}", session.tenant_id, session.session_id);
}

const std::string trace_one = "trace:00000000000000000000000000000001";

}  // namespace

TEST_CASE("a session comes with its tenant: from ancestor, root and trace") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, said("acme", "s"))
        .span("child", 2, 1, said({}))
        .span("POST", 3, 2, {})
        .span("grandchild", 4, 3, said({}))
        .span("orphan", 5, 77, said({}));
    builder.span("keyed", 6, 77, said("acme", "s")).trace(2);
    builder.span("sibling", 7, 77, said({})).trace(2);
    builder.log("note", 2, said({}));
    const EventBatch& batch = context.interpret(builder.spans());
    for (const std::uint8_t span : std::array<std::uint8_t, 6>{1, 2, 4, 5, 6, 7})
        CHECK(place_of(batch, span) == "acme/s");
    for (const AgentItem& item : batch.items)
        CHECK(item.session.tenant_id == "acme");
}

TEST_CASE("the tenant of a keyless trace holds for its children, and for keys without a tenant") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, said("acme")).span("child", 2, 1, said({}));
    builder.span("keyed root", 3, 0, said("acme")).trace(2);
    builder.span("keyed child", 4, 3, said({}, "own")).trace(2);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(place_of(batch, 1) == "acme/" + trace_one);
    CHECK(place_of(batch, 2) == "acme/" + trace_one);
    CHECK(place_of(batch, 4) == "acme/own");
}

TEST_CASE("the memory keeps a trace's tenant, until it has forgotten") {
    InterpretConfig config;
    config.session_memory.ttl = Millis(60'000);
    InterpretContext context(config);
    SpanBuilder root;
    root.span("root", 1, 0, said("acme", "s"));
    root.span("keyless root", 3, 0, said("acme")).trace(2);
    static_cast<void>(context.interpret(root.spans()));
    SpanBuilder later;
    later.span("late", 2, 1, said({}));
    later.span("late", 4, 3, said({})).trace(2);
    const EventBatch& batch = context.interpret(later.spans());
    CHECK(place_of(batch, 2) == "acme/s");
    CHECK(place_of(batch, 4) == "acme/trace:00000000000000000000000000000002");
    constexpr WallNanos hour = 3'600'000'000'000;
    CHECK(
        place_of(context.interpret(later.spans(), received_at_for_test + hour), 2) ==
        "default/" + trace_one
    );
}

TEST_CASE("a linked trace lends its tenant with its session, down a chain and across batches") {
    InterpretContext context;
    SpanBuilder first;
    first.span("run", 1, 0, said("acme", "s"));
    static_cast<void>(context.interpret(first.spans()));
    SpanBuilder builder;
    builder.span("near", 2, 0, said({})).trace(2).link(1);
    builder.span("far", 3, 0, said({})).trace(3).link(2);
    builder.span("ring", 4, 0, said({})).trace(4).link(5);
    builder.span("ring", 5, 0, said({})).trace(5).link(4);
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(place_of(batch, 2) == "acme/s");
    CHECK(place_of(batch, 3) == "acme/s");
    CHECK(item_of(batch, 4).session.tenant_id == "default");
    SpanBuilder later;
    later.span("more", 6, 77, said({})).trace(2);
    CHECK(place_of(context.interpret(later.spans()), 6) == "acme/s");
}

TEST_CASE("what a span says itself stands, and no session is lent to another tenant") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, said("acme", "s"))
        .span("guest", 2, 1, said("other"))
        .span("its child", 3, 2, said({}))
        .span("host again", 4, 3, said("acme"))
        .span("guest's own", 5, 1, said("other", "s"));
    const EventBatch& batch = context.interpret(builder.spans());
    CHECK(place_of(batch, 1) == "acme/s");
    CHECK(place_of(batch, 4) == "acme/s");
    CHECK(place_of(batch, 5) == "other/s");
    // The only key of its own tenant in the trace.
    CHECK(place_of(batch, 2) == "other/s");
    CHECK(place_of(batch, 3) == "other/s");
    SpanBuilder two;
    two.span("root", 1, 0, said("acme", "s")).trace(9);
    two.span("guest", 2, 1, said("other")).trace(9);
    const EventBatch& alone = context.interpret(two.spans());
    CHECK(place_of(alone, 2) == "other/trace:00000000000000000000000000000009");
    SpanBuilder later;
    later.span("guest", 3, 1, said("other")).trace(9).span("nobody's", 4, 77, said({})).trace(9);
    const EventBatch& again = context.interpret(later.spans());
    CHECK(place_of(again, 3) == "other/trace:00000000000000000000000000000009");
    CHECK(place_of(again, 4) == "default/trace:00000000000000000000000000000009");
}

TEST_CASE("a key told where nobody says a tenant is lent to all") {
    InterpretContext context;
    SpanBuilder first;
    first.span("root", 1, 0, said({}, "s"));
    CHECK(place_of(context.interpret(first.spans()), 1) == "default/s");
    SpanBuilder later;
    later.span("child", 2, 1, said("acme"));
    CHECK(place_of(context.interpret(later.spans()), 2) == "acme/s");
}

TEST_CASE("aliases stay within a tenant") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, said("acme", "one")).span("guest", 2, 1, said("other", "two"));
    for (const AgentItem& item : context.interpret(builder.spans()).items)
        CHECK(item.source != EventSource::gateway);
    SpanBuilder later;
    later.span("guest", 3, 1, said("other", "three"));
    std::size_t aliases = 0;
    for (const AgentItem& item : context.interpret(later.spans()).items) {
        if (item.source != EventSource::gateway) continue;
        ++aliases;
        CHECK(item.session.tenant_id == "other");
    }
    CHECK(aliases == 2);
}

TEST_CASE("an authenticated tenant is everybody's, whatever traces and clients say") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, said("acme", "s")).span("child", 2, 1, said({}));
    const EventBatch& mine = context.interpret(builder.spans(), received_at_for_test, "owner");
    CHECK(place_of(mine, 1) == "owner/s");
    CHECK(place_of(mine, 2) == "owner/s");
    SpanBuilder theirs;
    theirs.span("child", 3, 1, said({})).span("claims it", 4, 1, said("owner"));
    const EventBatch& batch = context.interpret(theirs.spans());
    CHECK(place_of(batch, 3) == "owner/" + trace_one);
    CHECK(place_of(batch, 4) == "owner/" + trace_one);
}

TEST_CASE("a keyed reference holds the tenant that the span gets") {
    InterpretContext context;
    const auto resource_of = [&](std::string_view tenant, std::uint8_t trace) {
        SpanBuilder builder;
        builder.span("root", 1, 0, said(tenant)).trace(trace);
        builder
            .span(
                "resources/read",
                2,
                1,
                {{"mcp.method.name", text("resources/read")},
                 {"mcp.resource.uri", text("file:///a")}}
            )
            .trace(trace);
        return text_on(item_of(context.interpret(builder.spans()), 2), FieldId::memory_ref);
    };
    const auto reference = [&](std::string_view tenant) {
        std::string out(HashKey::user_ref_size, ' ');
        context.hash_key().write_reference(tenant, "file:///a", out.data());
        return "uri:" + out;
    };
    CHECK(resource_of("acme", 1) == reference("acme"));
    CHECK(resource_of("other", 2) == reference("other"));
    CHECK(resource_of({}, 3) == reference("default"));
}
