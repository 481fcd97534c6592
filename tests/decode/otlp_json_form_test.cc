// The forms of OTLP/JSON, one by one.
#include <cmath>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "decode/decoder.h"
#include "decode/span_limits.h"
#include "otlp_oracle.h"

namespace spangate {
namespace {

constexpr const char* ids =
    R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331")";

class Request {
  public:
    explicit Request(std::string_view body)
        : raw_(testing::raw_request(body, BodyEncoding::json)),
          decoder_({}),
          result_(decoder_.decode(raw_, arena_)) {}

    // `members`: of a single span, beside its ids.
    [[nodiscard]] static Request of_span(std::string_view members) {
        return Request(fmt::format(
            R"({{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{}{}{}}}]}}]}}]}})",
            ids,
            members.empty() ? "" : ",",
            members
        ));
    }

    // `value`: the AnyValue of a single attribute.
    [[nodiscard]] static Request of_value(std::string_view value) {
        return of_span(fmt::format(R"("attributes":[{{"key":"k","value":{}}}])", value));
    }

    [[nodiscard]] const SpanView& span() const {
        REQUIRE(result_.has_value());
        REQUIRE(result_->spans.size() == 1);
        return result_->spans[0];
    }

    [[nodiscard]] const Value& value() const {
        REQUIRE(span().attributes.size() == 1);
        return span().attributes[0].value;
    }

    [[nodiscard]] std::string error() const { return result_ ? "" : result_.error().message; }

    [[nodiscard]] const Result<DecodedItems>& result() const { return result_; }

  private:
    RawRequest raw_;
    Arena arena_;
    Decoder decoder_;
    Result<DecodedItems> result_;
};

}  // namespace

TEST_CASE("ids are hex of either case") {
    const Request upper = Request::of_span(R"("parentSpanId":"ABCDEF0123456789")");
    CHECK(upper.span().parent_span_id[0] == 0xAB);
    CHECK(Request::of_span(R"("parentSpanId":"")").span().is_root());
    CHECK(Request::of_span(R"("parentSpanId":"0000000000000000")").span().is_root());
}

TEST_CASE("an id in base64 is refused as such, hex of a wrong length rejects the span") {
    const Request base64(
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"CvdlGRbNQ92ESOshHIAxnA=="}]}]}]})"
    );
    CHECK(base64.error().find("resourceSpans[0].scopeSpans[0].spans[0]") != std::string::npos);
    CHECK(base64.error().find("not base64") != std::string::npos);
    const Request brief(
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7","spanId":"b7"}]}]}]})"
    );
    REQUIRE(brief.result().has_value());
    CHECK(brief.result()->rejected_why == span_fault::trace_id);
}

TEST_CASE("enums are integers; names are refused and unknown numbers are unspecified") {
    CHECK(Request::of_span(R"("kind":3)").span().kind == SpanKind::client);
    CHECK(Request::of_span(R"("kind":77)").span().kind == SpanKind::unspecified);
    CHECK(Request::of_span(R"("kind":-1)").span().kind == SpanKind::unspecified);
    CHECK(Request::of_span(R"("status":{"code":2})").span().status_code == StatusCode::error);
    CHECK_FALSE(Request::of_span(R"("kind":"SPAN_KIND_CLIENT")").error().empty());
    CHECK_FALSE(Request::of_span(R"("status":{"code":"STATUS_CODE_OK"})").error().empty());
}

TEST_CASE("64-bit integers may be strings or numbers and stay exact") {
    const auto start = [](std::string_view text) {
        return Request::of_span(fmt::format(R"("startTimeUnixNano":{})", text))
            .span()
            .start_unix_nano;
    };
    CHECK(start(R"("1790000000000000001")") == 1790000000000000001U);
    CHECK(start("1790000000000000001") == 1790000000000000001U);
    CHECK(start("18446744073709551615") == 18446744073709551615U);
    CHECK(start("1.79e18") == 1790000000000000000U);
    CHECK(start("0") == 0);
    for (const char* wrong : {"-1", "1.5", R"("1.5")", R"("-1")", R"("")", R"(" 1")", "true", "[]"})
        CHECK_FALSE(
            Request::of_span(fmt::format(R"("startTimeUnixNano":{})", wrong)).error().empty()
        );
}

TEST_CASE("intValue is exact within 64 bits and a real beyond") {
    CHECK(Request::of_value(R"({"intValue":"9223372036854775807"})").value().integer == INT64_MAX);
    CHECK(Request::of_value(R"({"intValue":-9223372036854775808})").value().integer == INT64_MIN);
    CHECK(
        Request::of_value(R"({"intValue":9007199254740993})").value().integer == 9007199254740993
    );
    CHECK(Request::of_value(R"({"intValue":5.0})").value().integer == 5);
    const Request beyond = Request::of_value(R"({"intValue":100000000000000000000})");
    CHECK(beyond.value().kind == ValueKind::real);
    CHECK(beyond.value().real == 1e20);
    CHECK(Request::of_value(R"({"intValue":"100000000000000000000"})").value().real == 1e20);
    CHECK_FALSE(Request::of_value(R"({"intValue":"7 apples"})").error().empty());
}

TEST_CASE("doubleValue takes numbers and the three words") {
    CHECK(Request::of_value(R"({"doubleValue":0.1})").value().real == 0.1);
    CHECK(Request::of_value(R"({"doubleValue":7})").value().real == 7);
    CHECK(Request::of_value(R"({"doubleValue":123456789012345680000})").value().real > 1e20);
    CHECK(std::isnan(Request::of_value(R"({"doubleValue":"NaN"})").value().real));
    CHECK(Request::of_value(R"({"doubleValue":"Infinity"})").value().real > 1e308);
    CHECK(Request::of_value(R"({"doubleValue":"-Infinity"})").value().real < -1e308);
    CHECK_FALSE(Request::of_value(R"({"doubleValue":"inf"})").error().empty());
    CHECK_FALSE(Request::of_value(R"({"doubleValue":"many"})").error().empty());
}

TEST_CASE("bytesValue is base64 of either alphabet, padded or not") {
    CHECK(Request::of_value(R"({"bytesValue":"aGk="})").value().text() == "hi");
    CHECK(Request::of_value(R"({"bytesValue":"aGk"})").value().text() == "hi");
    CHECK(Request::of_value(R"({"bytesValue":"_-8="})").value().text() == "\xff\xef");
    CHECK(Request::of_value(R"({"bytesValue":""})").value().kind == ValueKind::bytes);
    CHECK_FALSE(Request::of_value(R"({"bytesValue":"a"})").error().empty());
    CHECK_FALSE(Request::of_value(R"({"bytesValue":"a*b="})").error().empty());
}

TEST_CASE("empty values, lists and maps keep their kind") {
    CHECK(Request::of_value("{}").value().kind == ValueKind::empty);
    CHECK(Request::of_value("null").value().kind == ValueKind::empty);
    CHECK(Request::of_value(R"({"stringValue":null})").value().kind == ValueKind::empty);
    CHECK(Request::of_value(R"({"arrayValue":{}})").value().kind == ValueKind::array);
    CHECK(Request::of_value(R"({"kvlistValue":{"values":[]}})").value().kind == ValueKind::kvlist);
    const Request nulls = Request::of_value(R"({"arrayValue":{"values":[null,{"intValue":1}]}})");
    REQUIRE(nulls.value().array().size() == 2);
    CHECK(nulls.value().array()[0].kind == ValueKind::empty);
}

TEST_CASE("snake_case and unknown keys are ignored at every level") {
    const Request request =
        Request::of_span(R"("start_time_unix_nano":"7","future":{"a":[1,{"b":null}]},"name":"n",)"
                         R"("attributes":[{"key":"k","value":{"intValue":"1","x":[]},"z":{}}],)"
                         R"("status":{"code":1,"deprecatedCode":"?"})");
    CHECK(request.span().start_unix_nano == 0);
    CHECK(request.span().name == "n");
    CHECK(request.value().integer == 1);
    CHECK(request.span().status_code == StatusCode::ok);
}

TEST_CASE("the last of a doubled key wins") {
    CHECK(Request::of_span(R"("name":"first","name":"last")").span().name == "last");
    const Request lists =
        Request::of_span(R"("attributes":[{"key":"a"},{"key":"b"}],"attributes":[{"key":"c"}])");
    REQUIRE(lists.span().attributes.size() == 1);
    CHECK(lists.span().attributes[0].key == "c");
    const std::string span = fmt::format("[{{{}}}]", ids);
    const Request spans(fmt::format(
        R"({{"resourceSpans":[{{"scopeSpans":[{{"spans":{},"spans":{}}}]}}]}})", span, span
    ));
    REQUIRE(spans.result().has_value());
    CHECK(spans.result()->spans.size() == 1);
    CHECK(Request::of_value(R"({"stringValue":"a","intValue":2})").value().integer == 2);
}

TEST_CASE("keys may be escaped and come in any order") {
    const Request request(fmt::format(
        R"({{"resource\u0053pans":[{{"scopeSpans":[{{"spans":[{{{}}}],"scope":{{"name":"s"}}}}],)"
        R"("resource":{{"attributes":[{{"value":{{"stringValue":"v"}},"key":"k"}}]}}}}]}})",
        ids
    ));
    CHECK(request.span().scope->name == "s");
    REQUIRE(request.span().resource->attributes.size() == 1);
    CHECK(request.span().resource->attributes[0].value.text() == "v");
}

TEST_CASE("text is unescaped, and half a surrogate pair becomes U+FFFD") {
    const auto name = [](std::string_view escaped) {
        return std::string(Request::of_span(fmt::format(R"("name":"{}")", escaped)).span().name);
    };
    CHECK(name(R"(a\n\"b\"\\\/\u00e9\ud83d\ude00)") == "a\n\"b\"\\/é😀");
    CHECK(name(R"(cut \ud83d)") == "cut \xEF\xBF\xBD");
    CHECK(name(R"(\ude00 cut)") == "\xEF\xBF\xBD cut");
    CHECK(name(R"(\ud83d\ud83d\ude00\\ud83d)") == "\xEF\xBF\xBD😀\\ud83d");
    CHECK(name(R"(\u0000)") == std::string(1, '\0'));
    CHECK_FALSE(Request::of_span(R"("name":"\q")").error().empty());
    CHECK_FALSE(Request::of_span(R"("name":"\u12g4")").error().empty());
}

TEST_CASE("a byte order mark is skipped, trailing bytes are refused") {
    CHECK(Request("\xEF\xBB\xBF{}").result().has_value());
    CHECK(Request("  {} \n").result().has_value());
    for (const char* body : {"{}{}", "{} x", "{}]", "{},", "{}\"a\"", "{} {}"})
        CHECK_FALSE(Request(body).error().empty());
}

TEST_CASE("what is not an object, not UTF-8 or not JSON is refused") {
    for (const char* body :
         {"",
          " ",
          "[]",
          "null",
          "7",
          "\"x\"",
          "{",
          "{\"resourceSpans\":{}}",
          "{\"resourceSpans\":[7]}",
          "{\"a\":\"\xff\"}",
          "{\"resourceSpans\":[}",
          "{\"a\":\"\n\"}"}) {
        const Request request(body);
        CHECK_FALSE(request.error().empty());
    }
    CHECK_FALSE(Request::of_span(R"("name":7)").error().empty());
    CHECK_FALSE(Request::of_span(R"("attributes":{})").error().empty());
    CHECK_FALSE(Request::of_value(R"({"boolValue":"true"})").error().empty());
    CHECK_FALSE(Request::of_value(R"({"stringValue":7})").error().empty());
    CHECK_FALSE(Request::of_span(R"("flags":4294967296)").error().empty());
}

TEST_CASE("an error names the place and the byte, never the text") {
    const Request request = Request::of_span(R"("name":"a secret","kind":"SPAN_KIND_SERVER")");
    CHECK(request.error().find("secret") == std::string::npos);
    CHECK(request.error().find("SPAN_KIND") == std::string::npos);
    CHECK(request.error().find("resourceSpans[0].scopeSpans[0].spans[0]") != std::string::npos);
}

}  // namespace spangate
