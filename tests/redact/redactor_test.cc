#include "redact/redactor.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "digest/canonical_json.h"
#include "redactor_context.h"

namespace spangate {
namespace {

std::string digest(
    const RedactorContext& context, std::string_view role, std::string_view canonical
) {
    std::string text(HashKey::digest_size, '\0');
    context.key.write_digest("acme", role, canonical, text.data());
    return text;
}

std::uint32_t count_of(const ReleasedItem& item, std::string_view rule) {
    for (const RedactionCount& count : item.redactions) {
        if (count.rule == rule) return count.count;
    }
    return 0;
}

TEST_CASE("what has nothing to hide stays as it is, in place") {
    RedactorContext context;
    std::vector<Attribute> attributes = {
        attribute("gen_ai.request.model", "gpt-4.1", Treatment::mapped),
        attribute("gen_ai.usage.input_tokens", Value::of(std::int64_t{12}), Treatment::mapped)};
    context.span.attributes = attributes;
    context.span.status_code = StatusCode::ok;
    context.fields.put(FieldValue::of_text(FieldId::model, "gpt-4.1"));
    const ReleasedBatch batch = context.redact({context.item()});
    const ReleasedItem& item = batch.items.at(0);
    CHECK(item.detail->attributes.data() == attributes.data());
    CHECK(item.detail->name == "chat gpt-4.1");
    CHECK(item.detail->status_code == StatusCode::ok);
    CHECK(item.redactions.empty());
    CHECK(item.truncated.empty());
    CHECK(item.evidence.parts_json.empty());
    CHECK(field_text(item, FieldId::model) == "gpt-4.1");
    CHECK(field_integer(item, FieldId::redactions) == 0);
    CHECK(field_integer(item, FieldId::content_length) == -1);
    const FieldValue* const classes = item.events[0].fields->find(FieldId::classes);
    REQUIRE(classes != nullptr);
    CHECK(classes->texts().size() == 2);
    CHECK(batch.ruleset == context.rules->version());
}

TEST_CASE("long content becomes head, length and digest, and its path is told") {
    RedactorContext context;
    const std::string text = "jane.doe@example.com " + std::string(3000, 'x');
    std::vector<Attribute> attributes = {
        attribute("input.value", text, Treatment::content, ContentRole::prompt)};
    context.span.attributes = attributes;
    const ReleasedBatch batch = context.redact({context.item()});
    const ReleasedItem& item = batch.items.at(0);
    const std::string cut = text_of(item, "input.value");
    CHECK(cut.starts_with("[email] xxx"));
    const std::string tail =
        "…[truncated, 3021 bytes, digest " + digest(context, "prompt", text) + "]";
    CHECK(cut.ends_with(tail));
    CHECK(cut.size() == context.config.content_bytes_max + tail.size());
    REQUIRE(item.truncated.size() == 1);
    CHECK(item.truncated[0] == "input.value");
    CHECK(field_integer(item, FieldId::content_length) == 3024);
    CHECK(count_of(item, "email") == 1);
}

TEST_CASE("structured content keeps its structure, and beyond the limit becomes a cut string") {
    RedactorContext context;
    std::vector<Attribute> inner = {
        attribute("mail", "jane@example.com"), attribute("n", Value::of(std::int64_t{3}))};
    const std::string large(3000, 'y');
    std::vector<Attribute> large_inner = {
        attribute("mail", "jane@example.com"), attribute("t", large)};
    std::vector<Attribute> attributes = {
        attribute("small", Value::of(std::span<Attribute>(inner))),
        attribute("large", Value::of(std::span<Attribute>(large_inner)))};
    context.span.attributes = attributes;
    const ReleasedBatch batch = context.redact({context.item()});
    const ReleasedItem& item = batch.items.at(0);
    const Value* const small = find_value(item.detail->attributes, "small");
    REQUIRE(small->kind == ValueKind::kvlist);
    CHECK(small->kvlist()[0].value.text() == "[email]");
    CHECK(small->kvlist()[1].value.integer == 3);
    CHECK(text_of(item, "large").starts_with("{\"mail\":\"[email]\",\"t\":\"yyy"));
    CHECK(inner[0].value.text() == "jane@example.com");  // the client's span is untouched
}

TEST_CASE("numbers that are cards become text") {
    RedactorContext context;
    std::vector<Attribute> attributes = {
        attribute("a", Value::of(std::int64_t{4111111111111111})),
        attribute("b", Value::of(4111111111111111.0)),
        attribute("c", Value::of(std::int64_t{4111111111111112})),
        attribute("d", Value::of(0.5))};
    context.span.attributes = attributes;
    const ReleasedBatch batch = context.redact({context.item()});
    const ReleasedItem& item = batch.items.at(0);
    CHECK(text_of(item, "a") == "[card]");
    CHECK(text_of(item, "b") == "[card]");
    CHECK(find_value(item.detail->attributes, "c")->integer == 4111111111111112);
    CHECK(find_value(item.detail->attributes, "d")->real == 0.5);
}

TEST_CASE("keys decide over their values") {
    RedactConfig config;
    config.keys_drop = {"authorization"};
    config.keys_hash = {"customer.id"};
    config.keys_allow = {"team"};
    RedactorContext context(config);
    std::vector<Attribute> nested = {attribute("authorization", "abc"), attribute("x", "y")};
    std::vector<Attribute> attributes = {
        attribute("http.request.header.authorization", "abc"),
        attribute("customer.id", "c-17"),
        attribute("team", "support"),
        attribute("user.id", "jane", Treatment::identity),
        attribute("nested", Value::of(std::span<Attribute>(nested)))};
    context.span.attributes = attributes;
    AgentItem raw = context.item();
    raw.user_id = "jane";
    const ReleasedBatch batch = context.redact({raw});
    const ReleasedItem& item = batch.items.at(0);
    CHECK(text_of(item, "http.request.header.authorization") == "[dropped]");
    CHECK(text_of(item, "customer.id").starts_with("h:"));
    CHECK(text_of(item, "team") == "support");
    CHECK(find_value(item.detail->attributes, "nested")->kvlist()[0].value.text() == "[dropped]");
    std::string user(HashKey::user_ref_size, '\0');
    context.key.write_user_ref("acme", "jane", user.data());
    CHECK(text_of(item, "user.id") == user);
    CHECK(field_text(item, FieldId::user_ref) == user);
    CHECK(count_of(item, "key_drop") == 2);
    CHECK(count_of(item, "key_hash") == 1);
    CHECK(count_of(item, "identity") == 1);
    const std::string_view parts = item.evidence.parts_json;
    CHECK(parts.find("abc") != std::string_view::npos);
    CHECK(parts.find("c-17") != std::string_view::npos);
    CHECK(parts.find("jane") == std::string_view::npos);
    CHECK(parts.find("support") == std::string_view::npos);
}

TEST_CASE("texts of another form become one token each, the same for the same text") {
    RedactorContext context;
    context.fields.put(
        FieldValue::of_text(FieldId::agent_name, "an agent with far too many words in it")
    );
    context.fields.put(FieldValue::of_text(FieldId::step, "Research Agent"));
    context.fields.put(FieldValue::of_text(FieldId::tool_call_id, "call 1"));
    context.fields.put(FieldValue::of_text(FieldId::tool_name, "käse"));
    context.fields.put(FieldValue::of_text(FieldId::agent_version, "1.2.3.4"));
    context.fields.put(FieldValue::of_text(FieldId::outcome, "ok"));
    context.fields.put(FieldValue::of_integer(FieldId::tokens_prompt, 4111111111111111));
    AgentItem raw = context.item({EventType::tool_request, EventType::tool_response});
    raw.session.session_id = "jane.doe@example.com";
    raw.session_is_from_client = true;
    const ReleasedBatch batch = context.redact({raw});
    const ReleasedItem& item = batch.items.at(0);
    std::string token(HashKey::token_size, '\0');
    context.key.write_token("an agent with far too many words in it", token.data());
    CHECK(field_text(item, FieldId::agent_name) == token);
    CHECK(field_text(item, FieldId::step) == "Research Agent");
    CHECK(field_text(item, FieldId::tool_call_id).starts_with("h:"));
    CHECK(field_text(item, FieldId::tool_name).starts_with("h:"));
    CHECK(field_text(item, FieldId::agent_version) == "1.2.3.4");
    CHECK(field_text(item, FieldId::outcome) == "ok");
    CHECK_FALSE(item.events[0].fields->has(FieldId::tokens_prompt));
    context.key.write_token("jane.doe@example.com", token.data());
    CHECK(item.session.session_id == token);
    CHECK(item.session.tenant_id == "acme");
    CHECK(item.events[0].fields == item.events[1].fields);
    CHECK(count_of(item, "form") == 5);
}

TEST_CASE("a session id that the gateway made is published as it is") {
    RedactorContext context;
    AgentItem raw = context.item();
    raw.session.session_id = "trace:4bf92f3577b34da6a3ce929d0e0e4736";
    CHECK(
        context.redact({raw}).items.at(0).session.session_id ==
        "trace:4bf92f3577b34da6a3ce929d0e0e4736"
    );
}

TEST_CASE("a tool call has digests of its arguments, their shape and its result") {
    RedactorContext context;
    std::vector<Attribute> attributes = {
        attribute("args", R"({"b":1, "a":"x"})", Treatment::content, ContentRole::tool_args),
        attribute("result", "plain text", Treatment::content, ContentRole::tool_result)};
    context.span.attributes = attributes;
    const ReleasedBatch batch = context.redact(
        {context.item({EventType::tool_request, EventType::tool_response}),
         context.item({EventType::inference})}
    );
    const ReleasedItem& item = batch.items.at(0);
    CHECK(
        field_text(item, FieldId::args_digest) == digest(context, "tool_args", R"({"a":"x","b":1})")
    );
    CHECK(
        field_text(item, FieldId::args_shape_digest) ==
        digest(context, "tool_args", R"({"a":"x","b":<number>})")
    );
    CHECK(field_text(item, FieldId::result_digest) == digest(context, "tool_result", "plain text"));
    CHECK(field_text(batch.items.at(1), FieldId::args_digest) == "(absent)");
}

TEST_CASE("resource and scope are redacted once and counted on each item that shows them") {
    RedactorContext context;
    std::vector<Attribute> attributes = {attribute("owner", "jane@example.com", Treatment::plain)};
    context.resource.attributes = attributes;
    AgentItem second = context.item();
    AgentItem other_session = context.item();
    other_session.session.session_id = "session-2";
    const ReleasedBatch batch = context.redact({context.item(), second, other_session});
    for (const ReleasedItem& item : batch.items) {
        CHECK(item.detail->resource == batch.items[0].detail->resource);
        CHECK(count_of(item, "email") == 1);
    }
    CHECK(batch.items[0].evidence.parts_json.find("resource.owner") != std::string_view::npos);
    CHECK(batch.items[1].evidence.parts_json.empty());
    CHECK_FALSE(batch.items[2].evidence.parts_json.empty());
    CHECK(
        context.metrics.exposition().find("spangate_redactions_total{rule=\"email\"} 1") !=
        std::string::npos
    );
}

TEST_CASE("added attributes are redacted as plain") {
    RedactorContext context;
    std::vector<Attribute> added = {
        attribute("team", "support"), attribute("mail", "team@example.com")};
    RequestFacts facts;
    facts.attributes = added;
    const ReleasedBatch batch = context.redact({context.item()}, {&facts});
    REQUIRE(batch.items[0].added_attributes.size() == 2);
    CHECK(batch.items[0].added_attributes[0].value.text() == "support");
    CHECK(batch.items[0].added_attributes[1].value.text() == "[email]");
}

TEST_CASE("an item that the gateway made is operational only, whatever is added to others") {
    RedactorContext context;
    AgentItem raw = context.item({EventType::session_alias});
    SpanView ids_only;
    raw.span = &ids_only;
    raw.source = EventSource::gateway;
    std::vector<Attribute> added = {attribute("mail", "team@example.com")};
    RequestFacts facts;
    facts.attributes = facts.resource_attributes = added;
    const ReleasedBatch batch = context.redact({raw}, {&facts});
    const ReleasedItem& item = batch.items[0];
    CHECK(item.detail == nullptr);
    CHECK(item.evidence.parts_json.empty());
    CHECK(item.added_attributes.empty());
    CHECK(item.added_resource.empty());
    CHECK(item.redactions.empty());
    CHECK(item.events[0].fields->find(FieldId::classes)->texts().size() == 1);
}

TEST_CASE("an alias names a session as that session's own records do") {
    RedactConfig config;
    config.patterns = {{"hex", "[0-9a-f]{8}", "mask"}};  // hits in what the gateway makes, too
    RedactorContext context(config);
    const auto alias_of = [&](std::string_view session_id, EventSource source) {
        context.fields.put(FieldValue::of_text(FieldId::alias_session_id, session_id));
        AgentItem raw = context.item({EventType::session_alias});
        raw.source = source;
        return field_text(context.redact({raw}).items[0], FieldId::alias_session_id);
    };
    const auto published = [&](std::string_view session_id, bool is_from_client) {
        AgentItem raw = context.item();
        raw.session.session_id = session_id;
        raw.session_is_from_client = is_from_client;
        return std::string(context.redact({raw}).items[0].session.session_id);
    };
    for (const std::string_view id :
         {"session-1", "jane.doe@example.com", "4111111111111111", "0123456789abcdef"}) {
        INFO(id);
        CHECK(alias_of(id, EventSource::gateway) == published(id, true));
        CHECK(published(id, true).starts_with("h:") == (id != "session-1"));
    }
    for (const std::string_view id :
         {"trace:4bf92f3577b34da6a3ce929d0e0e4736",
          "h:4bf92f3577b34da6a3ce929d0e0e4736",
          "log:4bf92f3577b34da6a3ce929d0e0e4736"}) {
        INFO(id);
        CHECK(alias_of(id, EventSource::gateway) == id);
        CHECK(published(id, false) == id);
    }
    CHECK(alias_of("trace:jane.doe@example.com", EventSource::gateway).starts_with("h:"));
}

TEST_CASE("two walks over the same batch release the same, salt and commitment aside") {
    RedactorContext context;
    std::vector<Attribute> attributes = {attribute("a", "jane@example.com 4111111111111111")};
    context.span.attributes = attributes;
    const ReleasedBatch first = context.redact({context.item()});
    const ReleasedBatch second = context.redact({context.item()});
    CHECK(detail_text(first.items[0]) == detail_text(second.items[0]));
    CHECK(first.items[0].evidence.parts_json == second.items[0].evidence.parts_json);
    CHECK(first.items[0].evidence.salt != second.items[0].evidence.salt);
}

TEST_CASE("names of spans and events stand only in the forms that say nothing else") {
    RedactorContext context;
    context.span.name = "Please refund Jane Doe";
    std::vector<SpanEventView> events(2);
    events[0].name = "gen_ai.choice";
    events[1].name = "Jane said: it is broken, and I want my money back at once!";
    context.span.events = events;
    const ReleasedBatch batch = context.redact({context.item()});
    const ReleasedItem& item = batch.items[0];
    CHECK(item.detail->name == "Please refund Jane Doe");
    CHECK(item.evidence.parts_json.find("span_name") != std::string_view::npos);
    CHECK(item.evidence.parts_json.find("event[1].name") != std::string_view::npos);
    CHECK(item.evidence.parts_json.find("event[0].name") == std::string_view::npos);
}

}  // namespace
}  // namespace spangate
