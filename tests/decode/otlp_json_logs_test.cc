// Log records in JSON: the forms, one by one, and the same faults as in protobuf.
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "decode/decoder.h"
#include "decode/span_limits.h"
#include "otlp_logs_oracle.h"

namespace spangate {
namespace {

using testing::OtlpLogs;

// Decodes and keeps what the views point into.
class Request {
  public:
    explicit Request(std::string_view body, const ReceiverLimits& limits = {})
        : raw_(testing::raw_request(body, BodyEncoding::json, Signal::logs)),
          decoder_(limits),
          result_(decoder_.decode(raw_, arena_)) {}

    // `members`: of a single log record.
    [[nodiscard]] static Request of_record(std::string_view members) {
        return Request(fmt::format(
            R"({{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{}}}]}}]}}]}})", members
        ));
    }

    // `value`: the AnyValue of a single log record's body.
    [[nodiscard]] static Request of_body(std::string_view value) {
        return of_record(fmt::format(R"("body":{})", value));
    }

    [[nodiscard]] const SpanView& record() const {
        REQUIRE(result_.has_value());
        REQUIRE(result_->spans.size() == 1);
        REQUIRE(result_->spans[0].is_log());
        return result_->spans[0];
    }

    [[nodiscard]] const LogRecordView& log() const { return *record().log; }

    [[nodiscard]] const Value& body() const { return log().body.value; }

    [[nodiscard]] std::string error() const { return result_ ? "" : result_.error().message; }

    [[nodiscard]] const Result<DecodedItems>& result() const { return result_; }

  private:
    RawRequest raw_;
    Arena arena_;
    Decoder decoder_;
    Result<DecodedItems> result_;
};

}  // namespace

TEST_CASE("OTLP/JSON gives the views of log records that protobuf gives") {
    const bool holds = rc::check([] {
        const OtlpLogs request = testing::generated_logs();
        const Request json(testing::as_otlp_json(request));
        RC_ASSERT(json.result().has_value());
        RC_ASSERT(json.result()->rejected == 0U);
        RC_ASSERT(
            testing::rebuilt_logs(*json.result()).SerializeAsString() ==
            testing::as_views_show(request).SerializeAsString()
        );
    });
    CHECK(holds);
}

TEST_CASE("a log record's ids are hex of either case, and what is no id is none") {
    const Request upper = Request::of_record(
        R"("traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"B7ad6b7169203331")"
    );
    CHECK(upper.record().trace_id[1] == 0xF7);
    CHECK(upper.record().span_id[0] == 0xB7);
    for (const char* id :
         {R"("")",
          "null",
          R"("0af7")",
          R"("CvdlGRbNQ92ESOshHIAxnA==")",
          R"("0af7651916cd43dd8448eb211c80319g")",
          R"("00000000000000000000000000000000")"}) {
        const Request request =
            Request::of_record(fmt::format(R"("traceId":{},"spanId":{})", id, id));
        INFO(id);
        CHECK(is_zero(request.record().trace_id));
        CHECK(is_zero(request.record().span_id));
        CHECK(request.result()->rejected == 0);
    }
}

TEST_CASE("times of log records may be strings or numbers; the record's time is start and end") {
    const Request request = Request::of_record(
        R"("timeUnixNano":"1790000000000000001","observedTimeUnixNano":1790000000000000002)"
    );
    CHECK(request.record().start_unix_nano == 1790000000000000001U);
    CHECK(request.record().end_unix_nano == 1790000000000000001U);
    CHECK(request.log().observed_unix_nano == 1790000000000000002U);
    const Request numbers =
        Request::of_record(R"("timeUnixNano":1790000000000000001,"observedTimeUnixNano":"7")");
    CHECK(numbers.record().start_unix_nano == 1790000000000000001U);
    CHECK(numbers.log().observed_unix_nano == 7);
    CHECK_FALSE(Request::of_record(R"("timeUnixNano":"soon")").error().empty());
    CHECK_FALSE(Request::of_record(R"("timeUnixNano":-1)").error().empty());
}

TEST_CASE("severityNumber is a number or the name of one") {
    const auto severity = [](std::string_view text) {
        return Request::of_record(fmt::format(R"("severityNumber":{})", text))
            .log()
            .severity_number;
    };
    CHECK(severity("9") == 9);
    CHECK(severity("-3") == -3);
    CHECK(severity("99999999999") == 0);
    const auto* names = opentelemetry::proto::logs::v1::SeverityNumber_descriptor();
    REQUIRE(names->value_count() == 25);
    for (int i = 0; i < names->value_count(); ++i) {
        INFO(names->value(i)->name());
        CHECK(severity(testing::quoted(names->value(i)->name())) == names->value(i)->number());
    }
    for (const char* unknown :
         {R"("")",
          R"("INFO")",
          R"("SEVERITY_NUMBER_")",
          R"("SEVERITY_NUMBER_INFO1")",
          R"("SEVERITY_NUMBER_INFO5")",
          R"("SEVERITY_NUMBER_INFO22")",
          R"("SEVERITY_NUMBER_2")"}) {
        INFO(unknown);
        CHECK(severity(unknown) == 0);
    }
    CHECK_FALSE(Request::of_record(R"("severityNumber":[])").error().empty());
}

TEST_CASE("the body of a log record may be of every kind") {
    CHECK(Request::of_body("null").body().kind == ValueKind::empty);
    CHECK(Request::of_body("{}").body().kind == ValueKind::empty);
    CHECK(Request::of_record("").body().kind == ValueKind::empty);
    CHECK(Request::of_record("").log().body.key == "body");
    CHECK(Request::of_body(R"({"stringValue":"a\nb"})").body().text() == "a\nb");
    CHECK(Request::of_body(R"({"boolValue":true})").body().boolean);
    CHECK(Request::of_body(R"({"intValue":"-7"})").body().integer == -7);
    CHECK(Request::of_body(R"({"intValue":7})").body().integer == 7);
    CHECK(Request::of_body(R"({"doubleValue":0.5})").body().real == 0.5);
    const Request bytes = Request::of_body(R"({"bytesValue":"aGk="})");
    CHECK(bytes.body().kind == ValueKind::bytes);
    CHECK(bytes.body().text() == "hi");
    const Request array = Request::of_body(R"({"arrayValue":{"values":[{"intValue":1},{}]}})");
    REQUIRE(array.body().kind == ValueKind::array);
    REQUIRE(array.body().array().size() == 2);
    CHECK(array.body().array()[1].kind == ValueKind::empty);
    const Request map = Request::of_body(
        R"({"kvlistValue":{"values":[{"key":"content","value":{"stringValue":"hi"}}]}})"
    );
    REQUIRE(map.body().kind == ValueKind::kvlist);
    REQUIRE(map.body().kvlist().size() == 1);
    CHECK(map.body().kvlist()[0].key == "content");
    CHECK_FALSE(Request::of_body(R"("bare")").error().empty());
}

TEST_CASE("null members of a log record count as absent, unknown ones are ignored") {
    const Request request = Request::of_record(
        R"("timeUnixNano":null,"severityNumber":null,"severityText":null,"body":null,)"
        R"("attributes":null,"flags":null,"droppedAttributesCount":null,"eventName":null,)"
        R"("severity_text":"snake","future":[{"a":1}],"observedTimeUnixNano":"5")"
    );
    CHECK(request.record().start_unix_nano == 0);
    CHECK(request.log().severity_text.empty());
    CHECK(request.log().observed_unix_nano == 5);
    CHECK(Request(R"({"resourceLogs":null,"resourceSpans":[7]})").result()->spans.empty());
}

TEST_CASE("the last of a doubled member of a log record wins") {
    const Request request = Request::of_record(
        R"("body":{"stringValue":"first"},"body":{},"eventName":"first","eventName":"last",)"
        R"("traceId":"0af7651916cd43dd8448eb211c80319c","traceId":"")"
    );
    CHECK(request.body().kind == ValueKind::empty);
    CHECK(request.log().event_name == "last");
    CHECK(is_zero(request.record().trace_id));
}

TEST_CASE("pretty-printed JSON with its scope behind its records is read whole") {
    const Request request(R"({
      "resourceLogs" : [ {
        "scopeLogs" : [ {
          "logRecords" : [ {
            "eventName" : "codex.user_prompt" ,
            "flags" : 1 ,
            "droppedAttributesCount" : 2 ,
            "severityText" : "INFO" ,
            "attributes" : [ { "key" : "k" , "value" : { "intValue" : "1" } } ]
          } ] ,
          "scope" : { "name" : "s" }
        } ] ,
        "resource" : { "attributes" : [ { "key" : "service.name" } ] }
      } ]
    })");
    CHECK(request.log().event_name == "codex.user_prompt");
    CHECK(request.log().severity_text == "INFO");
    CHECK(request.record().flags == 1);
    CHECK(request.record().dropped_attributes == 2);
    CHECK(request.record().attributes.size() == 1);
    CHECK(request.record().scope->name == "s");
    CHECK(request.record().resource->attributes.size() == 1);
}

TEST_CASE("log records of JSON cut at any byte are an error that says so") {
    const std::string body = testing::as_otlp_json(testing::plain_logs(2));
    REQUIRE(Request(body).result().has_value());
    for (std::size_t size = 0; size < body.size(); ++size) {
        const Request cut(body.substr(0, size));
        REQUIRE_FALSE(cut.result().has_value());
        CHECK(cut.result().error().code == ErrorCode::invalid_argument);
        CHECK(cut.result().error().message.starts_with("not "));
    }
}

TEST_CASE("a flipped bit in JSON log records never crashes and leaves every view whole") {
    const std::string body = testing::as_otlp_json(testing::plain_logs(2));
    Decoder decoder({});
    Arena arena;
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        RawRequest raw = testing::raw_request(body, BodyEncoding::json, Signal::logs);
        raw.body.data()[bit / 8] = static_cast<char>(raw.body.data()[bit / 8] ^ (1 << (bit % 8)));
        arena.reset();
        const Result<DecodedItems> logs = decoder.decode(raw, arena);
        if (!logs) continue;
        for (const SpanView& record : logs->spans)
            CHECK(record.is_log());
    }
}

TEST_CASE("limits reject log records of JSON as they do of protobuf") {
    ReceiverLimits limits;
    limits.spans_per_request_max = 4;
    const Request many(testing::as_otlp_json(testing::plain_logs(10)), limits);
    REQUIRE(many.result().has_value());
    CHECK(many.result()->spans.size() == 4);
    CHECK(many.result()->rejected == 6);
    CHECK(many.result()->rejected_why == span_fault::log_records);

    limits = {};
    limits.attributes_per_span_max = 0;
    const Request none(testing::as_otlp_json(testing::plain_logs(3)), limits);
    REQUIRE(none.result().has_value());
    CHECK(none.result()->rejected == 3);
    CHECK(none.result()->rejected_why == span_fault::attributes);

    std::string open;
    std::string close;
    for (int i = 0; i < 100'000; ++i) {
        open += R"({"arrayValue":{"values":[)";
        close += "]}}";
    }
    const Request deep = Request(
        R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":)" + open + "{}" + close +
        R"(},{"body":{}}]}]}]})"
    );
    REQUIRE(deep.result().has_value());
    CHECK(deep.result()->rejected_why == span_fault::depth);
    CHECK(deep.result()->spans.size() == 1);
}

TEST_CASE("a small JSON body cannot make many log records") {
    std::string records = "{}";
    for (int i = 1; i < 50'000; ++i)
        records += ",{}";
    const Request request(R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[)" + records + "]}]}]}");
    REQUIRE(request.result().has_value());
    CHECK(request.result()->rejected_why == span_fault::room);
    CHECK(request.result()->spans.size() + request.result()->rejected == 50'000);
}

TEST_CASE("an error in a log record names the place, never the text") {
    const Request request(
        R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{"eventName":"a secret","flags":"x"}]}]}]})"
    );
    CHECK(request.error().find("resourceLogs[0].scopeLogs[0].logRecords[1]") != std::string::npos);
    CHECK(request.error().find("secret") == std::string::npos);
}

TEST_CASE("one decoder reads traces and logs in turns") {
    Decoder decoder({});
    Arena arena;
    const RawRequest logs = testing::raw_request(
        testing::as_otlp_json(testing::plain_logs(3)), BodyEncoding::json, Signal::logs
    );
    const RawRequest broken = testing::raw_request(
        R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{}},{"body":7}]}]}]})",
        BodyEncoding::json,
        Signal::logs
    );
    for (int i = 0; i < 3; ++i) {
        const Result<DecodedItems> taken = decoder.decode(logs, arena);
        REQUIRE(taken.has_value());
        CHECK(taken->spans.size() == 3);
        CHECK_FALSE(decoder.decode(broken, arena).has_value());
    }
}

}  // namespace spangate
