#include "net/endpoint.h"

#include <catch2/catch.hpp>

using namespace spangate;

TEST_CASE("an endpoint is a host and a port") {
    const auto plain = parse_endpoint("127.0.0.1:4318");
    REQUIRE(plain);
    CHECK(plain->host == "127.0.0.1");
    CHECK(plain->port == 4318);
    CHECK(parse_endpoint("[::1]:4318")->host == "::1");
    CHECK(parse_endpoint("localhost:0")->port == 0);
    CHECK(parse_endpoint(":4318")->host.empty());
}

TEST_CASE("what is not host:port is refused with an example") {
    for (const char* text :
         {"", "4318", "localhost", "localhost:", "h:http", "h:70000", "::1:4318"})
        CHECK_FALSE(parse_endpoint(text));
    CHECK(parse_endpoint("nothing").error().message.find("127.0.0.1:4318") != std::string::npos);
}

TEST_CASE("loopback is what other machines cannot reach") {
    CHECK(is_loopback(*parse_endpoint("127.0.0.1:1")));
    CHECK(is_loopback(*parse_endpoint("127.9.9.9:1")));
    CHECK(is_loopback(*parse_endpoint("[::1]:1")));
    CHECK(is_loopback(*parse_endpoint("localhost:1")));
    CHECK_FALSE(is_loopback(*parse_endpoint("0.0.0.0:1")));
    CHECK_FALSE(is_loopback(*parse_endpoint(":1")));
    CHECK_FALSE(is_loopback(*parse_endpoint("[::]:1")));
}
