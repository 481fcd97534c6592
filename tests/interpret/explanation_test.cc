// What `spangate explain` stands on: the walk notes why, and noting changes nothing.
#include "interpret/explanation.h"

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "support/capture.h"
#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

const std::filesystem::path captures =
    std::filesystem::path(SPANGATE_SOURCE_DIR) / "tests/captures";

template <typename See>
void walk_captures(InterpretContext& context, See see) {
    for (const auto& folder : std::filesystem::directory_iterator(captures)) {
        if (!folder.is_directory()) continue;
        Decoder decoder{ReceiverLimits{}};
        Arena arena;
        for (DecodedRequest& request :
             decode_capture(folder.path(), decoder, arena, received_at_for_test, true)) {
            std::vector<DecodedRequest> one;
            one.push_back(std::move(request));
            see(context.interpret(std::move(one)));
        }
    }
}

const Explanation& of_span(const ExplanationRecorder& recorder, const SpanView* span) {
    for (const Explanation& explanation : recorder.explanations()) {
        if (explanation.span == span) return explanation;
    }
    throw std::runtime_error("no explanation of a span");
}

// The field's key as the table names it; empty when the gateway made it.
std::string key_of(const InterpretContext& context, const Explanation& why, FieldId field) {
    const FieldOrigin* origin = why.origin_of(field);
    if (origin == nullptr || origin->entry == nullptr) return {};
    return text_of(context.conventions().table(), *origin->entry);
}

std::string fates_of(const Explanation& why) {
    std::string text;
    for (const SessionKeySeen& seen : why.session_keys) {
        text += fmt::format(
            "{} {}; ", seen.key, session_key_fate_names[static_cast<std::size_t>(seen.fate)]
        );
    }
    return text;
}

struct Explained {
    Explained() { context.explain_to(&recorder); }

    EventBatch& interpret(SpanBuilder& builder) { return context.interpret(builder.spans()); }

    [[nodiscard]] const Explanation& at(std::size_t index) const {
        return recorder.explanations().at(index);
    }

    ExplanationRecorder recorder;
    InterpretContext context;
};

}  // namespace

TEST_CASE("every item of every capture is explained, and noting changes nothing") {
    Explained explained;
    InterpretContext plain;
    std::vector<std::string> told;
    walk_captures(plain, [&](const EventBatch& batch) {
        for (const AgentItem& item : batch.items)
            told.push_back(types_of(item) + std::string(item.session.session_id));
    });
    std::size_t at = 0;
    walk_captures(explained.context, [&](const EventBatch& batch) {
        std::size_t spans = 0;
        for (const DecodedRequest& request : batch.source.spans.requests)
            spans += request.spans.size();
        CHECK(explained.recorder.explanations().size() == spans);
        for (const AgentItem& item : batch.items) {
            REQUIRE(at < told.size());
            CHECK(told[at++] == types_of(item) + std::string(item.session.session_id));
            if (item.source == EventSource::gateway) continue;
            const Explanation& why = of_span(explained.recorder, item.span);
            CHECK(why.fate == Fate::kept);
            CHECK(why.convention != no_index);
            REQUIRE(why.events.size() == item.events.size());
            for (std::size_t i = 0; i < item.events.size(); ++i) {
                const bool is_relabelled = why.events[i].type != item.events[i].type;
                CHECK((!is_relabelled || !why.events[i].relabelled_because.empty()));
                const bool has_rule = why.events[i].made != EventOrigin::Made::no_rule;
                CHECK((why.events[i].line > 0) == has_rule);
            }
        }
    });
    CHECK(at == told.size());
}

TEST_CASE("what names a key agrees with what becomes of it, on every capture") {
    InterpretContext context;
    ExplanationRecorder recorder;
    context.explain_to(&recorder);
    const ConventionTable& table = context.conventions().table();
    walk_captures(context, [&](const EventBatch& batch) {
        for (const AgentItem& item : batch.items) {
            if (item.source == EventSource::gateway) continue;
            const Explanation& why = of_span(recorder, item.span);
            for (const Attribute& attribute : item.span->attributes) {
                const Naming naming = naming_of(table, attribute.key, why.holding);
                INFO(attribute.key << ": " << naming.list << " " << naming.pattern);
                const std::string& list = naming.list;
                switch (attribute.treatment) {
                    case Treatment::content:
                        CHECK((list.empty() || list.ends_with(" content")));
                        break;
                    case Treatment::mapped:
                        CHECK(list.ends_with(" fields"));
                        break;
                    case Treatment::plain:
                        CHECK((list == "plain_keys" || list.ends_with(" exceptions")));
                        break;
                    case Treatment::identity:
                        CHECK(list.ends_with(" user_id"));
                        break;
                }
            }
        }
    });
}

TEST_CASE("a field names its key, its list, its line and what was sent") {
    Explained explained;
    SpanBuilder builder;
    builder.span(
        "chat",
        1,
        0,
        {{"gen_ai.operation.name", Value::of("chat")},
         {"gen_ai.provider.name", Value::of("OpenAI")},
         {"gen_ai.request.model", Value::of("gpt-4o")},
         {"gen_ai.usage.input_tokens", Value::of(std::int64_t{1000})},
         {"gen_ai.usage.output_tokens", Value::of(std::int64_t{10})},
         {"gen_ai.response.finish_reasons", Value::of("[\"end_turn\"]")}}
    );
    explained.interpret(builder);
    const Explanation& why = explained.at(0);
    CHECK(key_of(explained.context, why, FieldId::operation) == "gen_ai.operation.name");
    CHECK(key_of(explained.context, why, FieldId::model_requested) == "gen_ai.request.model");
    CHECK(key_of(explained.context, why, FieldId::outcome).empty());
    const FieldOrigin* provider = why.origin_of(FieldId::provider);
    REQUIRE(provider != nullptr);
    CHECK(provider->raw.text() == "OpenAI");
    CHECK(provider->entry->line > 0);
    REQUIRE(why.price != nullptr);
    CHECK(why.price->models.front().find("gpt-4o") != std::string::npos);
    REQUIRE(why.rule != nullptr);
    CHECK(why.events.at(0).line == why.rule->line);
}

TEST_CASE("session keys are told with what became of them") {
    Explained explained;
    SpanBuilder builder;
    builder.span(
        "chat",
        1,
        0,
        {{"gen_ai.operation.name", Value::of("chat")},
         {"gen_ai.conversation.id", Value::of("s-1")},
         {"session.id", Value::of("s-2")},
         {"langfuse.session.id", Value::of("s-1")}}
    );
    builder.span("chat", 2, 1, {{"gen_ai.operation.name", Value::of("chat")}});
    explained.interpret(builder);
    CHECK(
        fates_of(explained.at(0)) ==
        "gen_ai.conversation.id taken; session.id weaker; langfuse.session.id same; "
    );
    CHECK(explained.at(1).bound_by == BoundBy::ancestor);
    REQUIRE(explained.at(1).bound_from != nullptr);
    CHECK(explained.at(1).bound_from->span_id == span_of(1));
}

TEST_CASE("what is dropped says by which rule, and a twin says why another counts") {
    Explained explained;
    SpanBuilder builder;
    builder.span("GET /health", 1, 0, {{"http.request.method", Value::of("GET")}});
    for (const std::uint8_t id : {std::uint8_t{2}, std::uint8_t{3}}) {
        builder.span(
            "chat",
            id,
            1,
            {{"gen_ai.operation.name", Value::of("chat")},
             {"gen_ai.response.id", Value::of("resp-1")},
             {"gen_ai.usage.input_tokens", Value::of(std::int64_t{5})}}
        );
    }
    explained.interpret(builder);
    CHECK(explained.at(0).fate == Fate::dropped_other);
    CHECK(explained.at(1).twin_because.empty());
    CHECK(explained.at(2).twin_because == "the same response_id was told before in this trace");
}

TEST_CASE("an added event names the overlay or the span event it came of") {
    Explained explained;
    SpanBuilder builder;
    builder
        .span(
            "execute_tool search",
            1,
            0,
            {{"gen_ai.operation.name", Value::of("execute_tool")},
             {"gen_ai.tool.name", Value::of("search")}}
        )
        .error("boom");
    const EventBatch& batch = explained.interpret(builder);
    const Explanation& why = explained.at(0);
    REQUIRE(why.events.size() == batch.items.at(0).events.size());
    CHECK(why.events.at(0).made == EventOrigin::Made::rule);
    for (const EventOrigin& origin : why.events) {
        const bool is_added = origin.made != EventOrigin::Made::rule;
        CHECK((!is_added || !origin.name.empty() || origin.span_event != no_index));
    }
}

TEST_CASE("an interpreter that nobody asks any more notes nothing") {
    Explained explained;
    SpanBuilder builder;
    builder.span("chat", 1, 0, {{"gen_ai.operation.name", Value::of("chat")}});
    explained.context.explain_to(nullptr);
    explained.interpret(builder);
    CHECK(explained.recorder.explanations().empty());
}
