#include "net/http_server.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/eventually.h"
#include "support/http_context.h"
#include "support/raw_http.h"

using namespace spangate;
using namespace spangate::testing;
using namespace std::chrono_literals;

TEST_CASE("a connection serves one request after the other") {
    HttpContext context;
    RawHttp client(context.start());
    for (const std::size_t size : {0UL, 1UL, 8'191UL, 100'000UL, 900'000UL, 3UL}) {
        const std::string body(size, 'x');
        const RawResponse response = client.exchange(post("/echo", body));
        REQUIRE(response.status == 200);
        REQUIRE(response.body == body);
        REQUIRE(response.field("Connection") == "keep-alive");
    }
}

TEST_CASE("pipelined requests are answered one by one, in order") {
    HttpContext context;
    RawHttp client(context.start());
    client.send(
        post("/echo", "one") + "\r\n" + post("/later", "two") + post("/nothing", "three") +
        post("/echo", "four")
    );
    CHECK(client.receive().body == "one");
    HttpResponse response;
    response.body = "second";
    context.handler.next_reply().send(std::move(response));
    CHECK(client.receive().body == "second");
    CHECK(client.receive().status == 404);
    CHECK(client.receive().body == "four");
}

TEST_CASE("a request may arrive byte by byte") {
    HttpContext context;
    RawHttp client(context.start());
    for (const char c : post("/echo", "slowly"))
        client.send({&c, 1});
    CHECK(client.receive().body == "slowly");
}

TEST_CASE("a chunked body needs no length") {
    HttpContext context;
    RawHttp client(context.start());
    const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.send(head + "5\r\nhello\r\n");
    client.send("1\r\n \r\n5\r\nworld\r\n0\r\n\r\n");
    CHECK(client.receive().body == "hello world");
    std::string large;
    for (int i = 0; i < 50; ++i)
        large += "2710\r\n" + std::string(10'000, 'x') + "\r\n";
    const RawResponse response = client.exchange(head + large + "0\r\n\r\n");
    CHECK(response.status == 200);
    CHECK(response.body == std::string(500'000, 'x'));
}

TEST_CASE("a client that waits for 100 Continue gets it, or the refusal instead") {
    HttpContext context;
    const std::uint16_t port = context.start();
    RawHttp client(port);
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    CHECK(client.receive().status == 100);
    CHECK(client.exchange("hi").body == "hi");
    const RawResponse refused = client.exchange(
        "POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    CHECK(refused.status == 404);
    CHECK(refused.field("Connection") == "close");
}

TEST_CASE("HEAD is answered without the body") {
    HttpContext context;
    RawHttp client(context.start());
    client.send(get("/echo", "HEAD"));
    CHECK(client.receive(false).status == 200);
    CHECK(client.exchange(post("/echo", "next")).body == "next");
}

TEST_CASE("a request with two readings is answered 400 and the connection closed") {
    HttpContext context;
    const std::uint16_t port = context.start();
    const std::string tail = "\r\n5\r\nhello\r\n0\r\n\r\n";
    const std::vector<std::string> requests = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n" +
            tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n" +
            tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n" + tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n" + tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n" + tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n" + tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n" + tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0b"
        "chunked\r\n" +
            tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n" +
            tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n" + tail,
        "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + tail,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
        "POST /echo HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nX: b\rContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n folded\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\n Host: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "POST  /echo HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /ec ho HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 "
        "\r\nhello\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    };
    for (const std::string& request : requests) {
        RawHttp client(port);
        client.send(request + get("/echo"));
        INFO(request);
        const RawResponse response = client.receive();
        CHECK(response.status == 400);
        CHECK(response.field("Connection") == "close");
        CHECK(client.is_closed_within(5s));
    }
    CHECK(
        context.troubles("head_malformed") + context.troubles("body_malformed") == requests.size()
    );
}

TEST_CASE("another version of HTTP is answered 505") {
    HttpContext context;
    const std::uint16_t port = context.start();
    CHECK(RawHttp(port).exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status == 505);
    CHECK(RawHttp(port).exchange("GET / HTTP/1.2\r\nHost: a\r\n\r\n").status == 505);
}

TEST_CASE("a body over the limit is answered 413, announced or not") {
    HttpContext context;
    context.handler.body_bytes_max = 10'000;
    const std::uint16_t port = context.start();
    RawHttp announced(port);
    CHECK(announced.exchange(post("/echo", std::string(10'001, 'x'))).status == 413);
    // Small enough to be read and forgotten: the connection lives on.
    CHECK(announced.exchange(post("/echo", std::string(10'000, 'x'))).status == 200);

    RawHttp chunked(port);
    chunked.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i)
        chunked.send("3e8\r\n" + std::string(1'000, 'x') + "\r\n");
    CHECK(chunked.receive().status == 413);
    CHECK(chunked.is_closed_within(5s));

    // Much larger than the socket's buffers: the client still hears why.
    RawHttp large(port);
    large.send(post("/echo", std::string(8'000'000, 'x')));
    CHECK(large.receive().status == 413);
    CHECK(context.troubles("body_too_large") == 3);
}

TEST_CASE("a body without memory for it is refused before it is held") {
    HttpContext context;
    context.handler.memory_bytes_max = 1000;
    RawHttp client(context.start());
    CHECK(client.exchange(post("/echo", std::string(2'000, 'x'))).status == 503);
    CHECK(client.exchange(post("/echo", "small")).status == 200);
    CHECK(context.troubles("body_no_memory") == 1);
}

TEST_CASE("a head too large in bytes or fields is answered 431") {
    HttpContext context;
    context.options.limits.header_bytes_max = 4 * kib;
    const std::uint16_t port = context.start();
    RawHttp long_field(port);
    CHECK(
        long_field.exchange("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(5'000, 'x')).status ==
        431
    );
    std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 100; ++i)
        many += "X: y\r\n";
    CHECK(RawHttp(port).exchange(many + "\r\n").status == 431);
    CHECK(context.troubles("head_too_large") == 2);
}

TEST_CASE("slow heads and bodies are answered 408, silence is closed") {
    HttpContext context;
    context.options.limits.header_timeout = 200ms;
    context.options.limits.body_timeout = 200ms;
    context.options.limits.idle_timeout = 200ms;
    const std::uint16_t port = context.start();
    RawHttp head(port);
    head.send("GET / HTTP/1.1\r\nHost:");
    RawHttp body(port);
    body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    RawHttp silent(port);
    RawHttp idle(port);
    CHECK(idle.exchange(post("/echo", "x")).status == 200);

    CHECK(head.receive().status == 408);
    CHECK(head.is_closed_within(5s));
    CHECK(body.receive().status == 408);
    CHECK(body.is_closed_within(5s));
    CHECK(silent.is_closed_within(5s));
    CHECK(idle.is_closed_within(5s));
    CHECK(context.troubles("head_timeout") == 1);
    CHECK(context.troubles("body_timeout") == 1);
}

TEST_CASE("a body that trickles is given up before its whole time is over") {
    HttpContext context;
    context.options.limits.body_progress_window = 100ms;
    context.options.limits.body_progress_bytes_min = 1000;
    RawHttp client(context.start());
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + std::string(99, 'x')
    );
    CHECK(client.receive().status == 408);
}

TEST_CASE("connections are capped in all and by address, and freed places are given again") {
    HttpContext context;
    SECTION("in all") {
        context.options.limits.connections_max = 2;
    }
    SECTION("by address") {
        context.options.limits.connections_per_address_max = 2;
    }
    const std::uint16_t port = context.start();
    RawHttp first(port);
    CHECK(first.exchange(post("/echo", "1")).status == 200);
    auto second = std::make_unique<RawHttp>(port);
    CHECK(second->exchange(post("/echo", "2")).status == 200);
    RawHttp third(port);
    CHECK(third.exchange(post("/echo", "3")).status == 0);
    CHECK(context.troubles("connections_full") + context.troubles("address_full") == 1);

    second.reset();
    CHECK(eventually([&] { return RawHttp(port).exchange(post("/echo", "4")).status == 200; }));
}

TEST_CASE("without descriptors accepting pauses, and goes on when they are back") {
    HttpContext context;
    const std::uint16_t port = context.start();
    RawHttp waiting(port);
    CHECK(waiting.exchange(post("/echo", "1")).status == 200);
    RawHttp client(port);  // its own descriptor before they run out
    CHECK(client.exchange(post("/echo", "1")).status == 200);
    const int reserve = ::dup(0);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(reserve) + 1;
    ::setrlimit(RLIMIT_NOFILE, &tight);
    ::close(reserve);
    RawHttp starved(port);  // takes the last one: the server has none to accept with
    REQUIRE(starved.is_connected());
    CHECK(eventually([&] { return context.troubles("accept_failed") > 0; }));
    CHECK(client.exchange(post("/echo", "2")).status == 200);
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(starved.exchange(post("/echo", "3")).status == 200);
}

TEST_CASE("a reply may come from another thread, and much later than the client left") {
    HttpContext context;
    const std::uint16_t port = context.start();
    RawHttp client(port);
    client.send(post("/later", "x"));
    std::thread([reply = context.handler.next_reply()]() mutable {
        HttpResponse response;
        response.body = "from elsewhere";
        reply.send(std::move(response));
    }).join();
    CHECK(client.receive().body == "from elsewhere");

    client.send(post("/later", "x"));
    ReplyHandle late = context.handler.next_reply();
    client.reset();
    late.send(HttpResponse());
    late.send(HttpResponse());  // does nothing

    RawHttp other(port);
    other.send(post("/later", "x"));
    ReplyHandle last = context.handler.next_reply();
    context.server.reset();
    last.send(HttpResponse());
    CHECK(other.receive().status == 0);
}

TEST_CASE("a reply that is dropped or overdue is answered 503") {
    HttpContext context;
    context.options.limits.reply_timeout = 200ms;
    const std::uint16_t port = context.start();
    CHECK(RawHttp(port).exchange(post("/drop", "x")).status == 503);
    RawHttp client(port);
    CHECK(client.exchange(post("/later", "x")).status == 503);
    context.handler.next_reply().send(HttpResponse());
    CHECK(client.is_closed_within(5s));
    CHECK(context.troubles("reply_timeout") == 1);
}

TEST_CASE("a handler that throws costs one connection") {
    HttpContext context;
    const std::uint16_t port = context.start();
    CHECK(RawHttp(port).exchange(post("/throw", "x")).status == 0);
    CHECK(RawHttp(port).exchange(post("/echo", "x")).status == 200);
    CHECK(context.troubles("exception") == 1);
}

TEST_CASE("many clients at once are all answered") {
    HttpContext context;
    const std::uint16_t port = context.start();
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 16; ++i) {
        clients.emplace_back([port, i, &answered] {
            RawHttp client(port);
            const std::string body(static_cast<std::size_t>(i) * 5'000, 'x');
            for (int k = 0; k < 50; ++k)
                answered += client.exchange(post("/echo", body)).body == body ? 1 : 0;
        });
    }
    for (std::thread& client : clients)
        client.join();
    CHECK(answered == 16 * 50);
}
