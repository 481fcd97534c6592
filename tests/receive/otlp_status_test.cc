#include "receive/otlp_status.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <protozero/pbf_reader.hpp>

using namespace spangate;  // NOLINT

namespace {

using namespace std::string_literals;

struct DecodedStatus {
    std::int32_t code = 0;
    std::string message;
    std::map<std::string, std::string> details;  // type → value
};

DecodedStatus decode_status(const std::string& bytes) {
    DecodedStatus decoded;
    protozero::pbf_reader status(bytes);
    while (status.next()) {
        if (status.tag() == 1) {
            decoded.code = status.get_int32();
        } else if (status.tag() == 2) {
            decoded.message = status.get_string();
        } else {
            REQUIRE(status.tag() == 3);
            protozero::pbf_reader any = status.get_message();
            REQUIRE(any.next(1));
            const std::string type = any.get_string();
            REQUIRE(any.next(2));
            decoded.details[type] = any.get_string();
        }
    }
    return decoded;
}

Outcome refused(std::uint32_t retry_after_s) {
    return Outcome::failure({ErrorCode::unavailable, "Kafka is away"}, retry_after_s);
}

Outcome partial(std::uint64_t rejected, std::string message) {
    Outcome outcome;
    outcome.rejected_items = rejected;
    outcome.message = std::move(message);
    return outcome;
}

}  // namespace

TEST_CASE("full success is the empty message") {
    const Outcome success;
    CHECK(http_reply(success, Signal::traces, BodyEncoding::protobuf).status == 200);
    CHECK(http_reply(success, Signal::traces, BodyEncoding::protobuf).body.empty());
    CHECK(http_reply(success, Signal::traces, BodyEncoding::json).body == "{}");
    const GrpcReply reply = grpc_reply(success, Signal::traces);
    CHECK(reply.code == RpcCode::ok);
    CHECK(reply.response.empty());
    CHECK(reply.details.empty());
}

TEST_CASE("partial success says the exact number and why") {
    const Outcome outcome = partial(3, "bad \"id\"");
    CHECK(
        export_response(outcome, Signal::traces, BodyEncoding::protobuf) ==
        "\x0a\x0c\x08\x03\x12\x08"s + "bad \"id\""
    );
    CHECK(
        export_response(outcome, Signal::traces, BodyEncoding::json) ==
        R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"bad \"id\""}})"
    );
    CHECK(
        export_response(outcome, Signal::logs, BodyEncoding::json) ==
        R"({"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"bad \"id\""}})"
    );
    CHECK(http_reply(outcome, Signal::traces, BodyEncoding::json).status == 200);
}

TEST_CASE("a warning is a partial success that rejects nothing") {
    const Outcome outcome = partial(0, "slow down");
    CHECK(
        export_response(outcome, Signal::traces, BodyEncoding::protobuf) ==
        "\x0a\x0b\x12\x09slow down"s
    );
    CHECK(
        export_response(outcome, Signal::traces, BodyEncoding::json) ==
        R"({"partialSuccess":{"errorMessage":"slow down"}})"
    );
}

TEST_CASE("each error code has its row in OTLP's table") {
    struct Row {
        ErrorCode code;
        int http;
        int rpc;
        bool says_when;
    };

    const std::vector<Row> rows = {
        {ErrorCode::invalid_argument, 400, 3, false},
        {ErrorCode::too_large, 413, 8, false},
        {ErrorCode::unsupported, 415, 12, false},
        {ErrorCode::unauthenticated, 401, 16, false},
        {ErrorCode::permission_denied, 403, 7, false},
        {ErrorCode::not_found, 404, 5, false},
        {ErrorCode::conflict, 409, 6, false},
        {ErrorCode::rate_limited, 429, 14, true},
        {ErrorCode::unavailable, 503, 14, true},
        {ErrorCode::shutting_down, 503, 14, true},
        {ErrorCode::io, 503, 14, true},
        {ErrorCode::internal, 500, 13, false},
    };
    for (const Row& row : rows) {
        const Outcome outcome = Outcome::failure({row.code, "why"}, row.says_when ? 4 : 0);
        const HttpReply http = http_reply(outcome, Signal::traces, BodyEncoding::protobuf);
        const GrpcReply grpc = grpc_reply(outcome, Signal::traces);
        INFO(row.http);
        CHECK(http.status == row.http);
        CHECK(static_cast<int>(grpc.code) == row.rpc);
        CHECK(http.retry_after_s == (row.says_when ? 4 : 0));
        CHECK(http.closes_connection == (row.code == ErrorCode::shutting_down));
        CHECK(grpc.message == "why");
        CHECK(grpc.response.empty());
        CHECK(grpc.details == http.body);
        const DecodedStatus status = decode_status(http.body);
        CHECK(status.code == row.rpc);
        CHECK(status.message == "why");
        CHECK(status.details.contains("type.googleapis.com/google.rpc.RetryInfo") == row.says_when);
        CHECK(
            status.details.contains("type.googleapis.com/google.rpc.BadRequest") ==
            (row.code == ErrorCode::invalid_argument)
        );
    }
}

TEST_CASE("RetryInfo and BadRequest on the wire") {
    const DecodedStatus busy =
        decode_status(http_reply(refused(7), Signal::traces, BodyEncoding::protobuf).body);
    CHECK(busy.details.at("type.googleapis.com/google.rpc.RetryInfo") == "\x0a\x02\x08\x07"s);
    const DecodedStatus bad = decode_status(
        grpc_reply(Outcome::failure({ErrorCode::invalid_argument, "byte 7"}), Signal::traces)
            .details
    );
    CHECK(
        bad.details.at("type.googleapis.com/google.rpc.BadRequest") ==
        "\x0a\x0e\x0a\x04"s + "body" + "\x12\x06"s + "byte 7"
    );
}

TEST_CASE("statuses in JSON follow protobuf's JSON mapping") {
    CHECK(
        http_reply(refused(7), Signal::traces, BodyEncoding::json).body ==
        R"({"code":14,"message":"Kafka is away","details":[)"
        R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]})"
    );
    CHECK(
        http_reply(
            Outcome::failure({ErrorCode::invalid_argument, "byte 7"}),
            Signal::traces,
            BodyEncoding::json
        )
            .body == R"({"code":3,"message":"byte 7","details":[)"
                     R"({"@type":"type.googleapis.com/google.rpc.BadRequest",)"
                     R"("fieldViolations":[{"field":"body","description":"byte 7"}]}]})"
    );
    CHECK(
        http_reply(
            Outcome::failure({ErrorCode::too_large, "big"}), Signal::traces, BodyEncoding::json
        )
            .body == R"({"code":8,"message":"big"})"
    );
}

TEST_CASE("what may be repeated always says when, between 1 and 30 seconds") {
    CHECK(http_reply(refused(0), Signal::traces, BodyEncoding::json).retry_after_s == 1);
    CHECK(http_reply(refused(900), Signal::traces, BodyEncoding::json).retry_after_s == 30);
}

TEST_CASE("messages are valid UTF-8, escaped, and short") {
    const std::string json =
        status_message(RpcCode::internal, "a\n\x01\xff\\", 0, BodyEncoding::json);
    CHECK(json == "{\"code\":13,\"message\":\"a\\u000a\\u0001\xef\xbf\xbd\\\\\"}");
    const DecodedStatus long_one = decode_status(
        status_message(RpcCode::internal, std::string(5'000, 'x'), 0, BodyEncoding::protobuf)
    );
    CHECK(long_one.message.size() == status_message_bytes_max);
}
