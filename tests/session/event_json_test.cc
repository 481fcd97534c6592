#include "session/event_json.h"

#include <catch2/catch.hpp>
#include <protozero/pbf_writer.hpp>

namespace spangate {

TEST_CASE("an event in protobuf becomes the JSON of the contract") {
    std::string message;
    protozero::pbf_writer event(message);
    event.add_uint32(1, 1);
    event.add_string(2, "00112233445566778899aabbccddeeff");
    event.add_string(4, "tool_response");
    event.add_fixed64(16, 7);
    event.add_double(63, 12.5);
    event.add_bool(64, false);
    event.add_string(70, "search \"all\"");
    event.add_string(119, "operational");
    event.add_string(119, "detail");
    std::string value;
    protozero::pbf_writer(value).add_string(1, "a\nb");
    std::string attribute;
    protozero::pbf_writer pair(attribute);
    pair.add_string(1, "gen_ai.tool.name");
    pair.add_message(2, value);
    event.add_message(203, attribute);
    event.add_message(203, attribute);
    event.add_string(9999, "of a later version");
    std::string json;
    REQUIRE(append_event_json(message, json));
    CHECK(
        json ==
        R"({"schema_version":1,"event_id":"00112233445566778899aabbccddeeff",)"
        R"("event_type":"tool_response","gateway_seq":7,"duration_ms":12.5,"time_fault":false,)"
        R"("tool_name":"search \"all\"","classes":["operational","detail"],)"
        R"("attributes":{"gen_ai.tool.name":"a\u000ab","gen_ai.tool.name":"a\u000ab"}})"
    );
}

TEST_CASE("what is no protobuf is refused at every cut, and nothing is written") {
    std::string message;
    protozero::pbf_writer event(message);
    event.add_string(2, "00112233445566778899aabbccddeeff");
    event.add_double(63, 12.5);
    for (std::size_t bytes = 1; bytes < message.size(); ++bytes) {
        std::string json = "kept";
        if (!append_event_json(std::string_view(message).substr(0, bytes), json)) {
            CHECK(json == "kept");
        }
    }
}

}  // namespace spangate
