// Whatever a client sends, in whatever place: an operational record has the contract's fields and
// nothing that a detector or a form refuses; a detail record nothing that a detector hits.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>
#include <simdjson.h>

#include "redact/json_tokens.h"
#include "released_context.h"

namespace spangate {
namespace {

struct Canary {
    std::string_view text;
    std::string_view telling;  // what must not be seen
};

// What detectors hit, and a sentence that only its form betrays.
constexpr std::array<Canary, 6> secrets = {{
    {"jane.doe@example.com", "jane.doe@"},
    {"4111 1111 1111 1111", "4111 1111 1111"},
    {"DE89370400440532013000", "DE8937040044"},
    {"AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7"},
    {"https://jane:pa55word@example.com/", "pa55word"},
    {"password=Tr0ub4dor&3x", "Tr0ub4dor"},
}};
constexpr Canary sentence = {
    "the zebra said that it was not amused by the quagga", "zebra said that it was"};

class Client {
  public:
    explicit Client(RedactorContext& context) : arena_(context.arena) {}

    [[nodiscard]] std::string_view text() {
        const std::size_t kind = one_of(8);
        if (kind == 0) return arena_.copy(*rc::gen::arbitrary<std::string>());
        if (kind == 1) return "plain.word";
        if (kind == 2) return sentence.text;
        const std::string_view secret = secrets[one_of(secrets.size())].text;
        if (kind < 5) return secret;
        if (kind == 5) return arena_.copy("He wrote: " + std::string(secret) + " twice");
        std::string json = R"({"a":[1,{"note":")";
        append_json_escaped(secret, json);
        json += kind == 6 ? "\"}]}" : "\"";  // also JSON that was cut off
        return arena_.copy(json);
    }

    [[nodiscard]] Value value(std::uint32_t depth_left) {
        switch (static_cast<ValueKind>(one_of(depth_left > 0 ? 8 : 6))) {
            case ValueKind::empty:
                return {};
            case ValueKind::boolean:
                return Value::of(true);
            case ValueKind::integer:
                return Value::of(one_of(2) == 0 ? std::int64_t{4111111111111111} : -7);
            case ValueKind::real:
                return Value::of(one_of(2) == 0 ? 4111111111111111.0 : 0.5);
            case ValueKind::string:
                return Value::of(text());
            case ValueKind::bytes: {
                Value bytes = Value::of(text());
                bytes.kind = ValueKind::bytes;
                return bytes;
            }
            case ValueKind::array: {
                const std::span<Value> items = arena_.make_array<Value>(one_of(4));
                for (Value& item : items)
                    item = value(depth_left - 1);
                return Value::of(std::span<const Value>(items));
            }
            case ValueKind::kvlist:
                return Value::of(attributes(depth_left - 1));
        }
        return {};
    }

    [[nodiscard]] std::span<Attribute> attributes(std::uint32_t depth_left = 3) {
        const std::span<Attribute> made = arena_.make_array<Attribute>(one_of(4));
        for (Attribute& one : made) {
            one.key = one_of(3) == 0 ? text() : "some.key";
            one.value = value(depth_left);
            one.treatment = static_cast<Treatment>(one_of(4));
            // Only what is not in the table can have a key of the client's own making.
            one.key_id = one.key == "some.key" ? 1 : 0;
            one.role = static_cast<ContentRole>(one_of(content_role_names.size()));
        }
        return made;
    }

    void fill(FieldSetBuilder& fields) {
        fields.clear();
        for (const FieldInfo& field : field_table) {
            const bool is_read = field.form == FieldForm::id || field.form == FieldForm::name;
            if (field.type != FieldType::text || !is_read || one_of(3) > 0) continue;
            fields.put(FieldValue::of_text(field.id, text()));
        }
        fields.put(FieldValue::of_integer(FieldId::tokens_prompt, 4111111111111111));
    }

    [[nodiscard]] std::size_t one_of(std::size_t count) {
        return *rc::gen::inRange<std::size_t>(0, count);
    }

  private:
    Arena& arena_;
};

void make_log_record(Client& client, RedactorContext& context) {
    context.become_log();
    context.log.severity_text = client.text();
    context.log.severity_number = 9;
    context.log.event_name = client.text();
    context.log.body.value = client.value(4);
    context.log.body.role = ContentRole::tool_result;
}

void make_span(Client& client, RedactorContext& context) {
    context.span.name = client.text();
    context.span.status_message = client.text();
    context.span.trace_state = client.text();
    context.span.events = context.arena.make_array<SpanEventView>(client.one_of(3));
    for (SpanEventView& event : context.span.events) {
        event.name = client.text();
        event.attributes = client.attributes();
    }
    context.span.links = context.arena.make_array<SpanLinkView>(client.one_of(2));
    for (SpanLinkView& link : context.span.links)
        link.attributes = client.attributes();
}

const std::set<std::string_view>& operational_names() {
    static const std::set<std::string_view> names = [] {
        std::set<std::string_view> made = {
            "schema_version",
            "event_id",
            "event_class",
            "event_type",
            "timestamp",
            "time_source",
            "ts_received",
            "tenant_id",
            "session_id",
            "session_source",
            "trace_id",
            "span_id",
            "parent_span_id",
            "gateway_id",
            "gateway_epoch",
            "gateway_seq",
            "source",
            "rules",
            "digest_key_id"};
        for (const FieldInfo& field : field_table)
            made.insert(field.name);
        return made;
    }();
    return names;
}

// Base64 hides a text from a search; what has a hit in its bytes may not stand there either.
bool shows(const std::string& record, const Canary& canary) {
    return record.find(canary.telling) != std::string::npos;
}

void check_operational(const std::string& json) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    RC_ASSERT(parser.parse(json).get(object) == simdjson::SUCCESS);
    for (const simdjson::dom::key_value_pair member : object)
        RC_ASSERT(operational_names().contains(member.key));
    RC_ASSERT_FALSE(shows(json, sentence));
    for (const Canary& secret : secrets)
        RC_ASSERT_FALSE(shows(json, secret));
    RC_ASSERT(json.find("4111111111111111") == std::string::npos);
}

void check_detail(const ReleasedItem& item) {
    const std::string json = encoded(item, EventClass::detail);
    const std::string proto = encoded(item, EventClass::detail, EventEncoding::protobuf);
    simdjson::dom::parser parser;
    RC_ASSERT(parser.parse(json).error() == simdjson::SUCCESS);
    for (const Canary& secret : secrets) {
        RC_ASSERT_FALSE(shows(json, secret));
        RC_ASSERT_FALSE(shows(proto, secret));
    }
    RC_ASSERT(json.find("4111111111111111") == std::string::npos);
}

template <typename Make>
void check_no_leak(const Make& make) {
    RedactorContext context;
    Client client(context);
    context.scope.name = client.text();
    context.scope.version = client.text();
    context.scope.attributes = client.attributes();
    context.resource.attributes = client.attributes();
    make(client, context);
    context.span.attributes = client.attributes();
    client.fill(context.fields);
    constexpr std::array types = {
        EventType::tool_response, EventType::inference, EventType::handoff, EventType::other};
    AgentItem item = context.item({types[client.one_of(types.size())]});
    item.session.session_id = client.text();
    item.session_is_from_client = true;
    item.user_id = client.text();
    const std::array keys_seen = {client.text()};
    item.session_keys_seen = keys_seen;
    const ReleasedBatch batch = context.redact({item});
    check_operational(encoded(batch.items[0], EventClass::operational));
    const std::string proto =
        encoded(batch.items[0], EventClass::operational, EventEncoding::protobuf);
    RC_ASSERT_FALSE(shows(proto, sentence));
    check_detail(batch.items[0]);
}

}  // namespace

TEST_CASE("no log record leaks, whatever it holds") {
    CHECK(rc::check([] { check_no_leak(make_log_record); }));
}

TEST_CASE("no span leaks, whatever it holds") {
    CHECK(rc::check([] { check_no_leak(make_span); }));
}

}  // namespace spangate
