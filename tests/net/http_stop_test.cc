#include <chrono>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "net/http_server.h"
#include "support/http_context.h"
#include "support/raw_http.h"

using namespace spangate;
using namespace spangate::testing;
using namespace std::chrono_literals;

TEST_CASE("an endpoint that is taken or wrong is an error that names it") {
    HttpContext first;
    const std::uint16_t port = first.start();
    HttpContext second;
    second.options.endpoint = "127.0.0.1:" + std::to_string(port);
    const Status taken = second.try_start();
    REQUIRE_FALSE(taken);
    CHECK(taken.error().message.find(second.options.endpoint) != std::string::npos);
    second.options.endpoint = "nonsense";
    CHECK_FALSE(second.try_start());
}

TEST_CASE("a server that never started stops") {
    HttpContext context;
    auto server =
        HttpServer::listen(context.options, context.handler, context.clock, context.metrics);
    REQUIRE(server);
    (*server)->close_intake();
    CHECK((*server)->drain(std::chrono::steady_clock::now() + 5s));
}

TEST_CASE("closing the intake ends idle connections and lets requests under way finish") {
    HttpContext context;
    const std::uint16_t port = context.start();
    RawHttp idle(port);
    CHECK(idle.exchange(post("/echo", "x")).status == 200);
    RawHttp half(port);
    half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    );
    REQUIRE(
        half.receive().status == 100
    );  // the server has read the head: the request is under way
    half.send("ha");
    RawHttp waiting(port);
    waiting.send(post("/later", "x"));
    ReplyHandle reply = context.handler.next_reply();

    context.server->close_intake();

    CHECK(idle.is_closed_within(5s));
    CHECK_FALSE(RawHttp(port).is_connected());
    half.send("lf");
    const RawResponse finished = half.receive();
    CHECK(finished.body == "half");
    CHECK(finished.field("Connection") == "close");
    reply.send(HttpResponse());
    CHECK(waiting.receive().status == 200);
    half.close();
    waiting.close();
    CHECK(context.server->drain(std::chrono::steady_clock::now() + 5s));
}

TEST_CASE("what is not finished at the deadline is cut off") {
    HttpContext context;
    const std::uint16_t port = context.start();
    RawHttp waiting(port);
    waiting.send(post("/later", "x"));
    ReplyHandle reply = context.handler.next_reply();
    context.server->close_intake();
    CHECK_FALSE(context.server->drain(std::chrono::steady_clock::now() + 50ms));
    CHECK(waiting.is_closed_within(5s));
    reply.send(HttpResponse());
}
