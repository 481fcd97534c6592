#include <map>
#include <vector>

#include <catch2/catch.hpp>

#include "proto/spangate/v1/events.pb.h"
#include "route/encode.h"

using namespace spangate;

namespace {

Attribute attribute(std::string_view key, Value value) {
    Attribute made;
    made.key = key;
    made.value = value;
    return made;
}

// Writes a little of everything that a record can hold.
template <typename Writer>
RecordSlots write_sample(Writer& writer) {
    RecordSlots slots;
    writer.integer(key::schema_version, 1);
    writer.text(key::event_id, "0123");
    slots.epoch_offset = writer.epoch_slot(key::gateway_epoch);
    slots.seq_offset = writer.seq_slot(key::gateway_seq);
    write_field(writer, FieldValue::of_integer(FieldId::tokens_prompt, 0));
    write_field(writer, FieldValue::of_real(FieldId::cost_usd, 0.25));
    write_field(writer, FieldValue::of_real(FieldId::eval_score, std::nan("")));
    write_field(writer, FieldValue::of_flag(FieldId::counted, false));
    write_field(writer, FieldValue::of_text(FieldId::tool_name, ""));
    const std::string_view ids[] = {"a", "b"};
    write_field(writer, FieldValue::of_texts(FieldId::retrieval_ids, ids));
    std::vector<Value> items{Value::of(std::int64_t{1}), Value::of("two")};
    std::vector<Attribute> inner{attribute("deep", Value::of(true))};
    std::vector<Attribute> list{
        attribute("n", Value::of(std::int64_t{1} << 60)),
        attribute("same", Value::of("first")),
        attribute("empty", Value{}),
        attribute("list", Value::of(std::span<const Value>(items))),
        attribute("map", Value::of(std::span<Attribute>(inner))),
        attribute("inf", Value::of(std::numeric_limits<double>::infinity())),
        attribute("same", Value::of("second")),
    };
    const std::vector<Attribute> added{attribute("n", Value::of("added"))};
    writer.attributes(key::attributes, list, added);
    writer.begin_list(key::events);
    writer.begin_item(key::events);
    writer.text(key::event_name, "exception");
    writer.attributes(key::event_attributes, inner, {});
    writer.end_item();
    writer.end_list();
    writer.begin_message(key::redaction);
    writer.begin_map(key::counts);
    writer.count(key::counts, "email", 2);
    writer.end_map();
    writer.end_message();
    writer.bytes(key::payload, "raw");
    return slots;
}

}  // namespace

TEST_CASE("JSON is one flat object with slots that keep it well-formed") {
    std::string out;
    const RecordSlots slots =
        encode(EventEncoding::json, out, [](auto& writer) { return write_sample(writer); });
    CHECK(
        out ==
        R"({"schema_version":1,"event_id":"0123","gateway_epoch":0000000000000,)"
        R"("gateway_seq":                    ,"tokens_prompt":0,"cost_usd":0.25,"counted":false,)"
        R"("retrieval_ids":["a","b"],)"
        R"("attributes":{"list":[1,"two"],"map":{"deep":true},"inf":"Infinity","same":"second","n":"added"},)"
        R"("events":[{"name":"exception","attributes":{"deep":true}}],)"
        R"("redaction":{"counts":{"email":2}},"payload":"cmF3"})"
    );
    CHECK(out.substr(slots.epoch_offset, 13) == "0000000000000");
    CHECK(out.substr(slots.seq_offset, 20) == std::string(20, ' '));
}

TEST_CASE("protobuf holds the same and its slots are fixed64") {
    std::string out;
    const RecordSlots slots =
        encode(EventEncoding::protobuf, out, [](auto& writer) { return write_sample(writer); });
    out[slots.seq_offset] = 7;
    out[slots.epoch_offset] = 9;
    v1::Event event;
    REQUIRE(event.ParseFromString(out));
    CHECK(event.gateway_seq() == 7);
    CHECK(event.gateway_epoch() == 9);
    CHECK(event.has_tokens_prompt());
    CHECK(event.tokens_prompt() == 0);
    CHECK(event.has_counted());
    CHECK_FALSE(event.has_tool_name());
    CHECK_FALSE(event.has_eval_score());
    REQUIRE(event.retrieval_ids_size() == 2);
    std::map<std::string, v1::AttributeValue> attributes;
    for (const v1::Attribute& item : event.attributes())
        attributes[item.key()] = item.value();
    CHECK(attributes.at("n").string_value() == "added");
    CHECK(attributes.at("list").array_value().values(0).int_value() == 1);
    CHECK(attributes.at("map").kvlist_value().values(0).value().bool_value());
    CHECK(attributes.count("empty") == 0);
    CHECK(event.events(0).name() == "exception");
    CHECK(event.redaction().counts().at("email") == 2);
    CHECK(event.payload() == "raw");
}

TEST_CASE("an object of very many keys is written once per key, the last wins") {
    std::vector<std::string> names;
    for (int i = 0; i < 5000; ++i)
        names.push_back("key" + std::to_string(i % 2500));
    std::vector<Attribute> list;
    for (std::size_t i = 0; i < names.size(); ++i) {
        list.push_back(attribute(names[i], Value::of(static_cast<std::int64_t>(i))));
    }
    std::string out;
    JsonEventWriter writer(out);
    writer.attributes(key::attributes, list, {});
    writer.finish();
    CHECK(out.find("\"key7\":7,") == std::string::npos);
    CHECK(out.find("\"key7\":2507") != std::string::npos);
}
