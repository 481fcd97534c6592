#include "digest/canonical_json.h"

#include <limits>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

std::string canonical(std::string_view text) {
    std::string out;
    return std::string(canonical_json(text, out));
}

std::string canonical(const Value& value) {
    std::string out;
    return std::string(canonical_json(value, out));
}

std::string shape(std::string_view text) {
    std::string out;
    return std::string(json_shape(text, out));
}

TEST_CASE("the example of RFC 8785 3.2.2 has its published form") {
    const std::string_view input = R"({
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    })";
    CHECK(
        canonical(input) ==
        "{\"literals\":[null,true,false],"
        "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
    );
}

TEST_CASE("keys are sorted by UTF-16 code units, as in RFC 8785 3.2.3") {
    const std::string_view input = R"({
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis"
    })";
    const std::string output = canonical(input);
    std::size_t last = 0;
    for (const std::string_view name :
         {"Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"}) {
        const std::size_t at = output.find(name);
        REQUIRE(at != std::string::npos);
        CHECK(at > last);
        last = at;
    }
}

TEST_CASE("numbers have the ECMAScript form, as in RFC 8785 appendix B") {
    const std::pair<std::string_view, std::string_view> pairs[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"5e-324", "5e-324"},
        {"-5e-324", "-5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"9007199254740992", "9007199254740992"},
        {"9007199254740993", "9007199254740992"},
        {"-9007199254740992", "-9007199254740992"},
        {"295147905179352830000.0", "295147905179352830000"},
        {"9.999999999999997e22", "9.999999999999997e+22"},
        {"1e23", "1e+23"},
        {"1.0000000000000001e23", "1.0000000000000001e+23"},
        {"999999999999999700000.0", "999999999999999700000"},
        {"1e21", "1e+21"},
        {"1e20", "100000000000000000000"},
        {"9.999999999999997e-7", "9.999999999999997e-7"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"333333333.3333332", "333333333.3333332"},
        {"1424953923781206.2", "1424953923781206.2"},
        {"10", "10"},
        {"1.50", "1.5"},
    };
    for (const auto& [input, output] : pairs) {
        INFO(input);
        CHECK(canonical(input) == output);
    }
}

TEST_CASE("what is not JSON is its own bytes") {
    for (const std::string_view text :
         {"",
          "hello",
          "{",
          "{\"a\":1,}",
          "nul",
          "[1 2]",
          "\xff",
          "1e999",
          "123456789012345678901234567890",
          "{\"a\":\"\xff\"}",
          "{} x"}) {
        CHECK(canonical(text) == text);
    }
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    CHECK(canonical(deep) == deep);
}

TEST_CASE("JSON inside a JSON string is unwrapped once") {
    CHECK(canonical(R"("{\"b\":1, \"a\":2}")") == R"({"a":2,"b":1})");
    CHECK(canonical(R"("hello")") == R"("hello")");
    CHECK(canonical(R"("\"{}\"")") == R"("{}")");
    CHECK(canonical(R"({"arguments":"{ }"})") == R"({"arguments":"{ }"})");
}

TEST_CASE("the last of several equal keys wins") {
    CHECK(canonical(R"({"a":1,"b":2,"a":3})") == R"({"a":3,"b":2})");
}

TEST_CASE("an OTLP value has the canonical form of the JSON that says the same") {
    Attribute entries[] = {{"b", Value::of(std::int64_t{1})}, {"a", Value::of(2.5)}};
    const Value items[] = {
        Value::of(std::string_view("{ }")),
        Value::of(true),
        Value{},
        Value::of(std::span<Attribute>(entries))};
    CHECK(
        canonical(Value::of(std::span<const Value>(items))) ==
        R"(["{ }",true,null,{"a":2.5,"b":1}])"
    );
    CHECK(canonical(Value::of(std::string_view(R"({"b":1, "a":2.5})"))) == R"({"a":2.5,"b":1})");
    CHECK(canonical(Value::of(std::numeric_limits<double>::quiet_NaN())) == R"("NaN")");
    Value bytes = Value::of(std::string_view("\x01\x02", 2));
    bytes.kind = ValueKind::bytes;
    CHECK(canonical(bytes) == R"("AQI=")");
}

TEST_CASE("a shape forgets numbers, UUIDs and times, and nothing else") {
    CHECK(shape(R"({"page":3,"q":"x"})") == R"({"page":<number>,"q":"x"})");
    CHECK(shape(R"({"page":-1.5e-7})") == R"({"page":-<number>})");
    CHECK(shape(R"({"id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"})") == R"({"id":"<uuid>"})");
    CHECK(shape(R"("2024-05-01T10:11:12.123Z")") == R"("<time>")");
    CHECK(shape(R"("2024-05-01 and gpt4 v2")") == R"("<time> and gpt4 v2")");
    CHECK(shape("order-12 17") == "order-<number> <number>");
}

}  // namespace
}  // namespace spangate
