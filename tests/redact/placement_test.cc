// Every place in which a string can stand × secrets: none is seen in detail or in the operational
// fields, all are in evidence.
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <simdjson.h>

#include "redact/json_tokens.h"
#include "redactor_context.h"

namespace spangate {
namespace {

using Put = std::function<void(RedactorContext&, std::string_view)>;

struct Placement {
    std::string_view name;
    Put put;
    bool is_evidence = true;
};

std::span<Attribute> one(RedactorContext& context, const Attribute& attribute) {
    const std::span<Attribute> list = context.arena.make_array<Attribute>(1);
    list[0] = attribute;
    return list;
}

Value in_array(RedactorContext& context, const Value& value) {
    const std::span<Value> items = context.arena.make_array<Value>(2);
    items[0] = Value::of(true);
    items[1] = value;
    return Value::of(std::span<const Value>(items));
}

std::string in_json(std::string_view text) {
    std::string json = "{\"x\":[1,{\"note\":\"";
    append_json_escaped(text, json);
    return json + "\"}]}";
}

void put_attribute(RedactorContext& context, Value value, Treatment treatment) {
    context.span.attributes = one(context, attribute("some.key", value, treatment));
}

std::vector<Placement> placements() {
    return {
        {"span attribute, content",
         [](auto& c, auto t) {
             put_attribute(c, Value::of(t), Treatment::content);
         }},
        {"span attribute, plain",
         [](auto& c, auto t) {
             put_attribute(c, Value::of(t), Treatment::plain);
         }},
        {"span attribute, mapped",
         [](auto& c, auto t) {
             put_attribute(c, Value::of(t), Treatment::mapped);
         }},
        {"span attribute, identity",
         [](auto& c, auto t) { put_attribute(c, Value::of(t), Treatment::identity); },
         false},
        {"array",
         [](auto& c, auto t) {
             put_attribute(c, in_array(c, in_array(c, Value::of(t))), Treatment::plain);
         }},
        {"kvlist value",
         [](auto& c, auto t) {
             put_attribute(
                 c, in_array(c, Value::of(one(c, attribute("k", t)))), Treatment::content
             );
         }},
        {"kvlist key",
         [](auto& c, auto t) {
             put_attribute(c, Value::of(one(c, attribute(t, "v"))), Treatment::content);
         }},
        {"bytes",
         [](auto& c, auto t) {
             Value bytes = Value::of(t);
             bytes.kind = ValueKind::bytes;
             put_attribute(c, bytes, Treatment::plain);
         },
         false},
        {"attribute key",
         [](auto& c, auto t) {
             c.span.attributes = one(c, attribute(t, "v"));
         }},
        {"JSON in a string",
         [](auto& c, auto t) {
             put_attribute(c, Value::of(c.arena.copy(in_json(t))), Treatment::content);
         }},
        {"JSON in JSON",
         [](auto& c, auto t) {
             put_attribute(c, Value::of(c.arena.copy(in_json(in_json(t)))), Treatment::content);
         }},
        {"JSON in JSON in JSON",
         [](auto& c, auto t) {
             put_attribute(
                 c, Value::of(c.arena.copy(in_json(in_json(in_json(t))))), Treatment::content
             );
         }},
        {"text around JSON",
         [](auto& c, auto t) {
             put_attribute(
                 c, Value::of(c.arena.copy("Result:\n" + in_json(t))), Treatment::content
             );
         }},
        {"before the cut",
         [](auto& c, auto t) {
             const std::string text = std::string(t) + " " + std::string(5000, 'x');
             put_attribute(c, Value::of(c.arena.copy(text)), Treatment::content);
         }},
        {"across the cut",
         [](auto& c, auto t) {
             const std::string text = std::string(2040, 'x') + " " + std::string(t) + " y";
             put_attribute(c, Value::of(c.arena.copy(text)), Treatment::content);
         }},
        {"span name",
         [](auto& c, auto t) {
             c.span.name = t;
         }},
        {"status message",
         [](auto& c, auto t) {
             c.span.status_message = t;
         }},
        {"trace state", [](auto& c, auto t) { c.span.trace_state = t; }, false},
        {"scope name",
         [](auto& c, auto t) {
             c.scope.name = t;
         }},
        {"scope version",
         [](auto& c, auto t) {
             c.scope.version = t;
         }},
        {"scope attribute",
         [](auto& c, auto t) {
             c.scope.attributes = one(c, attribute("k", t));
         }},
        {"resource attribute",
         [](auto& c, auto t) {
             c.resource.attributes = one(c, attribute("k", t, Treatment::plain));
         }},
        {"event name",
         [](auto& c, auto t) {
             c.span.events = c.arena.template make_array<SpanEventView>(1);
             c.span.events[0].name = t;
         }},
        {"event attribute",
         [](auto& c, auto t) {
             c.span.events = c.arena.template make_array<SpanEventView>(1);
             c.span.events[0].name = "exception";
             c.span.events[0].attributes = one(c, attribute("exception.message", t));
         }},
        {"link attribute",
         [](auto& c, auto t) {
             c.span.links = c.arena.template make_array<SpanLinkView>(1);
             c.span.links[0].attributes = one(c, attribute("k", t, Treatment::plain));
         }},
        {"link trace state",
         [](auto& c, auto t) {
             c.span.links = c.arena.template make_array<SpanLinkView>(1);
             c.span.links[0].trace_state = t;
         },
         false},
        {"log attribute",
         [](auto& c, auto t) {
             c.become_log();
             put_attribute(c, Value::of(t), Treatment::content);
         }},
        {"body",
         [](auto& c, auto t) {
             c.become_log();
             c.log.body.value = Value::of(t);
         }},
        {"body, JSON",
         [](auto& c, auto t) {
             c.become_log();
             c.log.body.value = Value::of(c.arena.copy(in_json(t)));
         }},
        {"body, listed",
         [](auto& c, auto t) {
             c.become_log();
             c.log.body.value = in_array(c, Value::of(t));
         }},
        {"body, kvlist value",
         [](auto& c, auto t) {
             c.become_log();
             c.log.body.value =
                 Value::of(one(c, attribute("k", in_array(c, Value::of(one(c, attribute("j", t))))))
                 );
         }},
        {"body, kvlist key",
         [](auto& c, auto t) {
             c.become_log();
             c.log.body.value = Value::of(one(c, attribute(t, "v")));
         }},
        {"body, across the cut of an entry",
         [](auto& c, auto t) {
             c.become_log();
             const std::string text = std::string(2040, 'x') + " " + std::string(t) + " y";
             c.log.body.value = Value::of(one(c, attribute("k", Value::of(c.arena.copy(text)))));
         }},
        {"body, bytes",
         [](auto& c, auto t) {
             c.become_log();
             c.log.body.value = Value::of(t);
             c.log.body.value.kind = ValueKind::bytes;
         },
         false},
        {"severity text",
         [](auto& c, auto t) {
             c.become_log();
             c.log.severity_text = t;
         }},
        {"log event name",
         [](auto& c, auto t) {
             c.become_log();
             c.log.event_name = t;
         }},
        {"name field",
         [](auto& c, auto t) { c.fields.put(FieldValue::of_text(FieldId::agent_name, t)); },
         false},
        {"header field",
         [](auto& c, auto t) { c.fields.put(FieldValue::of_text(FieldId::service_name, t)); },
         false},
        {"list field",
         [](auto& c, auto t) {
             const std::span<std::string_view> list =
                 c.arena.template make_array<std::string_view>(2);
             list[0] = "a";
             list[1] = t;
             c.fields.put(FieldValue::of_texts(FieldId::decision_options, list));
         },
         false},
    };
}

const std::vector<std::string_view> secrets = {
    "jane.doe@example.com",
    "+1-415-555-0132",
    "4111111111111111",
    "4111-1111-1111-1111",
    "DE89370400440532013000",
    "078-05-1120",
    "AKIAIOSFODNN7EXAMPLE",
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJlLWZha2U",
    "https://jane:pa55word@example.com/",
};

// What must not be seen of a secret: its telling part.
std::string_view telling_part(std::string_view secret) {
    if (secret.starts_with("Bearer ")) return secret.substr(7);
    if (secret.starts_with("https://")) return "pa55word";
    return secret;
}

TEST_CASE("no secret is seen outside evidence, wherever it stands, and all are in evidence") {
    for (const Placement& placement : placements()) {
        for (const std::string_view secret : secrets) {
            INFO(placement.name << " × " << secret);
            RedactorContext context;
            placement.put(context, secret);
            const ReleasedBatch batch = context.redact({context.item()});
            REQUIRE(batch.items.size() == 1);
            const ReleasedItem& item = batch.items[0];
            const std::string_view telling = telling_part(secret);
            CHECK(detail_text(item).find(telling) == std::string::npos);
            CHECK(fields_text(item).find(telling) == std::string::npos);
            CHECK(
                (item.redactions.empty() ==
                 (placement.name.find("race state") != std::string_view::npos))
            );
            const std::string_view parts = item.evidence.parts_json;
            if (placement.is_evidence) {
                CHECK(parts.find(telling) != std::string_view::npos);
                simdjson::dom::parser parser;
                CHECK(parser.parse(parts.data(), parts.size()).error() == simdjson::SUCCESS);
            } else if (placement.name.find("identity") != std::string_view::npos) {
                CHECK(parts.find(telling) == std::string_view::npos);
            }
        }
    }
}

TEST_CASE("without content in detail no content stands there, secret or not") {
    for (const Placement& placement : placements()) {
        if (!placement.is_evidence) continue;
        const bool is_plain = placement.name.find("plain") != std::string_view::npos ||
                              placement.name.find("mapped") != std::string_view::npos ||
                              placement.name.find("array") != std::string_view::npos ||
                              placement.name.find("scope name") != std::string_view::npos ||
                              placement.name.find("scope version") != std::string_view::npos ||
                              placement.name.find("resource") != std::string_view::npos ||
                              placement.name.find("attribute key") != std::string_view::npos;
        if (is_plain) continue;
        INFO(placement.name);
        RedactConfig config;
        config.content_in_detail = "none";
        RedactorContext context(config);
        constexpr std::string_view canary = "a sentence that holds no secret; but it is content";
        placement.put(context, canary);
        const ReleasedBatch batch = context.redact({context.item()});
        CHECK(detail_text(batch.items[0]).find("sentence") == std::string::npos);
        CHECK(batch.items[0].evidence.parts_json.find("sentence") != std::string_view::npos);
    }
}

TEST_CASE("ids keep the forms that detectors without a checksum would take") {
    RedactorContext context;
    context.fields.put(FieldValue::of_text(FieldId::tool_call_id, "415-555-0132"));
    context.fields.put(FieldValue::of_text(FieldId::agent_id, "jane.doe@example.com"));
    context.fields.put(FieldValue::of_text(FieldId::run_id, "4111111111111111"));
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(field_text(batch.items[0], FieldId::tool_call_id) == "415-555-0132");
    CHECK(field_text(batch.items[0], FieldId::agent_id).starts_with("h:"));
    CHECK(field_text(batch.items[0], FieldId::run_id).starts_with("h:"));
}

}  // namespace
}  // namespace spangate
