#include "route/dead_letter.h"

#include <catch2/catch.hpp>
#include <simdjson.h>

#include "proto/spangate/v1/events.pb.h"
#include "route/json_members.h"
#include "support/record_builder.h"

using namespace spangate;           // NOLINT: a test
using namespace spangate::testing;  // NOLINT: a test

namespace {

struct Lost {
    explicit Lost(std::string text) : value(std::move(text)) {
        record.event_class = EventClass::detail;
        record.event_type = EventType::inference;
        record.event_id.fill('a');
        record.tenant_id = "acme";
        record.key = "session-1";
        record.traceparent = "00-11111111111111111111111111111111-2222222222222222-01";
        record.gateway_epoch = 5;
        record.gateway_seq = 7;
        record.timestamp_ms = 1'790'000'000'000;
        record.session_hash = 42;
        record.value = value.data();
        record.value_bytes = static_cast<std::uint32_t>(value.size());
    }

    std::string value;
    OutboundRecord record;
};

v1::Event protobuf_event() {
    v1::Event event;
    event.set_schema_version(1);
    event.set_event_id("e1");
    event.set_session_id("session-1");
    event.set_trace_id("t1");
    event.set_gateway_epoch(1'790'000'000'000);
    event.set_gateway_seq(7);
    event.set_env("prod");
    event.set_tokens_prompt(300);
    event.set_name("chat SECRET");
    const auto add = [](auto* attributes, const std::string& key, const std::string& text) {
        v1::Attribute& attribute = *attributes->Add();
        attribute.set_key(key);
        attribute.mutable_value()->set_string_value(text);
    };
    add(event.mutable_attributes(), "gen_ai.x", "SECRET" + std::string(94, '.'));
    add(event.mutable_resource(), "service.name", "SECRET");
    v1::Attribute& flag = *event.add_attributes();
    flag.set_key("a\"b");
    flag.mutable_value()->set_bool_value(true);
    for (int i = 0; i < 2; ++i)
        event.add_events()->set_name("SECRET-exception");
    return event;
}

std::string letter_of(const Lost& lost) {
    std::string text;
    write_dead_letter(text, lost.record, "too_large");
    simdjson::dom::parser parser;
    CHECK(parser.parse(text).error() == simdjson::SUCCESS);
    return text;
}

}  // namespace

TEST_CASE("a dead letter has the header, why, how large and the largest keys, and no content") {
    const Lost lost(
        R"({"schema_version":1,"event_id":"e1","gateway_epoch":1790000000000,"gateway_seq":)"
        R"(                   7,"session_id":"session-1","trace_id":"t1","name":"chat SECRET",)"
        R"("attributes":{"gen_ai.x":"SECRET SECRET SECRET","a\"b":[1,{"c":"}"}],"team":"x"},)"
        R"("resource":{"service.name":"SECRET"},"body":{"k":"SECRET"}})"
    );
    const std::string letter = letter_of(lost);
    CHECK(letter.find("SECRET") == std::string::npos);
    CHECK(letter.starts_with(R"({"schema_version":1,"event_id":"e1",)"));
    CHECK(letter.find(R"("session_id":"session-1","trace_id":"t1")") != std::string::npos);
    CHECK(letter.find(R"("reason":"too_large","class":"detail","bytes":)") != std::string::npos);
    CHECK(
        letter.find(R"("largest_keys":[{"key":"attributes.gen_ai.x","bytes":22})") !=
        std::string::npos
    );
    CHECK(letter.find(R"({"key":"resource.service.name","bytes":8})") != std::string::npos);
    CHECK(letter.find(R"("key":"attributes.a\"b")") != std::string::npos);
    CHECK(letter.find(R"("key":"event_id")") == std::string::npos);
}

TEST_CASE("at most eight keys are told") {
    std::string value = R"({"event_id":"e1")";
    for (int i = 0; i < 30; ++i)
        value += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
    const std::string letter = letter_of(Lost(value + "}"));
    std::size_t keys = 0;
    for (std::size_t at = 0; (at = letter.find("\"key\":", at)) != std::string::npos; ++at)
        ++keys;
    CHECK(keys == 8);
}

TEST_CASE("a dead letter of a protobuf record tells as much as that of a JSON record") {
    const std::string bytes = protobuf_event().SerializeAsString();
    const std::string letter = letter_of(Lost(bytes));
    CHECK(letter.find("SECRET") == std::string::npos);
    CHECK(letter.starts_with(
        R"({"schema_version":1,"event_id":"e1","session_id":"session-1","trace_id":"t1",)"
        R"("gateway_epoch":1790000000000,"gateway_seq":7,"env":"prod",)"
        R"("reason":"too_large","class":"detail","bytes":)"
    ));
    CHECK(
        letter.find(
            R"("largest_keys":[{"key":"attributes.gen_ai.x","bytes":102},{"key":"events","bytes":36})"
        ) != std::string::npos
    );
    CHECK(letter.find(R"({"key":"resource.service.name","bytes":8})") != std::string::npos);
    CHECK(letter.find(R"({"key":"attributes.a\"b","bytes":2})") != std::string::npos);
    CHECK(letter.find(R"({"key":"tokens_prompt","bytes":2})") != std::string::npos);
    CHECK(letter.find(R"("key":"event_id")") == std::string::npos);
}

TEST_CASE("a dead letter of protobuf evidence names the payload and nothing of it") {
    v1::Event event;
    event.set_event_id("e1");
    event.set_payload(std::string(500, 'S'));
    event.set_chunk(0);
    event.set_chunks(1);
    const std::string letter = letter_of(Lost(event.SerializeAsString()));
    CHECK(letter.find(R"("largest_keys":[{"key":"payload","bytes":500})") != std::string::npos);
    CHECK(letter.find("SS") == std::string::npos);
}

TEST_CASE("a protobuf record that is cut anywhere still gets a letter with its ids") {
    const std::string bytes = protobuf_event().SerializeAsString();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::string letter = letter_of(Lost(bytes.substr(0, size)));
        CHECK(letter.find("SECRET") == std::string::npos);
        CHECK(letter.find(R"("event_id":")") != std::string::npos);
    }
}

TEST_CASE("a key that is as large as a value is told by its beginning") {
    const std::string long_key = std::string(200, 'k') + std::string(200, '\n') + "\xC3\xBC";
    v1::Event event;
    event.set_event_id("e1");
    v1::Attribute& attribute = *event.add_attributes();
    attribute.set_key(long_key);
    attribute.mutable_value()->set_bool_value(true);
    const std::string of_protobuf = letter_of(Lost(event.SerializeAsString()));
    CHECK(of_protobuf.size() < 800);
    CHECK(of_protobuf.find("attributes." + std::string(200, 'k') + R"(\n\n)") != std::string::npos);

    std::string many_bytes;
    for (int i = 0; i < 200; ++i)
        many_bytes += "\xE2\x82\xAC";
    const std::string of_json = letter_of(Lost(R"({"event_id":"e1",")" + many_bytes + R"(":1})"));
    CHECK(of_json.size() < 800);
    CHECK(of_json.find(R"("key":")" + many_bytes.substr(0, 255) + R"(")") != std::string::npos);
}

TEST_CASE("without a readable value the letter says what the record itself knows") {
    const Lost lost("\x08\x01 binary SECRET");
    const std::string letter = letter_of(lost);
    CHECK(letter.find("SECRET") == std::string::npos);
    CHECK(letter.find(R"("trace_id":"11111111111111111111111111111111")") != std::string::npos);
    CHECK(letter.find(R"("span_id":"2222222222222222")") != std::string::npos);
    CHECK(letter.find(R"("gateway_seq":7)") != std::string::npos);
    CHECK(letter.find("largest_keys") == std::string::npos);
}

TEST_CASE("a dead letter is keyed like the lost record and let go like any other") {
    SlabPool pool;
    DeadLetters letters(pool);
    const Lost lost(R"({"event_id":"e1"})");
    OutboundRecord* letter = letters.make_dead_letter(lost.record, "invalid_record");
    CHECK(letter->key == "session-1");
    CHECK(letter->ticket == nullptr);
    CHECK(letter->event_id == lost.record.event_id);
    letter->done();
    CHECK(pool.bytes_out() == 0);
}

TEST_CASE("broken JSON ends the walk over its members, nothing else") {
    for (const char* text : {"", "{", "[1]", "{\"a\"", "{\"a\":", "{\"a\":\"\\", "{\"a\":{\"b\""}) {
        JsonMembers members(text);
        int count = 0;
        while (members.next() && count < 10)
            ++count;
        CHECK(count <= 1);
    }
}
