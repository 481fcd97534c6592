#include "base/url.h"

#include <optional>
#include <string_view>

#include <catch2/catch.hpp>

using namespace spangate;

TEST_CASE("an address may be host:port or a URL of http or https") {
    struct Case {
        std::string_view text;
        bool is_tls;
        std::string_view host;
        std::uint16_t port;
        std::string_view path;
    };

    const Case cases[] = {
        {"collector:4317", false, "collector", 4317, ""},
        {"127.0.0.1:1", false, "127.0.0.1", 1, ""},
        {"[::1]:4317", false, "::1", 4317, ""},
        {"http://collector", false, "collector", 80, ""},
        {"http://collector/", false, "collector", 80, ""},
        {"https://a.example.org", true, "a.example.org", 443, ""},
        {"https://a.example.org:8443/api/public/otel/",
         true,
         "a.example.org",
         8443,
         "/api/public/otel"},
        {"https://[fe80::1]/x", true, "fe80::1", 443, "/x"},
    };
    for (const Case& expected : cases) {
        INFO(expected.text);
        const std::optional<Url> url = parse_url(expected.text);
        REQUIRE(url);
        CHECK(url->is_tls == expected.is_tls);
        CHECK(url->host == expected.host);
        CHECK(url->port == expected.port);
        CHECK(url->path == expected.path);
    }
}

TEST_CASE("anything else is no address") {
    for (const std::string_view text :
         {"",
          "collector",
          ":4317",
          "collector:",
          "collector:0",
          "collector:65536",
          "collector:x",
          "collector:4317/x",
          "http://",
          "http://:80",
          "http://user@host",
          "http://user:pw@host",
          "http://host/?a=b",
          "http://host/a#b",
          "ftp://host",
          "grpc://host:1",
          "::1:4317",
          "[::1",
          "[host]:1",
          "http://ho st"}) {
        INFO(text);
        CHECK_FALSE(parse_url(text));
    }
}
