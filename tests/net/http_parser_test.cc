#include "net/http_parser.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

using namespace spangate;

namespace {

class TextSink final : public BodySink {
  public:
    [[nodiscard]] bool take(std::string_view bytes) override {
        if (text.size() + bytes.size() > bytes_max) return false;
        text += bytes;
        return true;
    }

    std::string text;
    std::size_t bytes_max = 1'000'000;
};

constexpr std::string_view chunked_head =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("fields are found in either case, and the body's length is known") {
    HttpParser parser;
    HttpHead head;
    const std::string text =
        "POST /v1/traces?x=1 HTTP/1.1\r\nHost: a\r\ncontent-TYPE:  b/c \r\nContent-Length: "
        "12\r\n\r\n";
    REQUIRE_FALSE(parser.parse_head(text, 100, head));
    CHECK(head.method == "POST");
    CHECK(head.path == "/v1/traces");
    CHECK(head.field("Content-Type") == "b/c");
    CHECK(head.content_length == 12);
    CHECK(head.keeps_alive);
    CHECK_FALSE(head.is_chunked);
}

TEST_CASE("HTTP/1.0 closes unless it asks to stay") {
    HttpParser parser;
    HttpHead head;
    REQUIRE_FALSE(parser.parse_head("GET / HTTP/1.0\r\n\r\n", 100, head));
    CHECK_FALSE(head.keeps_alive);
    REQUIRE_FALSE(parser.parse_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 100, head));
    CHECK(head.keeps_alive);
}

TEST_CASE("a chunked body is the same however it is cut") {
    const std::string wire =
        "5\r\nhello\r\n1;name=value\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t step = 1; step <= wire.size(); ++step) {
        HttpParser parser;
        HttpHead head;
        REQUIRE_FALSE(parser.parse_head(chunked_head, 100, head));
        REQUIRE(head.is_chunked);
        TextSink sink;
        std::string waiting;
        bool is_done = false;
        for (std::size_t at = 0; at < wire.size(); at += step) {
            waiting += wire.substr(at, step);
            const HttpParser::ChunkProgress progress = parser.parse_chunks(waiting, sink);
            REQUIRE_FALSE(progress.is_malformed);
            waiting.erase(0, progress.bytes_used);
            is_done = progress.is_done;
        }
        REQUIRE(is_done);
        REQUIRE(waiting.empty());
        REQUIRE(sink.text == "hello 0123456789");
    }
}

TEST_CASE("what follows the last chunk is left for the next request") {
    HttpParser parser;
    HttpHead head;
    REQUIRE_FALSE(parser.parse_head(chunked_head, 100, head));
    TextSink sink;
    const std::string wire = "1\r\na\r\n0\r\n\r\n";
    const auto progress = parser.parse_chunks(wire + "GET / HTTP/1.1", sink);
    CHECK(progress.is_done);
    CHECK(progress.bytes_used == wire.size());
}

TEST_CASE("odd chunks are malformed") {
    for (const char* wire :
         {"g\r\n",
          "-1\r\na\r\n",
          "0x1\r\na\r\n0\r\n\r\n",
          " 1\r\na\r\n0\r\n\r\n",
          "1 \r\na\r\n0\r\n\r\n",
          "1\na\n0\n\n\r\n",
          "fffffffffffffffff\r\na",
          "1\r\nab\r\n0\r\n\r\n",
          "\r\n\r\n"}) {
        HttpParser parser;
        HttpHead head;
        REQUIRE_FALSE(parser.parse_head(chunked_head, 100, head));
        TextSink sink;
        INFO(wire);
        CHECK(parser.parse_chunks(wire, sink).is_malformed);
    }
}

TEST_CASE("a sink that is full stops the chunks") {
    HttpParser parser;
    HttpHead head;
    REQUIRE_FALSE(parser.parse_head(chunked_head, 100, head));
    TextSink sink;
    sink.bytes_max = 3;
    const auto progress = parser.parse_chunks("5\r\nhello\r\n0\r\n\r\n", sink);
    CHECK(progress.is_stopped);
    CHECK_FALSE(progress.is_malformed);
    CHECK_FALSE(progress.is_done);
}
