#include "net/http_client.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "support/certificates.h"
#include "support/http_context.h"

using namespace spangate;
using namespace spangate::testing;

namespace {

Url local(std::uint16_t port) {
    return {false, "127.0.0.1", port, ""};
}

std::unique_ptr<HttpClient> open(const Url& server, const std::string& ca_file = {}) {
    Result<std::unique_ptr<HttpClient>> client = HttpClient::open(server, ca_file);
    REQUIRE(client);
    return std::move(*client);
}

SteadyTime in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

Result<HttpClientReply> post(HttpClient& client, std::string_view path, std::string_view body) {
    return client.post(path, "text/plain", body, in(std::chrono::seconds(10)));
}

std::int64_t connections(HttpContext& context) {
    return context.metrics.gauge("spangate_http_connections", "", {{"listener", "test"}}).value();
}

}  // namespace

TEST_CASE("client: one connection carries many requests, large ones too") {
    HttpContext context;
    const auto client = open(local(context.start()));
    for (const std::size_t size : {0, 1, 30'000, 1'000'000}) {
        const auto reply = post(*client, "/echo", std::string(size, 'x'));
        if (size <= HttpClient::reply_body_bytes_max) REQUIRE(reply);
        if (reply) CHECK(reply->status == 200);
        if (size < HttpClient::reply_body_bytes_max) CHECK(connections(context) == 1);
    }
    CHECK(post(*client, "/echo", "again")->status == 200);
}

TEST_CASE("client: a reply whose body is over the limit still tells its status") {
    HttpContext context;
    const auto client = open(local(context.start()));
    const auto reply = post(*client, "/echo", std::string(500'000, 'x'));
    REQUIRE(reply);
    CHECK(reply->status == 200);
}

TEST_CASE("client: the path stands behind that of the server") {
    HttpContext context;
    Url url = local(context.start());
    CHECK(post(*open(url), "/other", "x")->status == 404);
    url.path = "/no";
    CHECK(post(*open(url), "/echo", "x")->status == 404);
}

TEST_CASE("client: a status and Retry-After are told") {
    HttpContext context;
    const auto client = open(local(context.start()));
    Result<HttpClientReply> reply = fail(ErrorCode::internal, "");
    std::thread caller([&] { reply = post(*client, "/later", "x"); });
    HttpResponse response;
    response.status = 429;
    response.fields.emplace_back("Retry-After", "7");
    context.handler.next_reply().send(std::move(response));
    caller.join();
    REQUIRE(reply);
    CHECK(reply->status == 429);
    CHECK(reply->retry_after == std::chrono::seconds(7));
}

TEST_CASE("client: a kept connection that the server closed is made anew") {
    HttpContext context;
    const std::uint16_t port = context.start();
    const auto client = open(local(port));
    REQUIRE(post(*client, "/echo", "x"));
    context.server.reset();
    context.options.endpoint = "127.0.0.1:" + std::to_string(port);
    context.start();
    const auto reply = post(*client, "/echo", "x");
    REQUIRE(reply);
    CHECK(reply->status == 200);
}

TEST_CASE("client: nobody there is unavailable, and later somebody may be") {
    HttpContext context;
    const std::uint16_t port = context.start();
    context.server.reset();
    const auto client = open(local(port));
    const auto refused = post(*client, "/echo", "x");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().message.find(std::to_string(port)) != std::string::npos);
    context.options.endpoint = "127.0.0.1:" + std::to_string(port);
    context.start();
    CHECK(post(*client, "/echo", "x"));
}

TEST_CASE("client: a server that does not answer is left at the deadline") {
    HttpContext context;
    const auto client = open(local(context.start()));
    const SteadyTime before = std::chrono::steady_clock::now();
    const auto late = client->post("/later", "text/plain", "x", in(std::chrono::milliseconds(100)));
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ErrorCode::unavailable);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    CHECK(post(*client, "/echo", "x"));
}

TEST_CASE("client: cancel() ends what is under way and all that follows") {
    HttpContext context;
    const auto client = open(local(context.start()));
    Result<HttpClientReply> reply = HttpClientReply{};
    std::thread caller([&] { reply = post(*client, "/later", "x"); });
    const ReplyHandle held = context.handler.next_reply();
    client->cancel();
    caller.join();
    CHECK_FALSE(reply);
    CHECK_FALSE(post(*client, "/echo", "x"));
}

TEST_CASE("client: TLS holds the certificate against the CA and the name") {
    const Certificates certificates;
    HttpContext context;
    context.options.tls.cert_file = certificates.certificate("server");
    context.options.tls.key_file = certificates.key("server");
    Url url = local(context.start());
    url.is_tls = true;
    url.host = "localhost";
    const std::string ca = certificates.certificate("ca");
    CHECK(post(*open(url, ca), "/echo", "x"));
    CHECK_FALSE(post(*open(url, certificates.certificate("other-ca")), "/echo", "x"));
    CHECK_FALSE(post(*open(url), "/echo", "x"));
    url.host = "127.0.0.1";
    CHECK(post(*open(url, ca), "/echo", "x"));
    url.host = "127.0.0.2";
    CHECK_FALSE(post(*open(url, ca), "/echo", "x"));
    CHECK_FALSE(HttpClient::open(url, "/nowhere/ca.pem"));
}
