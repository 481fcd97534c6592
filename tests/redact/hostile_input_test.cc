// Input made to be slow: every text is done in far less than a second, whatever it holds.
// The bounds are generous; what they catch is quadratic work, which takes minutes.
#include <chrono>
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "redact/text_redactor.h"

namespace spangate {
namespace {

constexpr std::size_t text_bytes = 1U << 18;
constexpr std::chrono::seconds time_max{4};  // a debug build under sanitizers

std::string repeated(std::string_view piece, std::size_t bytes = text_bytes) {
    std::string text;
    text.reserve(bytes + piece.size());
    while (text.size() < bytes)
        text += piece;
    return text;
}

void check_fast(const std::string& name, const std::string& text) {
    RedactConfig config;
    config.patterns = {{"ticket", "TKT-[0-9]{6}", "mask"}};
    const HashKey key("test key");
    const std::shared_ptr<const RuleSet> rules = *RuleSet::compile(config);
    TextRedactor texts(*rules, key);
    std::string out;
    const auto start = std::chrono::steady_clock::now();
    (void)texts.redact(text, {}, out);
    INFO(name);
    CHECK(std::chrono::steady_clock::now() - start < time_max);
}

TEST_CASE("repeated pieces that every detector starts at take linear time") {
    for (const std::string_view piece :
         {"@",
          "a@",
          "a@b.c",
          "a.b@",
          "1",
          "1 ",
          "1-",
          "0",
          "+1",
          "+1 ",
          "(2",
          "4111 ",
          "4111111111111111 ",
          "eyJ",
          "eyJ.",
          "eyJhbGciOiJ",
          ".eyJa",
          "eyJhbGciOiJIUzI1NiJ9.",
          "AKIA",
          "sk-",
          "ghp_",
          "SG.",
          "-",
          "-----BEGIN ",
          "-----BEGIN PRIVATE KEY-----",
          "://",
          "://a:b@",
          "://a:",
          "bearer ",
          "Basic YTpi",
          "token=",
          "password=",
          "key: ",
          "\"token\":",
          ":",
          "1:",
          "::",
          "fe80:",
          "00:",
          "1.",
          "255.",
          "DE89",
          "DE89 ",
          "\\",
          "\\\"",
          "\"@",
          "%40",
          "TKT-12345",
          "TKT-123456",
          "\xF0\x9F\x98\x80",
          "\xFF",
          "--token ",
          "--token '",
          "--password=",
          "dapi",
          "dapi12",
          "ab12cd",
          "/B",
          "/T0/B0/",
          "hooks.slack.com/services/",
          "/webhooks/123456789/",
          "JQQJ9",
          "+ASt",
          "+1(0)",
          "+49 30 ",
          "(0161) ",
          "phone 1",
          "tel 12 34 56 ",
          "phone: 0",
          "MAC:00:",
          "ip:fe80::",
          "version 1.",
          "電話1",
          "=",
          "_"}) {
        check_fast(std::string(piece), repeated(piece));
    }
}

TEST_CASE("hostile JSON takes linear time and little memory") {
    check_fast("deep arrays", std::string(100'000, '[') + std::string(100'000, ']'));
    check_fast("deep and open", std::string(text_bytes, '['));
    check_fast("deep objects", repeated("{\"a\":"));
    check_fast("many keys", "{" + repeated("\"jane@example.com\":1,") + "\"b\":2}");
    check_fast("many escapes", "[\"" + repeated("\\n\\u0040") + "\"]");
    check_fast("many strings", "[" + repeated("\"\\\"4111111111111111\",") + "1]");
    check_fast("many documents", repeated("{\"a\":\"\\n\"}"));
    check_fast("many wrong documents", repeated("{\"a\":1}x"));
    check_fast("open string", "[\"" + repeated("\\\""));
    std::string nested = "\"jane@example.com\"";
    for (int level = 0; level < 12; ++level) {
        std::string escaped = "[\"";
        append_json_escaped(nested, escaped);
        nested = escaped + "\"]";
    }
    check_fast("JSON in JSON in JSON", nested);
}

TEST_CASE("deep JSON is still redacted") {
    const HashKey key("test key");
    const std::shared_ptr<const RuleSet> rules = *RuleSet::compile({});
    TextRedactor texts(*rules, key);
    std::string out;
    const std::string text =
        std::string(100'000, '[') + "4111111111111111" + std::string(100'000, ']');
    REQUIRE(texts.redact(text, {}, out));
    CHECK(out.substr(99'999, 10) == "[\"[card]\"]");
}

}  // namespace
}  // namespace spangate
