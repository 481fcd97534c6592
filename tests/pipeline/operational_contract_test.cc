// Whatever telemetry a client makes up: an operational record has the contract's fields and nothing
// of what the client wrote beside names, numbers and ids. Random traces and log records, with the
// keys that the built-in table names among theirs, walk through the whole product.
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>
#include <simdjson.h>

#include "../decode/otlp_logs_oracle.h"
#include "../decode/otlp_oracle.h"
#include "redact/json_tokens.h"
#include "spangate/v1/events.pb.h"
#include "support/product_context.h"
#include "table_keys.h"

namespace spangate::testing {
namespace {

namespace trace = opentelemetry::proto::trace::v1;
namespace logs = opentelemetry::proto::logs::v1;

constexpr std::string_view marker = "zebra";  // in all that a client wrote as content
constexpr int detail_from = 200;              // field numbers of proto/spangate/v1/events.proto

// Makes up requests. Every text of its own has the marker and no form that the contract publishes.
class MadeUp {
  public:
    explicit MadeUp(std::vector<std::string> keys) : keys_(std::move(keys)) {}

    [[nodiscard]] std::string text() const {
        const std::string word = std::string(marker) + std::to_string(pick(0, 10'000));
        switch (pick(0, 5)) {
            case 0:
                return "‹" + word + "›";
            case 1:
                return "He said: " + word + ", and went on at some length about \"it\".";
            case 2:
                return word + "@example.com";
            case 3:
                return json_text(word);
            default:
                return *rc::gen::arbitrary<std::string>() + "\t" + word;
        }
    }

    [[nodiscard]] std::string key() const {
        if (pick(0, 4) == 0) return text();
        return keys_[static_cast<std::size_t>(pick(0, static_cast<int>(keys_.size())))];
    }

    void fill(common::AnyValue& value, int depth) const {
        switch (pick(0, depth > 0 ? 8 : 6)) {
            case 0:
                value.set_bytes_value(text());
                break;
            case 1:
                value.set_int_value(pick(-10, 1'000'000));
                break;
            case 2:
                value.set_double_value(pick(0, 100) / 8.0);
                break;
            case 3:
                value.set_bool_value(pick(0, 2) == 1);
                break;
            case 6:
                for (int i = pick(0, 4); i > 0; --i)
                    fill(*value.mutable_array_value()->add_values(), depth - 1);
                break;
            case 7:
                fill(*value.mutable_kvlist_value()->mutable_values(), depth - 1);
                break;
            default:
                value.set_string_value(text());
                break;
        }
    }

    void fill(OtlpAttributes& attributes, int depth = 3) const {
        for (int i = pick(0, 6); i > 0; --i) {
            common::KeyValue& attribute = *attributes.Add();
            attribute.set_key(key());
            fill(*attribute.mutable_value(), depth);
        }
    }

    // What makes an agent's span or record of it, so that it is told at all.
    void add_operation(OtlpAttributes& attributes) const {
        constexpr std::string_view operations[] = {
            "chat", "execute_tool", "invoke_agent", "create_agent", "embeddings"};
        common::KeyValue& operation = *attributes.Add();
        operation.set_key("gen_ai.operation.name");
        operation.mutable_value()->set_string_value(
            std::string(operations[static_cast<std::size_t>(pick(0, 5))])
        );
    }

  private:
    [[nodiscard]] static std::string json_text(const std::string& word) {
        std::string inner = R"({"role":"user","name":"‹)" + word + R"(›","arguments":{"‹)" + word +
                            R"(›":[1,"‹)" + word + R"(›"]}})";
        if (pick(0, 2) == 0) return "[" + inner + "]";
        std::string outer = R"({"content":")";
        append_json_escaped(inner, outer);
        return outer + "\"}";
    }

    std::vector<std::string> keys_;
};

OtlpRequest made_up_traces(const MadeUp& made) {
    OtlpRequest request;
    auto& group = *request.add_resource_spans();
    made.fill(*group.mutable_resource()->mutable_attributes());
    auto& scope = *group.add_scope_spans();
    scope.mutable_scope()->set_name(made.text());
    scope.mutable_scope()->set_version(made.text());
    made.fill(*scope.mutable_scope()->mutable_attributes(), 1);
    for (int i = pick(1, 4); i > 0; --i) {
        trace::Span& span = *scope.add_spans();
        span.set_trace_id(some_id(16));
        span.set_span_id(some_id(8));
        span.set_name(made.text());
        span.set_trace_state(made.text());
        span.mutable_status()->set_code(static_cast<trace::Status_StatusCode>(pick(0, 3)));
        span.mutable_status()->set_message(made.text());
        made.add_operation(*span.mutable_attributes());
        made.fill(*span.mutable_attributes());
        for (int j = pick(0, 3); j > 0; --j) {
            auto& event = *span.add_events();
            event.set_name(pick(0, 2) == 0 ? "exception" : made.text());
            made.fill(*event.mutable_attributes(), 1);
        }
        if (pick(0, 3) == 0) {
            auto& link = *span.add_links();
            link.set_trace_id(some_id(16));
            link.set_span_id(some_id(8));
            made.fill(*link.mutable_attributes(), 1);
        }
    }
    return request;
}

OtlpLogs made_up_logs(const MadeUp& made) {
    constexpr std::string_view names[] = {
        "claude_code.tool_result", "codex.user_prompt", "gen_ai.user.message", "gen_ai.choice"};
    OtlpLogs request;
    auto& group = *request.add_resource_logs();
    made.fill(*group.mutable_resource()->mutable_attributes());
    auto& scope = *group.add_scope_logs();
    scope.mutable_scope()->set_name(made.text());
    for (int i = pick(1, 4); i > 0; --i) {
        logs::LogRecord& record = *scope.add_log_records();
        record.set_time_unix_nano(1'790'000'000'000'000'000U + some_number() % 1'000'000);
        record.set_severity_text(made.text());
        const bool is_known = pick(0, 3) > 0;
        record.set_event_name(
            is_known ? std::string(names[static_cast<std::size_t>(pick(0, 4))]) : made.text()
        );
        made.fill(*record.mutable_body(), 3);
        made.add_operation(*record.mutable_attributes());
        made.fill(*record.mutable_attributes());
    }
    return request;
}

const std::set<std::string_view>& contract_fields() {
    static const std::set<std::string_view> names = [] {
        std::set<std::string_view> found;
        const auto* const message = spangate::v1::Event::descriptor();
        for (int i = 0; i < message->field_count(); ++i) {
            if (message->field(i)->number() < detail_from) found.insert(message->field(i)->name());
        }
        return found;
    }();
    return names;
}

void check_json(const std::string& value) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    RC_ASSERT(parser.parse(value).get(object) == simdjson::SUCCESS);
    for (const simdjson::dom::key_value_pair member : object)
        RC_ASSERT(contract_fields().contains(member.key));
}

void check_protobuf(const std::string& value) {
    spangate::v1::Event event;
    RC_ASSERT(event.ParseFromString(value));
    const auto* const reflection = event.GetReflection();
    RC_ASSERT(reflection->GetUnknownFields(event).empty());
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    reflection->ListFields(event, &fields);
    for (const google::protobuf::FieldDescriptor* field : fields)
        RC_ASSERT(field->number() < detail_from);
}

struct Seen {
    std::size_t operational = 0;
    std::size_t with_content = 0;  // records of evidence with the marker in them
};

void check_records(ProductContext& context, EventEncoding encoding, Seen& seen) {
    for (const SentRecord& record : context.new_records()) {
        if (record.event_class == EventClass::evidence) {
            seen.with_content += record.value.find(marker) != std::string::npos ? 1 : 0;
        }
        if (record.event_class != EventClass::operational) continue;
        ++seen.operational;
        if (encoding == EventEncoding::json) {
            check_json(record.value);
        } else {
            check_protobuf(record.value);
        }
        if (record.value.find(marker) != std::string::npos) RC_LOG() << record.value;
        RC_ASSERT(record.value.find(marker) == std::string::npos);
        RC_ASSERT(record.session.find(marker) == std::string::npos);
    }
}

void check_signal(Signal signal, EventEncoding encoding) {
    const MadeUp made(builtin_table_keys());
    ProductContext context(encoding);
    Seen seen;
    const bool holds = rc::check([&] {
        const BodyEncoding sent = pick(0, 2) == 0 ? BodyEncoding::json : BodyEncoding::protobuf;
        std::string body;
        if (signal == Signal::traces) {
            const OtlpRequest request = made_up_traces(made);
            body = sent == BodyEncoding::json ? as_otlp_json(request) : request.SerializeAsString();
        } else {
            const OtlpLogs request = made_up_logs(made);
            body = sent == BodyEncoding::json ? as_otlp_json(request) : request.SerializeAsString();
        }
        (void)context.take(body, signal, sent);
        check_records(context, encoding, seen);
    });
    CHECK(holds);
    CHECK(seen.operational > 0);
    CHECK(seen.with_content > 0);
    std::cout << "made-up " << signal_names[static_cast<std::size_t>(signal)] << ": "
              << seen.operational << " operational records, " << seen.with_content
              << " of evidence with content\n";
}

}  // namespace

TEST_CASE("operational records of made-up traces have the contract's fields and no content") {
    check_signal(Signal::traces, EventEncoding::json);
    check_signal(Signal::traces, EventEncoding::protobuf);
}

TEST_CASE("operational records of made-up logs have the contract's fields and no content") {
    check_signal(Signal::logs, EventEncoding::json);
    check_signal(Signal::logs, EventEncoding::protobuf);
}

}  // namespace spangate::testing
