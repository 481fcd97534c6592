#include "timeline/story_reader.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/text.h"
#include "timeline/record_json.h"

namespace spangate {
namespace {

constexpr const char* ids =
    R"("event_id":"000102030405060708090a0b0c0d0e0f","tenant_id":"t","session_id":"s")";

StoredEvent json_of(const std::string& members) {
    StoredEvent stored;
    stored.value = std::string("{") + ids + (members.empty() ? "" : ",") + members + "}";
    stored.offset = 7;
    stored.partition = 3;
    return stored;
}

struct Read {
    TextPool texts;
    StoryEvent event;
    RecordMarks marks;
    bool is_read = false;
};

Read read(const StoredEvent& stored) {
    Read result;
    StoryReader reader;
    result.is_read = reader.read(stored, result.texts, result.event);
    result.marks = reader.marks();
    return result;
}

std::string protobuf_event() {
    std::string bytes;
    protozero::pbf_writer writer(bytes);
    writer.add_uint32(1, 1);
    writer.add_string(2, "000102030405060708090a0b0c0d0e0f");
    writer.add_string(4, "tool_response");
    writer.add_string(5, "2026-09-21T10:15:00.123456789Z");
    writer.add_string(8, "t");
    writer.add_string(9, "s");
    writer.add_string(12, "00000000000000aa");
    writer.add_fixed64(16, 42);
    writer.add_string(67, "error");
    writer.add_string(70, "pay");
    writer.add_int64(84, 120);
    writer.add_double(90, 0.25);
    writer.add_bool(93, true);
    writer.add_string(119, "operational");
    writer.add_string(119, "detail");
    return bytes;
}

}  // namespace

TEST_CASE("a JSON record is read field by field") {
    const Read read_event =
        read(json_of(R"("event_type":"tool_response","timestamp":"2026-09-21T10:15:00.123456789Z",)"
                     R"("outcome":"error","tool_name":"pay","tokens_prompt":120,"cost_usd":0.25,)"
                     R"("counted":true,"classes":["operational","detail","later"],)"
                     R"("decision_options":["a","b"],"gateway_seq":42,"budget_remaining":5)"));
    REQUIRE(read_event.is_read);
    const StoryEvent& event = read_event.event;
    CHECK(event.type == EventType::tool_response);
    CHECK(to_rfc3339(event.timestamp) == "2026-09-21T10:15:00.123456789Z");
    CHECK(event.outcome == EventOutcome::error);
    CHECK(read_event.texts[event.tool_name] == "pay");
    CHECK(event.tokens_prompt == 120);
    CHECK(event.cost_usd == 0.25);
    CHECK(event.budget_remaining == 5.0);
    CHECK(event.counted == Told::yes);
    CHECK(event.classes == (bit(EventClass::operational) | bit(EventClass::detail)));
    CHECK(
        read_event.texts[event.decision_options] ==
        "a\x1f"
        "b"
    );
    CHECK(event.gateway_seq == 42);
    CHECK(event.offset == 7);
    CHECK(event.partition == 3);
    CHECK(event.seen == bit(EventClass::operational));
    CHECK_FALSE(is_told(event.tokens_completion));
    CHECK_FALSE(is_told(event.duration_ms));
}

TEST_CASE("a protobuf record says the same") {
    StoredEvent stored;
    stored.is_json = false;
    stored.value = protobuf_event();
    const Read read_event = read(stored);
    REQUIRE(read_event.is_read);
    const StoryEvent& event = read_event.event;
    CHECK(event.type == EventType::tool_response);
    CHECK(to_rfc3339(event.timestamp) == "2026-09-21T10:15:00.123456789Z");
    CHECK(event.outcome == EventOutcome::error);
    CHECK(read_event.texts[event.tool_name] == "pay");
    CHECK(event.span_id[7] == 0xaa);
    CHECK(event.gateway_seq == 42);
    CHECK(event.tokens_prompt == 120);
    CHECK(event.cost_usd == 0.25);
    CHECK(event.counted == Told::yes);
    CHECK(event.classes == (bit(EventClass::operational) | bit(EventClass::detail)));
}

TEST_CASE("what a later version adds is read as other, or passed over") {
    const Read read_event = read(json_of(
        R"("event_type":"dream","outcome":"mixed","source":"moon","time_source":"star","new":{"a":[1]})"
    ));
    REQUIRE(read_event.is_read);
    CHECK(read_event.event.type == EventType::other);
    CHECK(read_event.event.outcome == EventOutcome::none);
    CHECK(read_event.event.source == EventSource::span);
}

TEST_CASE("numbers outside the contract's range, and values of another kind, are left out") {
    const Read read_event = read(json_of(
        R"("tokens_prompt":-1,"tokens_completion":9007199254740992,"http_status":2.5,)"
        R"("gateway_seq":-3,"cost_usd":"much","tool_name":7,"counted":"yes","agent_name":null,)"
        R"("tokens_total":99999999999999999999,"trace_id":"xyz","start_ts":"soon","classes":"detail")"
    ));
    REQUIRE(read_event.is_read);
    const StoryEvent& event = read_event.event;
    CHECK_FALSE(is_told(event.tokens_prompt));
    CHECK_FALSE(is_told(event.tokens_completion));
    CHECK_FALSE(is_told(event.tokens_total));
    CHECK_FALSE(is_told(event.http_status));
    CHECK_FALSE(is_told(event.cost_usd));
    CHECK(event.gateway_seq == 0);
    CHECK(event.tool_name == no_text);
    CHECK(event.agent_name == no_text);
    CHECK(event.counted == Told::unknown);
    CHECK(is_zero(event.trace_id));
    CHECK(event.start_at == 0);
    CHECK(event.classes == 0);
}

TEST_CASE("what is no event of ours is not read") {
    for (const char* value :
         {"", "{", "[]", "null", "{}", R"({"event_id":"00"})", "\xff\xfe", "{\"a\":1"}) {
        StoredEvent stored;
        stored.value = value;
        CHECK_FALSE(read(stored).is_read);
        stored.is_json = false;
        CHECK_FALSE(read(stored).is_read);
    }
}

TEST_CASE("copies are told apart by all but what the contract lets differ") {
    const RecordMarks marks =
        read(json_of(R"("tool_name":"a","gateway_seq":1,"counted":true,"attributes":{"x":1,"y":2})")
        )
            .marks;
    const RecordMarks equal =
        read(json_of(R"("gateway_seq":9,"attributes":{"y":2,"x":1},"tool_name":"a","counted":false)"
             ))
            .marks;
    CHECK(marks.whole == equal.whole);
    CHECK(marks.shared == equal.shared);
    const RecordMarks other_detail =
        read(json_of(R"("tool_name":"a","attributes":{"x":1,"y":3})")).marks;
    CHECK(marks.whole != other_detail.whole);
    CHECK(marks.shared == other_detail.shared);
    CHECK(marks.shared != read(json_of(R"("tool_name":"b")")).marks.shared);
}

TEST_CASE("hostile bytes never do harm") {
    std::mt19937 random(11);
    const std::string json =
        json_of(R"("event_type":"error","classes":["detail"],"attributes":{"a":[1,{"b":null}]})")
            .value;
    std::string made;
    for (const std::string& seed : {json, protobuf_event()}) {
        for (int round = 0; round < 20'000; ++round) {
            StoredEvent stored;
            stored.value = seed;
            const int edits = 1 + static_cast<int>(random() % 4);
            for (int i = 0; i < edits; ++i)
                stored.value[random() % stored.value.size()] = static_cast<char>(random());
            if (random() % 3 == 0) stored.value.resize(random() % stored.value.size());
            stored.is_json = random() % 2 == 0;
            (void)read(stored);
            (void)record_as_json(stored.value, made);
        }
    }
    std::string deep(100'000, '[');
    StoredEvent stored = json_of("\"attributes\":" + deep);
    CHECK_FALSE(read(stored).is_read);
}

TEST_CASE("a protobuf detail becomes the JSON that the gateway would have written") {
    std::string bytes = protobuf_event();
    protozero::pbf_writer writer(bytes);
    writer.add_string(200, "a \"span\"");
    {
        protozero::pbf_writer attribute(writer, 203);
        attribute.add_string(1, "list");
        protozero::pbf_writer value(attribute, 2);
        protozero::pbf_writer list(value, 6);
        {
            protozero::pbf_writer item(list, 1);
            item.add_int64(3, 5);
        }
        {
            protozero::pbf_writer item(list, 1);
            item.add_int64(3, 9'007'199'254'740'993);
        }
    }
    {
        protozero::pbf_writer attribute(writer, 203);
        attribute.add_string(1, "on");
        protozero::pbf_writer value(attribute, 2);
        value.add_bool(2, true);
    }
    {
        protozero::pbf_writer event(writer, 205);
        event.add_string(1, "exception");
    }
    {
        protozero::pbf_writer redaction(writer, 208);
        redaction.add_string(1, "r1");
        protozero::pbf_writer count(redaction, 2);
        count.add_string(1, "email");
        count.add_uint32(2, 3);
    }
    std::string json;
    REQUIRE(record_as_json(bytes, json));
    CHECK(json.find(R"("name":"a \"span\"")") != std::string::npos);
    CHECK(
        json.find(R"("attributes":{"list":[5,"9007199254740993"],"on":true})") != std::string::npos
    );
    CHECK(json.find(R"("events":[{"name":"exception"}])") != std::string::npos);
    CHECK(json.find(R"("redaction":{"ruleset":"r1","counts":{"email":3}})") != std::string::npos);
    CHECK(json.find(R"("classes":["operational","detail"])") != std::string::npos);
    CHECK(json.find(R"("cost_usd":0.25,"counted":true)") != std::string::npos);
    CHECK(json.find(R"("gateway_seq":42)") != std::string::npos);
}

}  // namespace spangate
