#include "receive/http_receiver.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "receive/otlp_status.h"
#include "receive_context.h"
#include "support/raw_http.h"

using namespace spangate;
using namespace spangate::testing;

namespace {

constexpr std::string_view protobuf_type = "Content-Type: application/x-protobuf\r\n";
constexpr std::string_view json_type = "Content-Type: application/json; charset=utf-8\r\n";

struct HttpReceiverContext : ReceiveContext {
    // Anew, after a change to the configuration.
    std::uint16_t start() {
        receiver.reset();
        make_admission();
        auto started = HttpReceiver::start(config, *admission, clock, metrics);
        REQUIRE(started);
        receiver = std::move(*started);
        return receiver->port();
    }

    // Sends, settles what reaches the inbox, and returns the answer.
    [[nodiscard]] RawResponse settle(
        const std::string& request, Settlement settlement, std::string_view reason = {}
    ) {
        RawHttp client(receiver->port());
        client.send(request);
        std::optional<RawRequest> admitted = inbox.next();
        REQUIRE(admitted);
        last_body = admitted->body.view();
        last_encoding = admitted->encoding;
        last_tenant = admitted->tenant_id;
        admitted->ticket->settle(settlement, reason);
        return client.receive();
    }

    std::unique_ptr<HttpReceiver> receiver;
    std::string last_body;
    std::string last_tenant;
    BodyEncoding last_encoding = BodyEncoding::protobuf;
};

// window_bits: 15 zlib, 31 gzip.
std::string deflated(std::string_view text, int window_bits) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    std::string input(text);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

std::string traces(std::string_view body, std::string_view fields) {
    return post("/v1/traces", body, fields);
}

}  // namespace

TEST_CASE("HTTP: a stored request is answered 200 in its own encoding, with the empty message") {
    HttpReceiverContext context;
    context.start();
    const RawResponse protobuf = context.settle(traces("bytes", protobuf_type), Settlement::stored);
    CHECK(protobuf.status == 200);
    CHECK(protobuf.field("Content-Type") == "application/x-protobuf");
    CHECK(protobuf.body.empty());
    CHECK(context.last_body == "bytes");
    CHECK(context.last_encoding == BodyEncoding::protobuf);

    const RawResponse json = context.settle(traces("{}", json_type), Settlement::stored);
    CHECK(json.status == 200);
    CHECK(json.field("Content-Type") == "application/json");
    CHECK(json.body == "{}");
    CHECK(context.last_encoding == BodyEncoding::json);
}

TEST_CASE("HTTP: every coding reaches the inbox inflated, chunked or not") {
    HttpReceiverContext context;
    context.start();
    const std::string text(50'000, 'x');
    const std::pair<std::string, std::string> wires[] = {
        {"", text},
        {"Content-Encoding: identity\r\n", text},
        {"Content-Encoding: gzip\r\n", deflated(text, 31)},
        {"Content-Encoding: GZIP\r\n", deflated(text, 31)},
        {"Content-Encoding: deflate\r\n", deflated(text, 15)},
        {"Content-Encoding: zstd\r\n", zstd(text)},
    };
    for (const auto& [field, wire] : wires) {
        INFO(field);
        const std::string fields = std::string(json_type) + field;
        CHECK(context.settle(traces(wire, fields), Settlement::stored).status == 200);
        CHECK(context.last_body == text);

        char size[32];
        std::snprintf(size, sizeof size, "%zx\r\n", wire.size());
        const std::string chunked =
            "POST /v1/traces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + fields +
            "\r\n" + size + wire + "\r\n0\r\n\r\n";
        context.last_body.clear();
        CHECK(context.settle(chunked, Settlement::stored).status == 200);
        CHECK(context.last_body == text);
    }
    CHECK(context.budget.bytes_held() == 0);
}

TEST_CASE("HTTP: an empty body is a request like others") {
    HttpReceiverContext context;
    context.start();
    CHECK(context.settle(traces("", protobuf_type), Settlement::stored).status == 200);
    CHECK(context.last_body.empty());
}

TEST_CASE("HTTP: what was not stored is answered by the table, told in the request's encoding") {
    HttpReceiverContext context;
    context.start();
    for (const std::string_view type : {protobuf_type, json_type}) {
        const RawResponse later = context.settle(
            traces("x", type), Settlement::retry_later, "Kafka did not acknowledge in time"
        );
        CHECK(later.status == 503);
        CHECK(std::stoi(later.field("Retry-After")) >= 1);
        CHECK(later.body.find("Kafka did not acknowledge in time") != std::string::npos);
        const RawResponse never =
            context.settle(traces("x", type), Settlement::rejected, "the body is not OTLP");
        CHECK(never.status == 400);
        CHECK(never.field("Retry-After").empty());
        CHECK(never.body.find("the body is not OTLP") != std::string::npos);
        CHECK(
            never.field("Content-Type") ==
            media_type(type == json_type ? BodyEncoding::json : BodyEncoding::protobuf)
        );
    }
}

TEST_CASE("HTTP: path, method, type and coding are refused each in its own way") {
    HttpReceiverContext context;
    RawHttp client(context.start());
    const RawResponse path = client.exchange(post("/v2/traces", "{}", json_type));
    CHECK(path.status == 404);
    CHECK(path.field("Content-Type") == "application/json");
    CHECK(path.body.find("\"code\":5") != std::string::npos);
    const RawResponse method = client.exchange(get("/v1/traces"));
    CHECK(method.status == 405);
    CHECK(method.field("Allow") == "POST");
    CHECK(client.exchange(traces("x", "Content-Type: text/plain\r\n")).status == 415);
    CHECK(client.exchange(traces("x", "")).status == 415);
    const std::string type(protobuf_type);
    CHECK(client.exchange(traces("x", type + "Content-Encoding: br\r\n")).status == 415);
    CHECK(client.exchange(traces("x", type + "Content-Encoding: gzip, gzip\r\n")).status == 415);
    CHECK(
        client.exchange(traces("x", type + "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"))
            .status == 415
    );
    CHECK(context.inbox.offered() == 0);
    CHECK(context.rejected("unsupported") == 6);
    CHECK(context.rejected("not_found") == 1);
}

TEST_CASE("HTTP: a damaged or bursting coding is refused, and its memory given back") {
    HttpReceiverContext context;
    context.config.limits.request_bytes_max = 4 * mib;
    RawHttp client(context.start());
    const std::string gzip = std::string(json_type) + "Content-Encoding: gzip\r\n";
    CHECK(client.exchange(traces("not gzip", gzip)).status == 400);
    const std::string whole = deflated(std::string(1'000, 'x'), 31);
    CHECK(client.exchange(traces(whole.substr(0, whole.size() - 5), gzip)).status == 400);
    CHECK(client.exchange(traces(deflated(std::string(5'000'000, 'x'), 31), gzip)).status == 413);
}

TEST_CASE("HTTP: a body over the limit is answered 413, which is not to be repeated") {
    HttpReceiverContext context;
    context.config.limits.request_bytes_max = 100'000;
    RawHttp client(context.start());
    const RawResponse announced = client.exchange(traces(std::string(100'001, 'x'), json_type));
    CHECK(announced.status == 413);
    CHECK(announced.field("Retry-After").empty());
    client.send(
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" +
        std::string(json_type) + "\r\n20000\r\n" + std::string(0x20000, 'x') + "\r\n0\r\n\r\n"
    );
    CHECK(client.receive().status == 413);
    CHECK(context.budget.bytes_held() == 0);
}

TEST_CASE("HTTP: overload is 503 with Retry-After, before the body is read") {
    HttpReceiverContext context;
    RawHttp client(context.start());
    context.refuse("Kafka is away", 7);
    const RawResponse refused = client.exchange(traces("{}", json_type));
    CHECK(refused.status == 503);
    CHECK(refused.field("Retry-After") == "7");
    CHECK(refused.body.find("Kafka is away") != std::string::npos);
    context.refuse({}, 1);
    Lease most(context.budget);
    REQUIRE(most.grow_to(context.budget.bytes_max() - 100));
    CHECK(client.exchange(traces("{\"resourceSpans\":[]}      ", json_type)).status == 503);
    most.release();
    context.inbox.hold_at_most(0);
    CHECK(client.exchange(traces("{}", json_type)).status == 503);
    CHECK(context.refused("delivery") == 1);
    CHECK(context.refused("memory") == 1);
    CHECK(context.refused("lanes") == 1);
    CHECK(context.budget.bytes_held() == 0);
}

TEST_CASE("HTTP: a draining gateway answers 503 and closes") {
    HttpReceiverContext context;
    RawHttp client(context.start());
    context.admission->close_intake();
    const RawResponse refused = client.exchange(traces("{}", json_type));
    CHECK(refused.status == 503);
    CHECK(refused.field("Connection") == "close");
    CHECK(client.is_closed_within(std::chrono::seconds(5)));
}

TEST_CASE("HTTP: with tokens the tenant is the token's, and strangers hear 401") {
    HttpReceiverContext context;
    const testing::TokenFile tokens("secret acme\n");
    context.config.auth.bearer_tokens_file = tokens.path();
    RawHttp client(context.start());
    REQUIRE(context.admission->load_tokens());
    const std::string type(json_type);
    const RawResponse nobody = client.exchange(traces("{}", type));
    CHECK(nobody.status == 401);
    CHECK(nobody.field("WWW-Authenticate") == "Bearer");
    CHECK(client.exchange(traces("{}", type + "Authorization: Bearer wrong\r\n")).status == 401);
    const std::string known = type + "Authorization: Bearer secret\r\n";
    CHECK(context.settle(traces("{}", known), Settlement::stored).status == 200);
    CHECK(context.last_tenant == "acme");
}

TEST_CASE("HTTP: a client without Bearer may show its token as Basic password or as x-api-key") {
    HttpReceiverContext context;
    const testing::TokenFile tokens("sk-lf-1 acme\npk-lf-2:sk-lf-2 globex\n");
    context.config.auth.bearer_tokens_file = tokens.path();
    RawHttp client(context.start());
    REQUIRE(context.admission->load_tokens());
    const std::string type(json_type);
    const std::string path = "/api/public/otel/v1/traces";
    const std::pair<std::string, std::string> known[] = {
        {"Authorization: Basic " + to_base64("pk-lf-1:sk-lf-1"), "acme"},
        {"Authorization: Basic " + to_base64("pk-lf-2:sk-lf-2"), "globex"},
        {"X-API-Key: sk-lf-1", "acme"},
    };
    for (const auto& [field, tenant] : known) {
        INFO(field);
        const std::string request = post(path, "{}", type + field + "\r\n");
        CHECK(context.settle(request, Settlement::stored).status == 200);
        CHECK(context.last_tenant == tenant);
    }
    const RawResponse wrong = client.exchange(
        post(path, "{}", type + "Authorization: Basic " + to_base64("sk-lf-1:no") + "\r\n")
    );
    CHECK(wrong.status == 401);
    CHECK(wrong.body.find("user:password") != std::string::npos);
    CHECK(client.exchange(post(path, "{}", type + "x-api-key: no\r\n")).status == 401);
}

TEST_CASE("HTTP: without tokens whatever credentials a client shows are not looked at") {
    HttpReceiverContext context;
    context.start();
    for (const char* field :
         {"Authorization: Basic !", "Authorization: Digest x", "x-api-key: x"}) {
        const std::string fields = std::string(json_type) + field + "\r\n";
        CHECK(context.settle(traces("{}", fields), Settlement::stored).status == 200);
        CHECK(context.last_tenant.empty());
    }
}

TEST_CASE("HTTP: logs go to the inbox as logs, below every prefix, and are refused as traces are") {
    HttpReceiverContext context;
    context.config.http_path_prefixes = {"/collector"};
    context.start();
    for (const char* prefix : {"", "/collector", "/api/public/otel"}) {
        RawHttp client(context.receiver->port());
        client.send(post(std::string(prefix) + "/v1/logs", "{}", json_type));
        std::optional<RawRequest> request = context.inbox.next();
        REQUIRE(request);
        CHECK(request->signal == Signal::logs);
        REQUIRE(request->ticket->set_counts({.received = 5, .rejected = 3}));
        request->ticket->explain_rejected("too deep");
        request->ticket->settle(Settlement::stored);
        const RawResponse reply = client.receive();
        CHECK(reply.status == 200);
        CHECK(reply.body.find("\"rejectedLogRecords\":\"3\"") != std::string::npos);
        CHECK(reply.body.find("too deep") != std::string::npos);
    }
    RawHttp client(context.receiver->port());
    context.refuse("Kafka is away", 7);
    const RawResponse refused = client.exchange(post("/v1/logs", "{}", json_type));
    CHECK(refused.status == 503);
    CHECK(refused.field("Retry-After") == "7");
}

TEST_CASE("HTTP: metrics are read, counted and answered with success, whatever is full or away") {
    HttpReceiverContext context;
    context.refuse("Kafka is away", 7);
    RawHttp client(context.start());
    const std::string body(200'000, 'x');
    const RawResponse protobuf = client.exchange(post("/v1/metrics", body, protobuf_type));
    CHECK(protobuf.status == 200);
    CHECK(protobuf.field("Content-Type") == "application/x-protobuf");
    CHECK(protobuf.body.empty());
    CHECK(client.exchange(post("/v1/metrics", "{}", json_type)).body == "{}");
    CHECK(context.counted("spangate_request_bytes_total", "metrics") == 200'002);
    Lease all(context.budget);
    REQUIRE(all.grow_to(context.budget.bytes_max()));
    CHECK(client.exchange(post("/v1/metrics", "{}", json_type)).status == 200);
    CHECK(context.inbox.offered() == 0);
    CHECK(context.counted("spangate_requests_ignored_total", "metrics") == 3);
    CHECK(context.refused("delivery") == 0);
    CHECK(context.refused("memory") == 0);
}

TEST_CASE("HTTP: metrics obey the rules that are about the request itself") {
    HttpReceiverContext context;
    context.config.limits.request_bytes_max = 100'000;
    const testing::TokenFile tokens("secret acme\n");
    context.config.auth.bearer_tokens_file = tokens.path();
    RawHttp client(context.start());
    REQUIRE(context.admission->load_tokens());
    const std::string type(json_type);
    CHECK(client.exchange(post("/v1/metrics", "{}", type)).status == 401);
    const std::string known = "Authorization: Bearer secret\r\n";
    CHECK(client.exchange(post("/v1/metrics", "{}", known)).status == 415);
    const std::string gzip = type + known + "Content-Encoding: gzip\r\n";
    CHECK(client.exchange(post("/v1/metrics", "not gzip", gzip)).status == 400);
    const std::string large(100'001, 'x');
    CHECK(client.exchange(post("/v1/metrics", large, type + known)).status == 413);
    context.admission->close_intake();
    const RawResponse draining = client.exchange(post("/v1/metrics", "{}", type + known));
    CHECK(draining.status == 503);
    CHECK_FALSE(draining.field("Retry-After").empty());
}

TEST_CASE("HTTP: metrics go to the metrics inbox when there is one, past a refusing delivery") {
    HttpReceiverContext context;
    context.start();
    FakeInbox metrics_inbox;
    context.admission->send_metrics_to(metrics_inbox);
    context.refuse("Kafka is away", 7);
    RawHttp client(context.receiver->port());
    client.send(post("/v1/metrics", "{}", json_type));
    std::optional<RawRequest> request = metrics_inbox.next();
    REQUIRE(request);
    CHECK(request->signal == Signal::metrics);
    CHECK(request->body.view() == "{}");
    request->ticket->settle(Settlement::stored);
    CHECK(client.receive().status == 200);
    CHECK(context.inbox.offered() == 0);
    CHECK(context.counted("spangate_requests_ignored_total", "metrics") == 0);
}

TEST_CASE("HTTP: configured prefixes and those of Langfuse and LangSmith lead to the same place") {
    HttpReceiverContext context;
    context.config.http_path_prefixes = {"/collector/", "agents"};
    context.start();
    for (const char* prefix : {"", "/collector", "/agents", "/api/public/otel", "/otel"}) {
        const std::string request = post(std::string(prefix) + "/v1/traces", "{}", json_type);
        CHECK(context.settle(request, Settlement::stored).status == 200);
    }
    RawHttp client(context.receiver->port());
    CHECK(client.exchange(post("/other/v1/traces", "{}", json_type)).status == 404);
}

TEST_CASE("HTTP: a ticket may be settled when its client, or the receiver, is gone") {
    HttpReceiverContext context;
    RawHttp client(context.start());
    client.send(traces("{}", json_type));
    std::optional<RawRequest> first = context.inbox.next();
    REQUIRE(first);
    client.reset();
    first->ticket->settle(Settlement::stored);

    RawHttp other(context.receiver->port());
    other.send(traces("{}", json_type));
    std::optional<RawRequest> second = context.inbox.next();
    REQUIRE(second);
    context.receiver.reset();
    second->ticket->settle(Settlement::stored);
    CHECK(other.receive().status == 0);
    CHECK(context.budget.bytes_held() == 0);
}
