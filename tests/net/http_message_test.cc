#include "net/http_message.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

using namespace spangate;
using namespace std::string_view_literals;

TEST_CASE("a head ends with the empty line, however it is cut into pieces") {
    constexpr std::string_view head = "POST /v1/traces HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string bytes = std::string(head) + "body";
    for (std::size_t scanned = 0; scanned < head.size(); ++scanned) {
        REQUIRE(
            scan_head(std::string_view(bytes).substr(0, scanned), 0).state == HeadState::incomplete
        );
        const HeadScan scan = scan_head(bytes, scanned);
        REQUIRE(scan.state == HeadState::complete);
        REQUIRE(scan.bytes == head.size());
    }
}

TEST_CASE("what two readers could understand differently is malformed") {
    for (const std::string_view bytes : {
             "GET / HTTP/1.1\nHost: a\n\n"sv,
             "GET / HTTP/1.1\r\nHost: a\r\rX: b\r\n"sv,
             "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"sv,
             "GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n\r\n"sv,
             "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"sv,
             "\x16\x03\x01"sv,
             " GET / HTTP/1.1\r\n"sv,
         }) {
        CHECK(scan_head(bytes, 0).state == HeadState::malformed);
    }
}

TEST_CASE("the path is the target without scheme, authority and query") {
    CHECK(path_of("/v1/traces") == "/v1/traces");
    CHECK(path_of("/v1/traces?a=/b") == "/v1/traces");
    CHECK(path_of("http://host:1/v1/traces?x") == "/v1/traces");
    CHECK(path_of("http://host") == "/");
    CHECK(path_of("*") == "*");
}

TEST_CASE("a response head tells length, type and what becomes of the connection") {
    HttpResponse response;
    response.status = 503;
    response.body = "later";
    response.fields.emplace_back("Retry-After", "3");
    const std::string head = format_response_head(response, false);
    CHECK(head.starts_with("HTTP/1.1 503 Service Unavailable\r\nDate: "));
    CHECK(head.find("\r\nContent-Length: 5\r\n") != std::string::npos);
    CHECK(head.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(head.find("\r\nRetry-After: 3\r\n") != std::string::npos);
    CHECK(head.ends_with("\r\n\r\n"));
}
