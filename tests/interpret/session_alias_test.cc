// Sessions that turn out to be one story are told so, once (contract §4).
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "interpret/session_binder.h"
#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

const SpanBuilder::Pairs chat = {{"gen_ai.operation.name", text("chat")}};

SpanBuilder::Pairs keyed(std::string_view session) {
    return {{"gen_ai.operation.name", text("chat")}, {"session.id", text(session)}};
}

std::string trace_session(std::uint8_t trace) {
    return fmt::format("trace:{:032x}", trace);
}

// «session -> other (reason)» of every alias, in order.
std::vector<std::string> aliases_of(const EventBatch& batch) {
    std::vector<std::string> aliases;
    for (const AgentItem& item : batch.items) {
        if (item.source != EventSource::gateway) continue;
        aliases.push_back(fmt::format(
            "{} -> {} ({})",
            item.session.session_id,
            text_on(item, FieldId::alias_session_id),
            text_on(item, FieldId::alias_reason)
        ));
    }
    return aliases;
}

std::vector<std::string> both(
    const std::string& one, const std::string& other, const std::string& reason
) {
    return {
        fmt::format("{} -> {} ({})", one, other, reason),
        fmt::format("{} -> {} ({})", other, one, reason)};
}

const std::vector<std::string> none;

}  // namespace

TEST_CASE("a key that comes late is told in both sessions, once, and nothing is re-keyed") {
    InterpretContext context;
    SpanBuilder children;
    children.span("leaf", 3, 2, chat).span("mid", 2, 1, chat);
    SpanBuilder root;
    root.span("root", 1, 0, keyed("s"));
    const EventBatch& first = context.interpret(children.spans());
    CHECK(first.items[0].session.session_id == trace_session(1));
    CHECK(aliases_of(first) == none);
    CHECK(aliases_of(context.interpret(root.spans())) == both(trace_session(1), "s", "late_key"));
    CHECK(aliases_of(context.interpret(root.spans())) == none);
    const EventBatch& resent = context.interpret(children.spans());
    CHECK(resent.items[0].session.session_id == "s");
    CHECK(aliases_of(resent) == none);
}

TEST_CASE("an alias is a whole event of the gateway") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("root", 1, 0, keyed("outer")).span("inner", 2, 1, keyed("inner"));
    EventBatch& batch = context.interpret(builder.spans(), received_at_for_test, "owner");
    REQUIRE(batch.items.size() == 4);
    CHECK(batch.item_facts.size() == batch.items.size());
    CHECK(batch.outcomes[0].produced == 2);
    const AgentItem& item = batch.items[2];
    CHECK(item.source == EventSource::gateway);
    CHECK(item.session == SessionKey{"owner", "outer"});
    CHECK(item.session_source == "session.id");
    CHECK(item.session_is_from_client);
    CHECK(item.received_at == received_at_for_test);
    CHECK(item.span->trace_id == trace_of(1));
    CHECK(is_zero(item.span->span_id));
    CHECK(item.span->resource == nullptr);
    REQUIRE(item.events.size() == 1);
    CHECK(item.events[0].type == EventType::session_alias);
    CHECK(item.events[0].is_primary);
    CHECK(item.events[0].timestamp == received_at_for_test);
    CHECK(item.events[0].time_source == TimeSource::received);
    CHECK(text_on(item, FieldId::alias_reason) == "same_trace");
    CHECK(view(item.events[0].event_id) != view(batch.items[3].events[0].event_id));
    CHECK(view(item.events[0].event_id).find_first_not_of("0123456789abcdef") == std::string::npos);
    const std::string text = context.metrics().exposition();
    CHECK(
        text.find("spangate_session_aliases_total{reason=\"same_trace\"} 1") != std::string::npos
    );
    CHECK(text.find("spangate_session_memory_entries{kind=\"pair\"} 1") != std::string::npos);
    CHECK(text.find("spangate_session_memory_entries{kind=\"trace\"} 1") != std::string::npos);
}

TEST_CASE("n sessions of a trace make n - 1 pairs, all with the root's") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("a", 2, 1, keyed("a")).span("b", 3, 1, keyed("b")).span("c", 4, 1, keyed("c"));
    builder.span("a again", 5, 1, keyed("a")).span("root", 1, 0, keyed("root"));
    const EventBatch& batch = context.interpret(builder.spans());
    const std::vector<std::string> aliases = aliases_of(batch);
    CHECK(aliases.size() == 6);
    for (std::size_t i = 0; i < aliases.size(); i += 2)
        CHECK(aliases[i].starts_with("root -> "));
}

TEST_CASE("linked traces with sessions of their own are told, in whichever order they arrive") {
    SpanBuilder linking;
    linking.span("feedback", 1, 0, keyed("judge")).trace(1).link(2);
    SpanBuilder linked;
    linked.span("run", 2, 0, keyed("run")).trace(2);
    {
        InterpretContext context;
        CHECK(aliases_of(context.interpret(linking.spans())) == none);
        const EventBatch& batch = context.interpret(linked.spans());
        CHECK(aliases_of(batch) == both("run", "judge", "link"));
        CHECK(batch.items[1].span->trace_id == trace_of(2));
        CHECK(batch.items[2].span->trace_id == trace_of(1));
    }
    {
        InterpretContext context;
        CHECK(aliases_of(context.interpret(linked.spans())) == none);
        CHECK(aliases_of(context.interpret(linking.spans())) == both("run", "judge", "link"));
        CHECK(aliases_of(context.interpret(linking.spans())) == none);
    }
    {
        InterpretContext context;
        std::vector<DecodedRequest> requests(2);
        requests[0].spans = linking.spans();
        requests[1].spans = linked.spans();
        for (DecodedRequest& request : requests)
            request.raw.received_at = received_at_for_test;
        CHECK(aliases_of(context.interpret(std::move(requests))) == both("run", "judge", "link"));
    }
}

TEST_CASE("one run of many keyless traces is joined by its links, one pair for each link") {
    constexpr std::uint8_t traces = 45;
    InterpretContext context;
    std::map<std::string, std::set<std::string>> joined;
    std::size_t events = 0;
    for (std::uint8_t trace = traces; trace >= 1; --trace) {
        SpanBuilder builder;
        builder.span("process", trace, 0, chat).trace(trace);
        if (trace > 1) builder.link(static_cast<std::uint8_t>(trace - 1));
        for (const AgentItem& item : context.interpret(builder.spans()).items) {
            if (item.source != EventSource::gateway) continue;
            ++events;
            joined[std::string(item.session.session_id)].insert(
                text_on(item, FieldId::alias_session_id)
            );
        }
    }
    CHECK(events == 2 * (traces - 1));
    std::set<std::string> reached = {trace_session(1)};
    for (std::size_t round = 0; round < traces; ++round) {
        for (const std::string& session : std::set<std::string>(reached))
            reached.insert(joined[session].begin(), joined[session].end());
    }
    CHECK(reached.size() == traces);
}

TEST_CASE("more traces than can wait for a linked one are told of each other") {
    InterpretContext context;
    std::size_t events = 0;
    for (std::uint8_t trace = 1; trace <= 20; ++trace) {
        SpanBuilder builder;
        builder.span("a", trace, 0, chat).trace(trace).link(99);
        events += aliases_of(context.interpret(builder.spans())).size();
    }
    SpanBuilder last;
    last.span("hub", 99, 0, chat).trace(99);
    events += aliases_of(context.interpret(last.spans())).size();
    CHECK(events == 2 * 20);
}

TEST_CASE("what links without being published is no reason to tell") {
    InterpretContext context;
    SpanBuilder builder;
    builder.span("POST", 1, 0, {}).trace(1).link(2).span("run", 2, 0, keyed("run")).trace(2);
    CHECK(aliases_of(context.interpret(builder.spans())) == none);
}

TEST_CASE("tenants are never told of each other's sessions") {
    InterpretContext context;
    SpanBuilder mine;
    mine.span("root", 1, 0, keyed("mine"));
    SpanBuilder theirs;
    theirs.span("child", 2, 1, keyed("theirs")).link(9);
    SpanBuilder linked;
    linked.span("linked", 9, 0, keyed("linked")).trace(9);
    CHECK(aliases_of(context.interpret(mine.spans(), received_at_for_test, "a")) == none);
    CHECK(aliases_of(context.interpret(theirs.spans(), received_at_for_test, "b")) == none);
    CHECK(aliases_of(context.interpret(linked.spans(), received_at_for_test, "a")) == none);
    // Tenants that clients name themselves share the memory, and are not told either.
    InterpretContext open;
    SpanBuilder builder;
    builder.resource({{"tenant.id", text("x")}}).span("root", 1, 0, keyed("one"));
    builder.resource({{"tenant.id", text("y")}}).span("child", 2, 1, keyed("two"));
    CHECK(aliases_of(open.interpret(builder.spans())) == none);
}

TEST_CASE("a batch tells so many pairs, counts the rest and tells them later") {
    InterpretContext context;
    std::vector<std::unique_ptr<SpanBuilder>> builders;
    std::vector<DecodedRequest> requests;
    std::size_t number = 0;
    while (number < SessionBinder::aliases_max + 100) {
        builders.push_back(std::make_unique<SpanBuilder>());
        for (std::uint8_t i = 2; i < 250; ++i)
            builders.back()->span("c", i, 1, keyed("s" + std::to_string(number++)));
        requests.emplace_back().spans = builders.back()->spans();
        requests.back().raw.received_at = received_at_for_test;
    }
    const std::size_t untold = number - 1 - SessionBinder::aliases_max;
    std::vector<DecodedRequest> again;
    for (const DecodedRequest& request : requests) {
        again.emplace_back().spans = request.spans;
        again.back().raw.received_at = received_at_for_test;
    }
    CHECK(
        aliases_of(context.interpret(std::move(requests))).size() == 2 * SessionBinder::aliases_max
    );
    CHECK(
        context.metrics().exposition().find(
            fmt::format("spangate_session_aliases_limited_total {}", untold)
        ) != std::string::npos
    );
    CHECK(aliases_of(context.interpret(std::move(again))).size() == 2 * untold);
}
