#include "decode/otlp_json.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "decode/decoder.h"
#include "decode/span_limits.h"
#include "otlp_oracle.h"

namespace spangate {
namespace {

using testing::OtlpRequest;

// Decodes and keeps what the views point into.
class Request {
  public:
    explicit Request(std::string_view body, const ReceiverLimits& limits = {})
        : raw_(testing::raw_request(body, BodyEncoding::json)),
          decoder_(limits),
          result_(decoder_.decode(raw_, arena_)) {}

    [[nodiscard]] const Result<DecodedItems>& result() const { return result_; }

  private:
    RawRequest raw_;
    Arena arena_;
    Decoder decoder_;
    Result<DecodedItems> result_;
};

}  // namespace

TEST_CASE("OTLP/JSON gives the views that protobuf gives") {
    const bool holds = rc::check([] {
        const OtlpRequest request = testing::generated_request();
        const Request json(testing::as_otlp_json(request));
        RC_ASSERT(json.result().has_value());
        RC_ASSERT(json.result()->rejected == 0U);
        RC_ASSERT(
            testing::rebuilt(*json.result()).SerializeAsString() ==
            testing::with_spans_only(request).SerializeAsString()
        );
    });
    CHECK(holds);
}

TEST_CASE("JSON cut at any byte is an error that says so") {
    const std::string body = testing::as_otlp_json(testing::plain_request(2));
    REQUIRE(Request(body).result().has_value());
    for (std::size_t size = 0; size < body.size(); ++size) {
        const Request cut(body.substr(0, size));
        REQUIRE_FALSE(cut.result().has_value());
        CHECK(cut.result().error().code == ErrorCode::invalid_argument);
        CHECK(cut.result().error().message.starts_with("not "));
    }
}

TEST_CASE("a flipped bit of JSON never crashes") {
    const std::string body = testing::as_otlp_json(testing::plain_request(2));
    Decoder decoder({});
    Arena arena;
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        RawRequest raw = testing::raw_request(body, BodyEncoding::json);
        raw.body.data()[bit / 8] = static_cast<char>(raw.body.data()[bit / 8] ^ (1 << (bit % 8)));
        arena.reset();
        const Result<DecodedItems> traces = decoder.decode(raw, arena);
        if (!traces) continue;
        for (const SpanView& span : traces->spans)
            CHECK_FALSE(is_zero(span.trace_id));
    }
}

TEST_CASE("nesting of a hundred thousand levels is skipped when unknown and limited when known") {
    std::string deep;
    for (int i = 0; i < 100'000; ++i)
        deep += "[";
    for (int i = 0; i < 100'000; ++i)
        deep += "]";
    const Request unknown(R"({"future":)" + deep + R"(,"resourceSpans":[]})");
    CHECK(unknown.result().has_value());

    std::string value = R"({"intValue":1})";
    std::string open;
    std::string close;
    for (int i = 0; i < 100'000; ++i) {
        open += R"({"arrayValue":{"values":[)";
        close += "]}}";
    }
    const Request known(
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c",)"
        R"("spanId":"b7ad6b7169203331","attributes":[{"key":"deep","value":)" +
        open + value + close +
        R"(}]},{"traceId":"0af7651916cd43dd8448eb211c80319c",)"
        R"("spanId":"b7ad6b7169203332"}]}]}]})"
    );
    REQUIRE(known.result().has_value());
    CHECK(known.result()->rejected_why == span_fault::depth);
    CHECK(known.result()->spans.size() == 1);
}

TEST_CASE("limits reject spans of JSON as they do of protobuf") {
    ReceiverLimits limits;
    limits.spans_per_request_max = 4;
    const Request many(testing::as_otlp_json(testing::plain_request(10)), limits);
    REQUIRE(many.result().has_value());
    CHECK(many.result()->spans.size() == 4);
    CHECK(many.result()->rejected == 6);

    limits = {};
    limits.attributes_per_span_max = 0;
    const Request none(testing::as_otlp_json(testing::plain_request(3)), limits);
    REQUIRE(none.result().has_value());
    CHECK(none.result()->rejected == 3);
    CHECK(none.result()->rejected_why == span_fault::attributes);
}

TEST_CASE("a small JSON body cannot make large lists") {
    std::string items = "{}";
    for (int i = 0; i < 300'000; ++i)
        items += ",{}";
    const Request request(
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c",)"
        R"("spanId":"b7ad6b7169203331","attributes":[{"key":"k","value":{"arrayValue":{"values":[)" +
        items + "]}}}]}]}]}]}"
    );
    REQUIRE(request.result().has_value());
    CHECK(request.result()->rejected_why == span_fault::room);
}

TEST_CASE("a large JSON request leaves no large parser behind") {
    Decoder decoder({});
    Arena arena;
    const RawRequest large = testing::raw_request(
        testing::as_otlp_json(testing::plain_request(20'000)), BodyEncoding::json
    );
    const RawRequest small =
        testing::raw_request(testing::as_otlp_json(testing::plain_request(2)), BodyEncoding::json);
    REQUIRE(large.body.size() > 2'000'000);
    REQUIRE(decoder.decode(small, arena).has_value());
    const Result<DecodedItems> traces = decoder.decode(large, arena);
    REQUIRE(traces.has_value());
    CHECK(traces->spans.size() == 20'000);
    REQUIRE(decoder.decode(small, arena).has_value());
    CHECK(traces->spans[19'999].attributes[0].value.text() == "s-1");
}

TEST_CASE("JSON views stay valid while the decoder reads the next request") {
    Decoder decoder({});
    Arena arena;
    OtlpRequest escaped = testing::plain_request(1);
    escaped.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(0)->set_name("a\nb");
    const RawRequest first =
        testing::raw_request(testing::as_otlp_json(escaped), BodyEncoding::json);
    const RawRequest second =
        testing::raw_request(testing::as_otlp_json(testing::plain_request(5)), BodyEncoding::json);
    const Result<DecodedItems> traces = decoder.decode(first, arena);
    REQUIRE(decoder.decode(second, arena).has_value());
    CHECK(traces->spans[0].name == "a\nb");
}

}  // namespace spangate
