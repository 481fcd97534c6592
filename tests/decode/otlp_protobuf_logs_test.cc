// Log records in protobuf.
#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "decode/decoder.h"
#include "decode/otlp_protobuf.h"
#include "decode/span_limits.h"
#include "otlp_logs_oracle.h"

namespace spangate {
namespace {

using testing::OtlpLogs;
using LogRecord = opentelemetry::proto::logs::v1::LogRecord;

Result<DecodedItems> decoded(
    std::string_view body, Arena& arena, const ReceiverLimits& limits = {}
) {
    return decode_otlp_protobuf(Signal::logs, body, limits, arena);
}

// A length-delimited field around `inner`.
std::string wrapped(char tag, const std::string& inner) {
    std::string varint;
    std::size_t size = inner.size();
    for (; size >= 0x80; size >>= 7)
        varint += static_cast<char>(0x80 | (size & 0x7f));
    return tag + varint + static_cast<char>(size) + inner;
}

// `record` as the only one of a request.
std::string request_of(const std::string& record) {
    return wrapped('\x0a', wrapped('\x12', wrapped('\x12', record)));
}

// Three records, the second of which `spoil` may change before it is sent.
class Spoiled {
  public:
    template <typename Spoil>
    explicit Spoiled(Spoil&& spoil, const ReceiverLimits& limits = {}) {
        OtlpLogs request = testing::plain_logs(3);
        spoil(*request.mutable_resource_logs(0)->mutable_scope_logs(0)->mutable_log_records(1));
        body_ = request.SerializeAsString();
        Result<DecodedItems> logs = decoded(body_, arena_, limits);
        REQUIRE(logs.has_value());
        logs_ = std::move(*logs);
    }

    [[nodiscard]] const DecodedItems& logs() const { return logs_; }

    [[nodiscard]] const SpanView& record() const {
        REQUIRE(logs_.spans.size() == 3);
        return logs_.spans[1];
    }

  private:
    std::string body_;  // the views borrow from it
    Arena arena_;
    DecodedItems logs_;
};

}  // namespace

TEST_CASE("the views of log records say what the protobuf library reads") {
    const bool holds = rc::check([] {
        const OtlpLogs request = testing::generated_logs();
        const std::string body = request.SerializeAsString();
        Arena arena;
        const Result<DecodedItems> logs = decoded(body, arena);
        RC_ASSERT(logs.has_value());
        RC_ASSERT(logs->rejected == 0U);
        RC_ASSERT(
            testing::rebuilt_logs(*logs).SerializeAsString() ==
            testing::as_views_show(request).SerializeAsString()
        );
    });
    CHECK(holds);
}

TEST_CASE("a log record is a view with one time, a body and nothing that only spans have") {
    const Spoiled spoiled([](LogRecord& record) {
        record.set_observed_time_unix_nano(7);
        record.set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_WARN);
    });
    const SpanView& record = spoiled.record();
    REQUIRE(record.is_log());
    CHECK(record.start_unix_nano == 1'790'000'000'000'000'001U);
    CHECK(record.end_unix_nano == record.start_unix_nano);
    CHECK(record.log->observed_unix_nano == 7);
    CHECK(record.log->severity_number == 13);
    CHECK(record.log->event_name == "gen_ai.user.message");
    CHECK(record.log->body.key == "body");
    CHECK(record.log->body.value.text() == "hello");
    CHECK(record.log->body.treatment == Treatment::content);
    CHECK_FALSE(record.is_root());
    CHECK(is_zero(record.parent_span_id));
    CHECK(record.name.empty());
    CHECK(record.events.empty());
    CHECK(record.links.empty());
}

TEST_CASE("the decoder reads by the request's signal") {
    const std::string body = testing::plain_logs(2).SerializeAsString();
    Decoder decoder({});
    Arena arena;
    const auto decode_as = [&](Signal signal) {
        const RawRequest request = testing::raw_request(body, BodyEncoding::protobuf, signal);
        return decoder.decode(request, arena);
    };
    const Result<DecodedItems> logs = decode_as(Signal::logs);
    REQUIRE(logs.has_value());
    REQUIRE(logs->spans.size() == 2);
    CHECK(logs->spans[0].is_log());
    CHECK_FALSE(decode_as(Signal::traces).has_value());
    REQUIRE_FALSE(decode_as(Signal::metrics).has_value());
    CHECK(decode_as(Signal::metrics).error().code == ErrorCode::unsupported);
}

TEST_CASE("no text is copied out of a protobuf body of log records") {
    const std::string body = testing::plain_logs(1).SerializeAsString();
    Arena arena;
    const Result<DecodedItems> logs = decoded(body, arena);
    const std::string_view text = logs->spans[0].log->body.value.text();
    CHECK(text.data() > body.data());
    CHECK(text.data() < body.data() + body.size());
}

TEST_CASE("a log record with missing or wrong ids is kept, without them") {
    const auto without_trace = [](auto&& spoil) {
        const Spoiled spoiled(spoil);
        CHECK(spoiled.logs().rejected == 0);
        CHECK(is_zero(spoiled.record().trace_id));
        CHECK_FALSE(is_zero(spoiled.record().span_id));
    };
    without_trace([](LogRecord& record) { record.clear_trace_id(); });
    without_trace([](LogRecord& record) { record.set_trace_id("short"); });
    without_trace([](LogRecord& record) { record.set_trace_id(std::string(16, '\0')); });
    without_trace([](LogRecord& record) { record.set_trace_id(std::string(17, 'x')); });
    const Spoiled spanless([](LogRecord& record) { record.set_span_id("odd"); });
    CHECK(is_zero(spanless.record().span_id));
    CHECK_FALSE(is_zero(spanless.record().trace_id));
}

TEST_CASE("an empty log record is a log record") {
    const std::string body = request_of("");
    Arena arena;
    const Result<DecodedItems> logs = decoded(body, arena);
    REQUIRE(logs.has_value());
    REQUIRE(logs->spans.size() == 1);
    CHECK(logs->spans[0].log->body.value.kind == ValueKind::empty);
    CHECK(logs->spans[0].start_unix_nano == 0);
}

TEST_CASE("the last of a log record's doubled field wins") {
    const std::string body = request_of(
        std::string("\x2a\x03\x0a\x01") + "a" + "\x2a\x02\x18\x05" + "\x4a\x10" +
        "0123456789abcdef" + "\x4a\x01" + "x"
    );
    Arena arena;
    const Result<DecodedItems> logs = decoded(body, arena);
    REQUIRE(logs.has_value());
    REQUIRE(logs->spans.size() == 1);
    CHECK(logs->spans[0].log->body.value.integer == 5);
    CHECK(is_zero(logs->spans[0].trace_id));
}

TEST_CASE("a request of log records cut at any byte gives an error that names the place") {
    const std::string body = testing::plain_logs(1).SerializeAsString();
    for (std::size_t size = 1; size < body.size(); ++size) {
        Arena arena;
        const std::string cut = body.substr(0, size);
        const Result<DecodedItems> logs = decoded(cut, arena);
        REQUIRE_FALSE(logs.has_value());
        CHECK(logs.error().code == ErrorCode::invalid_argument);
        CHECK(logs.error().message.find("byte 0 of ExportLogsServiceRequest") < 99);
    }
}

TEST_CASE("a log record cut at any byte names the record, or has fewer fields") {
    const LogRecord whole = testing::plain_logs(1).resource_logs(0).scope_logs(0).log_records(0);
    const std::string record = whole.SerializeAsString();
    std::size_t faults = 0;
    for (std::size_t size = 0; size < record.size(); ++size) {
        Arena arena;
        const std::string body = request_of(record.substr(0, size));
        const Result<DecodedItems> logs = decoded(body, arena);
        LogRecord oracle;
        REQUIRE(logs.has_value() == oracle.ParseFromString(record.substr(0, size)));
        if (logs) continue;
        ++faults;
        CHECK(
            logs.error().message.find("resource_logs[0].scope_logs[0].log_records[0]: it ends") !=
            std::string::npos
        );
    }
    CHECK(faults > record.size() / 2);
}

TEST_CASE("a log record's known field with a wrong wire type is refused, an unknown one skipped") {
    Arena arena;
    for (const int field : {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12}) {
        const bool is_varint = field == 2 || field == 7;
        const std::string as_varint = {static_cast<char>(field << 3), '\x01'};
        const std::string as_bytes = {static_cast<char>((field << 3) | 2), '\x00'};
        const std::string body = request_of(is_varint ? as_bytes : as_varint);
        const Result<DecodedItems> logs = decoded(body, arena);
        INFO(field);
        REQUIRE_FALSE(logs.has_value());
        CHECK(logs.error().message.find("wrong wire type") != std::string::npos);
    }
    const std::string reserved = request_of("\x20\x01");
    CHECK(decoded(reserved, arena).has_value());
    const std::string later = request_of(
        "\x6a\x03"
        "abc"
    );
    CHECK(decoded(later, arena).has_value());
}

TEST_CASE("a count that is larger than the request is an error, not an allocation") {
    Arena arena;
    for (const char tag : {'\x1a', '\x2a', '\x32', '\x4a'}) {
        const std::string body = request_of(tag + std::string("\xff\xff\xff\xff\x07"));
        CHECK_FALSE(decoded(body, arena).has_value());
    }
    CHECK(arena.refills() <= 1);
}

TEST_CASE("limits reject the log record that breaks them, not the request") {
    ReceiverLimits limits;
    limits.attributes_per_span_max = 4;
    limits.nesting_depth_max = 3;
    const auto add_attributes = [](LogRecord& record) {
        for (int i = 0; i < 4; ++i)
            record.add_attributes();
    };
    const Spoiled many(add_attributes, limits);
    CHECK(many.logs().rejected_why == span_fault::attributes);
    CHECK(many.logs().spans.size() == 2);

    const auto nested = [&limits](int levels) {
        const auto nest = [levels](LogRecord& record) {
            auto* value = record.mutable_body();
            for (int i = 1; i < levels; ++i)
                value = value->mutable_kvlist_value()->add_values()->mutable_value();
            value->set_int_value(1);
        };
        return Spoiled(nest, limits).logs().rejected_why;
    };
    CHECK(nested(3).empty());
    CHECK(nested(4) == span_fault::depth);
}

TEST_CASE("log records over spans_per_request_max are rejected, counted, and called log records") {
    const std::string body = testing::plain_logs(10).SerializeAsString();
    ReceiverLimits limits;
    limits.spans_per_request_max = 4;
    Arena arena;
    const Result<DecodedItems> logs = decoded(body, arena, limits);
    REQUIRE(logs.has_value());
    CHECK(logs->spans.size() == 4);
    CHECK(logs->rejected == 6);
    CHECK(logs->rejected_why.find("log records") != std::string::npos);
}

TEST_CASE("a small body cannot make many log records or large bodies") {
    Arena arena;
    std::string empty_records;
    for (int i = 0; i < 50'000; ++i)
        empty_records += std::string("\x12\x00", 2);
    const std::string records = wrapped('\x0a', wrapped('\x12', empty_records));
    const Result<DecodedItems> many = decoded(records, arena);
    REQUIRE(many.has_value());
    CHECK(many->rejected_why == span_fault::room);
    CHECK(many->spans.size() + many->rejected == 50'000);

    const Spoiled large([](LogRecord& record) {
        for (int i = 0; i < 100'000; ++i)
            record.mutable_body()->mutable_array_value()->add_values();
    });
    CHECK(large.logs().rejected_why == span_fault::room);
    // What the rejected one took is gone; what comes behind it may find no room either.
    CHECK(large.logs().spans.size() + large.logs().rejected == 3);
}

TEST_CASE("a body of twenty thousand levels ends at the limit") {
    std::string value = "\x18\x01";  // int_value: 1
    for (int i = 0; i < 20'000; ++i)
        value = wrapped('\x2a', wrapped('\x0a', value));
    const std::string body = request_of(wrapped('\x2a', value));
    Arena arena;
    const Result<DecodedItems> logs = decoded(body, arena);
    REQUIRE(logs.has_value());
    CHECK(logs->rejected == 1);
    CHECK(logs->rejected_why == span_fault::depth);
}

TEST_CASE("a flipped bit in log records never crashes and leaves every view whole") {
    const std::string body = testing::plain_logs(3).SerializeAsString();
    Arena arena;
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        std::string flipped = body;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        arena.reset();
        const Result<DecodedItems> logs = decoded(flipped, arena);
        if (!logs) continue;
        for (const SpanView& record : logs->spans) {
            CHECK(record.resource != nullptr);
            CHECK(record.scope != nullptr);
            CHECK(record.is_log());
        }
    }
}

TEST_CASE("decoding log records in steady state takes nothing from the heap") {
    const RawRequest request = testing::raw_request(
        testing::plain_logs(64).SerializeAsString(), BodyEncoding::protobuf, Signal::logs
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
