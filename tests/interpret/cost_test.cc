// The cost of calls as it stands on events: reported, computed, or not there.
#include <string>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "interpret/cost_maker.h"
#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

const std::string prices =
    "schema: agent-prices/1\n"
    "version: \"7\"\n"
    "prices:\n"
    "  - {model: big, input: 10, output: 100, cache_read: 1, cache_write: 20, reasoning: 200}\n"
    "  - {model: free, input: 0, output: 0}\n"
    "  - {model: embed, input: 5, output: 0}\n"
    "  - {model: dated, from: 2026-06-01, input: 2, output: 2}\n"
    "  - {model: dated, input: 1, output: 1}\n";

FieldValue count(FieldId id, std::int64_t value) {
    return FieldValue::of_integer(id, value);
}

// Fields of a call to `model` with a million prompt tokens.
FieldSetBuilder call_to(std::string_view model) {
    FieldSetBuilder fields;
    if (!model.empty()) fields.put(FieldValue::of_text(FieldId::model, model));
    fields.put(count(FieldId::tokens_prompt, 1'000'000));
    return fields;
}

struct Costs {
    Metrics metrics;
    std::shared_ptr<const PriceTable> table = load_prices(prices, "prices.yaml").value();
    CostMaker maker{*table, metrics};

    // Below 0: none.
    double of(FieldSetBuilder fields, WallNanos at = received_at_for_test) {
        maker.price(fields, at);
        const FieldValue* cost = fields.find(FieldId::cost_usd);
        CHECK(fields.has(FieldId::price_version) == (cost != nullptr));
        CHECK(fields.has(FieldId::cost_source) == (cost != nullptr));
        return cost == nullptr ? -1 : cost->real;
    }

    std::uint64_t unpriced(std::string_view reason) {
        return metrics.counter("spangate_cost_unpriced_total", "", {{"reason", reason}}).value();
    }
};

}  // namespace

TEST_CASE("a call's cost is computed from its model, its tokens and its time") {
    Costs costs;
    CHECK(costs.of(call_to("big")) == Approx(10));
    FieldSetBuilder whole = call_to("big");
    whole.put(count(FieldId::tokens_completion, 100'000));
    whole.put(count(FieldId::tokens_cache_read, 500'000));
    whole.put(count(FieldId::tokens_cache_write, 100'000));
    whole.put(count(FieldId::tokens_reasoning, 50'000));
    CHECK(costs.of(whole) == Approx(4 + 0.5 + 2 + 5 + 10));
    for (int i = 0; i < 2; ++i) {
        CHECK(costs.of(call_to("dated"), from_rfc3339("2026-05-31T23:59:59Z").value()) == 1);
        CHECK(costs.of(call_to("dated"), from_rfc3339("2026-06-01T00:00:00Z").value()) == 2);
    }
    CHECK(costs.of(call_to("embed")) == Approx(5));
}

TEST_CASE("reasoning that the total counts beside the completion is paid as well") {
    Costs costs;
    FieldSetBuilder call = call_to("big");
    call.put(count(FieldId::tokens_completion, 100'000));
    call.put(count(FieldId::tokens_reasoning, 50'000));
    call.put(count(FieldId::tokens_total, 1'100'000));
    CHECK(costs.of(call) == Approx(10 + 5 + 10));
    call.put(count(FieldId::tokens_total, 1'150'000));
    CHECK(costs.of(call) == Approx(10 + 10 + 10));
}

TEST_CASE("a price of 0 is a cost of 0, and no price is no cost") {
    Costs costs;
    CHECK(costs.of(call_to("free")) == 0);
    CHECK(costs.of(call_to("unheard-of")) < 0);
    CHECK(costs.of(call_to("")) < 0);
    FieldSetBuilder half;
    half.put(FieldValue::of_text(FieldId::model, "big"));
    half.put(count(FieldId::tokens_completion, 5));
    CHECK(costs.of(half) < 0);
    CHECK(costs.unpriced("no_price") == 1);
    CHECK(costs.unpriced("no_model") == 1);
    CHECK(costs.unpriced("no_tokens") == 1);
}

TEST_CASE("zero tokens cost 0 where the model has a price") {
    Costs costs;
    FieldSetBuilder fields = call_to("big");
    fields.put(count(FieldId::tokens_prompt, 0));
    CHECK(costs.of(fields) == 0);
}

TEST_CASE("the total tells the side that is missing") {
    Costs costs;
    FieldSetBuilder no_prompt;
    no_prompt.put(FieldValue::of_text(FieldId::model, "big"));
    no_prompt.put(count(FieldId::tokens_completion, 400'000));
    no_prompt.put(count(FieldId::tokens_total, 1'400'000));
    CHECK(costs.of(no_prompt) == Approx(10 + 40));
    FieldSetBuilder no_completion = call_to("big");
    no_completion.put(count(FieldId::tokens_total, 1'400'000));
    CHECK(costs.of(no_completion) == Approx(10 + 40));
}

TEST_CASE("the model that was asked for has the price when the one that answered has none") {
    Costs costs;
    FieldSetBuilder fields = call_to("internal-name-7");
    fields.put(FieldValue::of_text(FieldId::model_requested, "big"));
    CHECK(costs.of(fields) == Approx(10));
}

TEST_CASE("more models than the lane remembers still have their prices") {
    Costs costs;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 2000; ++i)
            CHECK(costs.of(call_to("unheard-of-" + std::to_string(i))) < 0);
        CHECK(costs.of(call_to("big")) == Approx(10));
    }
}

namespace {

SpanBuilder::Pairs chat(std::string_view model, SpanBuilder::Pairs more = {}) {
    SpanBuilder::Pairs pairs = {
        {"gen_ai.operation.name", text("chat")},
        {"gen_ai.response.model", text(model)},
        {"gen_ai.usage.input_tokens", number(1'000'000)},
        {"gen_ai.usage.output_tokens", number(10'000)}};
    pairs.insert(pairs.end(), more.begin(), more.end());
    return pairs;
}

const AgentItem& item_of(const EventBatch& batch, std::uint8_t span) {
    for (const AgentItem& item : batch.items) {
        if (item.span->span_id == span_of(span)) return item;
    }
    FAIL("no such item");
    return batch.items[0];
}

}  // namespace

TEST_CASE("a cost that the client reports stands as it is") {
    InterpretContext context({}, {}, builtin_conventions(), prices);
    SpanBuilder builder;
    builder.span("chat", 1, 9, chat("big", {{"gen_ai.usage.cost", Value::of(0.25)}}));
    const EventBatch& batch = context.interpret(builder.spans());
    const AgentItem& item = item_of(batch, 1);
    CHECK(text_on(item, FieldId::cost_usd) == "0.25");
    CHECK(text_on(item, FieldId::cost_source) == "reported");
    CHECK(text_on(item, FieldId::price_version).empty());
}

TEST_CASE("a call without a reported cost carries a computed one and the prices' version") {
    InterpretContext context({}, {}, builtin_conventions(), prices);
    SpanBuilder builder;
    builder.span("chat", 1, 9, chat("big")).span("chat", 2, 9, chat("unheard-of"));
    const EventBatch& batch = context.interpret(builder.spans());
    const AgentItem& priced = item_of(batch, 1);
    CHECK(text_on(priced, FieldId::cost_usd) == "11");
    CHECK(text_on(priced, FieldId::cost_source) == "computed");
    CHECK(text_on(priced, FieldId::price_version).starts_with("7-h"));
    CHECK(text_on(priced, FieldId::counted) == "true");
    const AgentItem& unpriced = item_of(batch, 2);
    CHECK(text_on(unpriced, FieldId::cost_usd).empty());
    CHECK(text_on(unpriced, FieldId::cost_source).empty());
    CHECK(text_on(unpriced, FieldId::counted) == "true");
}

TEST_CASE("a twin carries its cost and does not count") {
    InterpretContext context({}, {}, builtin_conventions(), prices);
    SpanBuilder builder;
    builder.span(
               "chat", 1, 9, chat("big", {{"gen_ai.response.id", text("r1")}})
    ).span("http chat", 2, 9, chat("big", {{"gen_ai.response.id", text("r1")}}));
    const EventBatch& batch = context.interpret(builder.spans());
    const AgentItem& twin = item_of(batch, 2);
    CHECK(text_on(twin, FieldId::counted) == "false");
    CHECK(text_on(twin, FieldId::cost_usd) == "11");
}

TEST_CASE("a sum that does not count gets no cost of its own") {
    InterpretContext context({}, {}, builtin_conventions(), prices);
    SpanBuilder builder;
    builder.span(
        "agent",
        1,
        0,
        {{"gen_ai.operation.name", text("invoke_agent")},
         {"gen_ai.response.model", text("big")},
         {"gen_ai.usage.input_tokens", number(1'000'000)}}
    );
    const EventBatch& batch = context.interpret(builder.spans());
    const AgentItem& sum = item_of(batch, 1);
    CHECK(text_on(sum, FieldId::usage_role) == "aggregate");
    CHECK(text_on(sum, FieldId::tokens_prompt) == "1000000");
    CHECK(text_on(sum, FieldId::cost_usd).empty());
}
