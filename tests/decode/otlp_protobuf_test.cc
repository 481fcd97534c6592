#include "decode/otlp_protobuf.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "decode/decoder.h"
#include "decode/span_limits.h"
#include "otlp_oracle.h"

namespace spangate {
namespace {

using testing::OtlpRequest;

Result<DecodedItems> decoded(
    std::string_view body, Arena& arena, const ReceiverLimits& limits = {}
) {
    return decode_otlp_protobuf(Signal::traces, body, limits, arena);
}

// `inner` as a field: its tag, its length, itself.
std::string wrapped(char tag, const std::string& inner) {
    std::string out(1, tag);
    std::size_t size = inner.size();
    for (; size >= 0x80; size >>= 7)
        out += static_cast<char>((size & 0x7f) | 0x80);
    return out + static_cast<char>(size) + inner;
}

// One span that `spoil` may change before it is sent.
template <typename Spoil>
DecodedItems decoded_with(Arena& arena, Spoil&& spoil, const ReceiverLimits& limits = {}) {
    OtlpRequest request = testing::plain_request(3);
    spoil(*request.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(1));
    // The views borrow from the body, so it has to outlive the call.
    static std::string body;
    body = request.SerializeAsString();
    Result<DecodedItems> traces = decoded(body, arena, limits);
    REQUIRE(traces.has_value());
    return *traces;
}

}  // namespace

TEST_CASE("the views say what the protobuf library reads") {
    const bool holds = rc::check([] {
        const OtlpRequest request = testing::generated_request();
        const std::string body = request.SerializeAsString();
        Arena arena;
        const Result<DecodedItems> traces = decoded(body, arena);
        RC_ASSERT(traces.has_value());
        RC_ASSERT(traces->rejected == 0U);
        RC_ASSERT(
            testing::rebuilt(*traces).SerializeAsString() ==
            testing::with_spans_only(request).SerializeAsString()
        );
    });
    CHECK(holds);
}

TEST_CASE("no text is copied out of a protobuf body") {
    const std::string body = testing::plain_request(1).SerializeAsString();
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena);
    const std::string_view name = traces->spans[0].name;
    CHECK(name.data() > body.data());
    CHECK(name.data() < body.data() + body.size());
}

TEST_CASE("an empty body is an empty request") {
    Arena arena;
    const Result<DecodedItems> traces = decoded({}, arena);
    REQUIRE(traces.has_value());
    CHECK(traces->spans.empty());
}

TEST_CASE("a request cut at any byte gives an error that names the place, or fewer spans") {
    const std::string body = testing::plain_request(3).SerializeAsString();
    for (std::size_t size = 1; size < body.size(); ++size) {
        Arena arena;
        const std::string cut = body.substr(0, size);
        const Result<DecodedItems> traces = decoded(cut, arena);
        REQUIRE_FALSE(traces.has_value());
        CHECK(traces.error().code == ErrorCode::invalid_argument);
        CHECK(traces.error().message.find("byte 0 of ExportTraceServiceRequest") < 99);
    }
}

TEST_CASE("a fault inside a span names the span") {
    // A span of one field: name with a length that reaches beyond the span.
    const std::string span = "\x2a\x7f";
    const std::string good = std::string("\x12\x02\x2a\x00", 4);
    const std::string scope_spans = good + "\x12\x02" + span;
    const std::string resource_spans = "\x12\x08" + scope_spans;
    const std::string body = "\x0a\x0a" + resource_spans;
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena);
    REQUIRE_FALSE(traces.has_value());
    CHECK(
        traces.error().message ==
        "not valid protobuf at byte 10 of ExportTraceServiceRequest.resource_spans[0]"
        ".scope_spans[0].spans[1]: it ends in the middle of a field"
    );
}

TEST_CASE("a known field with a wrong wire type is refused, an unknown one is skipped") {
    Arena arena;
    const Result<DecodedItems> wrong = decoded("\x08\x01", arena);
    REQUIRE_FALSE(wrong.has_value());
    CHECK(wrong.error().message.find("wrong wire type") != std::string::npos);
    CHECK(decoded("\x10\x01", arena).has_value());
    CHECK(decoded(
              "\x7a\x03"
              "abc",
              arena
    )
              .has_value());
}

TEST_CASE("the resource and the scope may stand behind their spans") {
    const std::string request = testing::plain_request(1).SerializeAsString();
    OtlpRequest resource_only;
    auto* attribute = resource_only.add_resource_spans()->mutable_resource()->add_attributes();
    attribute->set_key("service.name");
    attribute->mutable_value()->set_string_value("last");
    const std::string spans = testing::plain_request(1).resource_spans(0).SerializeAsString() +
                              resource_only.resource_spans(0).SerializeAsString();
    OtlpRequest joined;
    REQUIRE(joined.add_resource_spans()->ParseFromString(spans));
    const std::string body = std::string("\x0a") + static_cast<char>(spans.size()) + spans;
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena);
    REQUIRE(traces.has_value());
    REQUIRE(traces->spans.size() == 1);
    REQUIRE(traces->spans[0].resource->attributes.size() == 1);
    CHECK(traces->spans[0].resource->attributes[0].value.text() == "last");
}

TEST_CASE("a span with a wrong id is rejected alone and its reason told") {
    Arena arena;
    using Span = opentelemetry::proto::trace::v1::Span;
    const auto expect_rejected = [](const DecodedItems& traces, SpanFault why) {
        CHECK(traces.spans.size() == 2);
        CHECK(traces.rejected == 1);
        CHECK(traces.rejected_why == why);
    };
    const auto with = [&arena](auto&& spoil) {
        return decoded_with(arena, spoil);
    };
    expect_rejected(with([](Span& s) { s.clear_trace_id(); }), span_fault::trace_id);
    expect_rejected(with([](Span& s) { s.set_trace_id("short"); }), span_fault::trace_id);
    expect_rejected(
        with([](Span& s) { s.set_trace_id(std::string(16, '\0')); }), span_fault::trace_id
    );
    expect_rejected(with([](Span& s) { s.set_span_id("too long for it"); }), span_fault::span_id);
    expect_rejected(
        with([](Span& s) { s.set_span_id(std::string(8, '\0')); }), span_fault::span_id
    );
    expect_rejected(with([](Span& s) { s.set_parent_span_id("odd"); }), span_fault::parent_span_id);
}

TEST_CASE("a parent of zeros is no parent") {
    Arena arena;
    const DecodedItems traces =
        decoded_with(arena, [](auto& span) { span.set_parent_span_id(std::string(8, '\0')); });
    CHECK(traces.rejected == 0);
    CHECK(traces.spans[1].is_root());
}

TEST_CASE("a link without valid ids is left out and counted as dropped") {
    Arena arena;
    const DecodedItems traces = decoded_with(arena, [](auto& span) {
        span.set_dropped_links_count(4);
        span.add_links()->set_trace_id("short");
        auto* link = span.add_links();
        link->set_trace_id("0123456789abcdef");
        link->set_span_id("01234567");
        span.add_links();
    });
    CHECK(traces.rejected == 0);
    CHECK(traces.spans[1].links.size() == 1);
    CHECK(traces.spans[1].dropped_links == 6);
}

TEST_CASE("limits reject the span that breaks them, not the request") {
    Arena arena;
    ReceiverLimits limits;
    limits.attributes_per_span_max = 4;
    limits.nesting_depth_max = 3;
    const DecodedItems many = decoded_with(
        arena,
        [](auto& span) {
            for (int i = 0; i < 4; ++i)
                span.add_attributes();
        },
        limits
    );
    CHECK(many.rejected_why == span_fault::attributes);
    CHECK(many.spans.size() == 2);

    const auto nested = [&arena, &limits](int levels) {
        return decoded_with(
            arena,
            [levels](auto& span) {
                auto* value = span.add_attributes()->mutable_value();
                for (int i = 1; i < levels; ++i)
                    value = value->mutable_array_value()->add_values();
                value->set_int_value(1);
            },
            limits
        );
    };
    CHECK(nested(3).rejected == 0);
    CHECK(nested(4).rejected == 1);
    CHECK(nested(4).rejected_why == span_fault::depth);
}

TEST_CASE("a resource over a limit rejects all its spans") {
    OtlpRequest request = testing::plain_request(3);
    for (int i = 0; i < 5; ++i)
        request.mutable_resource_spans(0)->mutable_resource()->add_attributes();
    *request.add_resource_spans() = testing::plain_request(2).resource_spans(0);
    ReceiverLimits limits;
    limits.attributes_per_span_max = 4;
    const std::string body = request.SerializeAsString();
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena, limits);
    REQUIRE(traces.has_value());
    CHECK(traces->rejected == 3);
    CHECK(traces->spans.size() == 2);
}

TEST_CASE("spans over spans_per_request_max are rejected and counted exactly") {
    const std::string body = testing::plain_request(10).SerializeAsString();
    ReceiverLimits limits;
    limits.spans_per_request_max = 4;
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena, limits);
    REQUIRE(traces.has_value());
    CHECK(traces->spans.size() == 4);
    CHECK(traces->rejected == 6);
    CHECK(traces->rejected_why == span_fault::spans);
}

TEST_CASE("a small body cannot make large lists") {
    // Two bytes each on the wire, 48 in memory.
    OtlpRequest request = testing::plain_request(1);
    auto* value = request.mutable_resource_spans(0)
                      ->mutable_scope_spans(0)
                      ->mutable_spans(0)
                      ->add_attributes()
                      ->mutable_value();
    for (int i = 0; i < 100'000; ++i)
        value->mutable_kvlist_value()->add_values();
    const std::string body = request.SerializeAsString();
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena);
    REQUIRE(traces.has_value());
    CHECK(traces->rejected_why == span_fault::room);
}

TEST_CASE("nesting of twenty thousand levels ends at the limit") {
    std::string value = "\x18\x01";  // int_value: 1
    for (int i = 0; i < 20'000; ++i)
        value = wrapped('\x2a', wrapped('\x0a', value));
    const std::string attribute = wrapped('\x12', value);
    const std::string ids = std::string("\x0a\x10") + "0123456789abcdef\x12\x08" + "01234567";
    const std::string span = ids + wrapped('\x4a', attribute);
    const std::string body = wrapped('\x0a', wrapped('\x12', wrapped('\x12', span)));
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena);
    REQUIRE(traces.has_value());
    CHECK(traces->rejected_why == span_fault::depth);
}

TEST_CASE("a flipped bit never crashes and never makes a span with a wrong id") {
    const std::string body = testing::plain_request(3).SerializeAsString();
    Arena arena;
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        std::string flipped = body;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        const Result<DecodedItems> traces = decoded(flipped, arena);
        if (!traces) continue;
        for (const SpanView& span : traces->spans) {
            CHECK(span.resource != nullptr);
            CHECK_FALSE(is_zero(span.trace_id));
        }
    }
}

TEST_CASE("a million spans come through when the limit allows them") {
    const std::string span = wrapped(
        '\x12',
        testing::plain_request(1).resource_spans(0).scope_spans(0).spans(0).SerializeAsString()
    );
    std::string spans;
    for (int i = 0; i < 1'000'000; ++i)
        spans += span;
    const std::string body = wrapped('\x0a', wrapped('\x12', spans));
    ReceiverLimits limits;
    limits.spans_per_request_max = 2'000'000;
    Arena arena;
    const Result<DecodedItems> traces = decoded(body, arena, limits);
    REQUIRE(traces.has_value());
    CHECK(traces->spans.size() == 1'000'000);
}

TEST_CASE("a decoder in steady state takes nothing from the heap but the arena's blocks") {
    const RawRequest request = testing::raw_request(
        testing::plain_request(64).SerializeAsString(), BodyEncoding::protobuf
    );
    Decoder decoder({});
    Arena arena;
    REQUIRE(decoder.decode(request, arena).has_value());
    const std::uint64_t refills = arena.refills();
    for (int i = 0; i < 10; ++i) {
        arena.reset();
        REQUIRE(decoder.decode(request, arena).has_value());
    }
    CHECK(arena.refills() == refills);
}

}  // namespace spangate
