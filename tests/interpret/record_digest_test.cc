// One log record sent as JSON and as protobuf has one event id.
#include <string>

#include <catch2/catch.hpp>

#include "decode/decoder.h"
#include "support/interpret_context.h"

using namespace spangate;

namespace {

// A length-delimited protobuf field; short ones only.
std::string field(int number, const std::string& bytes) {
    REQUIRE(bytes.size() < 128);
    return std::string(1, static_cast<char>(number << 3 | 2)) +
           std::string(1, static_cast<char>(bytes.size())) + bytes;
}

std::string varint(int number, char value) {
    return {static_cast<char>(number << 3), value};
}

std::string fixed64(int number, std::uint64_t value) {
    std::string bytes(1, static_cast<char>(number << 3 | 1));
    for (unsigned shift = 0; shift < 64; shift += 8)
        bytes += static_cast<char>(value >> shift & 0xFFU);
    return bytes;
}

std::string attribute(const std::string& key, const std::string& value) {
    return field(1, key) + field(2, value);
}

std::string as_protobuf() {
    const std::string name = field(6, attribute("event.name", field(1, "codex.user_prompt")));
    const std::string count = field(6, attribute("n", varint(3, 7)));
    const std::string body = field(5, field(1, "hello"));
    const std::string record = fixed64(11, 1'790'000'000'000'000'001) + varint(2, 9) + body + name +
                               count + field(10, "12345678");
    const std::string scope = field(1, field(1, "codex"));
    const std::string resource = field(1, field(1, attribute("service.name", field(1, "cx"))));
    const std::string scope_logs = scope + field(2, record);
    return field(1, resource + field(2, scope_logs));
}

constexpr std::string_view as_json = R"({"resourceLogs": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cx"}}]},
    "scopeLogs": [{"scope": {"name": "codex"}, "logRecords": [{
        "attributes": [{"key": "n", "value": {"intValue": "7"}},
                       {"key": "event.name", "value": {"stringValue": "codex.user_prompt"}}],
        "spanId": "3132333435363738", "body": {"stringValue": "hello"}, "timeUnixNano": "0",
        "severityNumber": 9, "observedTimeUnixNano": "1790000000000000001"}]}]}]})";

std::string id_of(std::string_view bytes, BodyEncoding encoding) {
    Decoder decoder{ReceiverLimits{}};
    Arena arena;
    DecodedRequest request;
    request.raw.body.append(bytes);
    request.raw.encoding = encoding;
    request.raw.signal = Signal::logs;
    request.raw.received_at = received_at_for_test;
    const Result<DecodedItems> items = decoder.decode(request.raw, arena);
    REQUIRE(items);
    request.spans = items->spans;
    request.keep_alive = items->keep_alive;
    InterpretContext context;
    std::vector<DecodedRequest> requests;
    requests.push_back(std::move(request));
    const EventBatch& batch = context.interpret(std::move(requests));
    REQUIRE(batch.items.size() == 1);
    return std::string(view(batch.items[0].primary_event().event_id));
}

}  // namespace

TEST_CASE("a log record's event id is the same in every encoding") {
    CHECK(id_of(as_protobuf(), BodyEncoding::protobuf) == id_of(as_json, BodyEncoding::json));
}
