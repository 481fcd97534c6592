// The records of a log record, in both encodings.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <simdjson.h>

#include "base/text.h"
#include "proto/spangate/v1/events.pb.h"
#include "released_context.h"

namespace spangate {
namespace {

namespace dom = simdjson::dom;

constexpr int reader_depth = 200;  // as events.proto tells readers
constexpr std::int64_t exact_integer_max = (std::int64_t{1} << 53) - 1;

class LogContext : public RedactorContext {
  public:
    LogContext() { become_log(); }

    // The detail in both encodings; valid until the next call.
    void encode_detail() {
        const ReleasedBatch batch = redact({item()});
        text = encoded(batch.items[0], EventClass::detail);
        INFO(text);
        REQUIRE(parser.parse(text).get(json) == simdjson::SUCCESS);
        const std::string bytes =
            encoded(batch.items[0], EventClass::detail, EventEncoding::protobuf);
        google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
        google::protobuf::io::CodedInputStream coded(&stream);
        coded.SetRecursionLimit(reader_depth);
        REQUIRE(proto.ParseFromCodedStream(&coded));
    }

    [[nodiscard]] bool has(std::string_view name) const {
        return json.at_key(name).error() == simdjson::SUCCESS;
    }

    [[nodiscard]] std::string member(std::string_view name) const {
        std::string_view found;
        if (json.at_key(name).get(found) != simdjson::SUCCESS) return "(absent)";
        return std::string(found);
    }

    std::string text;
    dom::parser parser;
    dom::object json;
    v1::Event proto;
};

bool same(dom::element json, const v1::AttributeValue& proto);

bool same_texts(dom::element json, const std::string& text) {
    return json.is_string() && std::string_view(json) == text;
}

bool same_objects(dom::element json, const v1::AttributeList& proto) {
    if (!json.is_object() || dom::object(json).size() != std::size_t(proto.values_size())) {
        return false;
    }
    for (const v1::Attribute& entry : proto.values()) {
        dom::element member;
        if (dom::object(json).at_key(entry.key()).get(member) != simdjson::SUCCESS) return false;
        if (!same(member, entry.value())) return false;
    }
    return true;
}

bool same_arrays(dom::element json, const v1::AttributeArray& proto) {
    if (!json.is_array() || dom::array(json).size() != std::size_t(proto.values_size())) {
        return false;
    }
    int i = 0;
    for (const dom::element item : dom::array(json)) {
        if (!same(item, proto.values(i++))) return false;
    }
    return true;
}

// The rules of contract §7, told once more.
bool same(dom::element json, const v1::AttributeValue& proto) {
    switch (proto.value_case()) {
        case v1::AttributeValue::VALUE_NOT_SET:
            return json.is_null();
        case v1::AttributeValue::kStringValue:
            return same_texts(json, proto.string_value());
        case v1::AttributeValue::kBoolValue:
            return json.is_bool() && bool(json) == proto.bool_value();
        case v1::AttributeValue::kIntValue: {
            const std::int64_t number = proto.int_value();
            if (std::abs(number) > exact_integer_max) {
                return same_texts(json, std::to_string(number));
            }
            return json.is_int64() && std::int64_t(json) == number;
        }
        case v1::AttributeValue::kDoubleValue: {
            const double number = proto.double_value();
            if (std::isnan(number)) return same_texts(json, "NaN");
            if (std::isinf(number)) return same_texts(json, number > 0 ? "Infinity" : "-Infinity");
            return json.is_number() && double(json) == number;
        }
        case v1::AttributeValue::kBytesValue:
            return same_texts(json, to_base64(proto.bytes_value()));
        case v1::AttributeValue::kArrayValue:
            return same_arrays(json, proto.array_value());
        case v1::AttributeValue::kKvlistValue:
            return same_objects(json, proto.kvlist_value());
    }
    return false;
}

}  // namespace

TEST_CASE("the detail of a log record has body, severity, event name and observed time") {
    LogContext context;
    context.span.trace_id.fill(0x11);
    context.span.span_id.fill(0x22);
    context.log.body.value = Value::of("Hello");
    context.log.severity_text = "Warning";
    context.log.severity_number = 13;
    context.log.event_name = "claude_code.tool_result";
    context.log.observed_unix_nano = 1'790'000'000'000'000'001;
    context.encode_detail();
    CHECK(context.member("source") == "log");
    CHECK(context.member("trace_id") == std::string(32, '1'));
    CHECK(context.member("span_id") == std::string(16, '2'));
    CHECK(context.member("body") == "Hello");
    CHECK(context.member("severity") == "Warning");
    CHECK(context.member("event_name") == "claude_code.tool_result");
    CHECK(context.member("observed_ts") == "2026-09-21T14:13:20.000000001Z");
    for (const std::string_view name :
         {"name", "kind", "status_message", "events", "links", "parent_span_id"}) {
        CHECK_FALSE(context.has(name));
    }
    CHECK(context.proto.source() == "log");
    CHECK(context.proto.body().string_value() == "Hello");
    CHECK(context.proto.severity() == "Warning");
    CHECK(context.proto.event_name() == "claude_code.tool_result");
    CHECK(context.proto.observed_ts() == "2026-09-21T14:13:20.000000001Z");
    CHECK_FALSE(context.proto.has_name());
    CHECK_FALSE(context.proto.has_kind());
}

TEST_CASE("what a log record does not tell is left out") {
    LogContext context;
    context.log.observed_unix_nano = std::numeric_limits<std::uint64_t>::max();
    for (const Value& empty : {Value{}, Value::of(""), Value::of(std::span<Attribute>())}) {
        context.log.body.value = empty;
        context.encode_detail();
        for (const std::string_view name :
             {"body", "severity", "event_name", "observed_ts", "trace_id", "span_id"}) {
            INFO(name);
            CHECK_FALSE(context.has(name));
        }
        CHECK_FALSE(context.proto.has_body());
        CHECK_FALSE(context.proto.has_severity());
        CHECK_FALSE(context.proto.has_event_name());
        CHECK_FALSE(context.proto.has_observed_ts());
        CHECK_FALSE(context.proto.has_trace_id());
    }
}

TEST_CASE("without a text the severity is the name of its number") {
    LogRecordView log;
    const auto severity = [&](std::int32_t number) {
        log.severity_number = number;
        return severity_of(log);
    };
    CHECK(severity(1) == "TRACE");
    CHECK(severity(8) == "DEBUG4");
    CHECK(severity(9) == "INFO");
    CHECK(severity(14) == "WARN2");
    CHECK(severity(17) == "ERROR");
    CHECK(severity(24) == "FATAL4");
    for (const std::int32_t unknown : {0, 25, -1, std::numeric_limits<std::int32_t>::min()})
        CHECK(severity(unknown).empty());
}

TEST_CASE("the operational record of a log record has nothing of its content") {
    LogContext context;
    context.log.body.value = Value::of("Hello");
    context.log.severity_text = "Warning";
    context.log.event_name = "an.event";
    const ReleasedBatch batch = context.redact({context.item()});
    const std::string json = encoded(batch.items[0], EventClass::operational);
    CHECK(json.find("\"source\":\"log\"") != std::string::npos);
    for (const std::string_view content : {"Hello", "Warning", "an.event", "severity", "body"})
        CHECK(json.find(content) == std::string::npos);
}

TEST_CASE("a severity that the event itself has stands once") {
    LogContext context;
    context.fields.put(FieldValue::of_text(FieldId::severity, "high"));
    context.log.severity_text = "Warning";
    const ReleasedBatch batch = context.redact({context.item({EventType::policy_intervention})});
    const std::string json = encoded(batch.items[0], EventClass::detail);
    CHECK(json.find("\"severity\":\"high\"") != std::string::npos);
    CHECK(json.find("Warning") == std::string::npos);
}

TEST_CASE("bodies of every kind are the same in both encodings") {
    LogContext context;
    std::vector<Attribute> inner = {
        attribute("t", "x\xFF\xC3\xBCy"),
        attribute("empty", Value{}),
        attribute("bool", Value::of(true)),
        attribute("large", Value::of(std::int64_t{1} << 60)),
        attribute("least", Value::of(-exact_integer_max)),
        attribute("nan", Value::of(std::nan(""))),
        attribute("inf", Value::of(-std::numeric_limits<double>::infinity())),
        attribute("real", Value::of(0.1))};
    Value bytes = Value::of("\x01\xFFz");
    bytes.kind = ValueKind::bytes;
    std::vector<Value> items = {
        Value::of(std::span<Attribute>(inner)),
        Value{},
        bytes,
        Value::of(std::span<const Value>()),
        Value::of("a\nb\"c")};
    Value deep = Value::of("bottom");
    std::vector<std::unique_ptr<std::vector<Attribute>>> levels;
    for (int level = 0; level < 60; ++level) {
        levels.push_back(std::make_unique<std::vector<Attribute>>(1, attribute("d", deep)));
        deep = Value::of(std::span<Attribute>(*levels.back()));
    }
    for (const Value& body :
         {Value::of("x\xFFy"),
          Value::of(std::int64_t{-5}),
          Value::of(std::numeric_limits<std::int64_t>::min() + 1),
          Value::of(std::nan("")),
          Value::of(false),
          bytes,
          Value::of(std::span<const Value>(items)),
          Value::of(std::span<Attribute>(inner)),
          deep}) {
        context.log.body.value = body;
        context.encode_detail();
        INFO(context.text);
        REQUIRE(context.has("body"));
        CHECK(same(context.json.at_key("body").value_unsafe(), context.proto.body()));
    }
    context.log.body.value = Value::of(std::span<Attribute>(inner));
    context.encode_detail();
    CHECK(context.proto.body().kvlist_value().values_size() == 7);  // the empty value is left out
    CHECK(
        context.proto.body().kvlist_value().values(0).value().string_value() ==
        "x\xEF\xBF\xBD\xC3\xBCy"
    );
}

}  // namespace spangate
