#include "otlp_oracle.h"

#include <cmath>

#include <fmt/format.h>
#include <rapidcheck.h>

#include "base/text.h"

namespace spangate::testing {
namespace {

namespace common = opentelemetry::proto::common::v1;
namespace trace = opentelemetry::proto::trace::v1;

int pick(int from, int below) {
    return *rc::gen::inRange(from, below);
}

std::string some_text() {
    static const std::vector<std::string> pieces = {
        "gen_ai.request.model", "", "a", "\"quoted\"", "line\nbreak\t", "\\", "ü€😀", "/", "\x01"};
    std::string text;
    for (int i = pick(0, 4); i > 0; --i)
        text += pieces[static_cast<std::size_t>(pick(0, static_cast<int>(pieces.size())))];
    return text;
}

std::string some_id(std::size_t size) {
    std::string id(size, '\0');
    for (char& byte : id)
        byte = static_cast<char>(pick(1, 256));
    return id;
}

std::uint64_t some_number() {
    return *rc::gen::arbitrary<std::uint64_t>();
}

void fill_attributes(google::protobuf::RepeatedPtrField<common::KeyValue>& attributes, int depth);

void fill_value(common::AnyValue& value, int depth) {
    switch (pick(0, depth > 0 ? 8 : 6)) {
        case 0:
            value.set_string_value(some_text());
            break;
        case 1:
            value.set_bool_value(pick(0, 2) == 1);
            break;
        case 2:
            value.set_int_value(static_cast<std::int64_t>(some_number()));
            break;
        case 3:
            value.set_double_value(*rc::gen::arbitrary<double>());
            break;
        case 4:
            value.set_bytes_value(some_id(static_cast<std::size_t>(pick(0, 5))));
            break;
        case 6: {
            auto* array = value.mutable_array_value();
            for (int i = pick(0, 4); i > 0; --i)
                fill_value(*array->add_values(), depth - 1);
            break;
        }
        case 7:
            fill_attributes(*value.mutable_kvlist_value()->mutable_values(), depth - 1);
            break;
        default:
            break;
    }
}

void fill_attributes(google::protobuf::RepeatedPtrField<common::KeyValue>& attributes, int depth) {
    for (int i = pick(0, 4); i > 0; --i) {
        common::KeyValue* attribute = attributes.Add();
        attribute->set_key(some_text());
        fill_value(*attribute->mutable_value(), depth);
    }
}

void fill_span(trace::Span& span) {
    span.set_trace_id(some_id(16));
    span.set_span_id(some_id(8));
    if (pick(0, 2) == 1) span.set_parent_span_id(some_id(8));
    span.set_name(some_text());
    span.set_trace_state(some_text());
    span.set_kind(static_cast<trace::Span_SpanKind>(pick(0, 6)));
    span.set_start_time_unix_nano(some_number());
    span.set_end_time_unix_nano(some_number());
    span.set_flags(static_cast<std::uint32_t>(some_number()));
    fill_attributes(*span.mutable_attributes(), 3);
    span.set_dropped_attributes_count(static_cast<std::uint32_t>(pick(0, 3)));
    span.set_dropped_events_count(static_cast<std::uint32_t>(pick(0, 3)));
    span.set_dropped_links_count(static_cast<std::uint32_t>(pick(0, 3)));
    for (int i = pick(0, 3); i > 0; --i) {
        auto* event = span.add_events();
        event->set_time_unix_nano(some_number());
        event->set_name(some_text());
        fill_attributes(*event->mutable_attributes(), 1);
        event->set_dropped_attributes_count(static_cast<std::uint32_t>(pick(0, 3)));
    }
    for (int i = pick(0, 3); i > 0; --i) {
        auto* link = span.add_links();
        link->set_trace_id(some_id(16));
        link->set_span_id(some_id(8));
        link->set_trace_state(some_text());
        fill_attributes(*link->mutable_attributes(), 1);
        link->set_dropped_attributes_count(static_cast<std::uint32_t>(pick(0, 3)));
    }
    span.mutable_status()->set_code(static_cast<trace::Status_StatusCode>(pick(0, 3)));
    span.mutable_status()->set_message(some_text());
}

void put_value(common::AnyValue& out, const Value& value);

void put_attributes(
    google::protobuf::RepeatedPtrField<common::KeyValue>& out, std::span<const Attribute> attributes
) {
    for (const Attribute& attribute : attributes) {
        common::KeyValue* pair = out.Add();
        pair->set_key(std::string(attribute.key));
        put_value(*pair->mutable_value(), attribute.value);
    }
}

void put_value(common::AnyValue& out, const Value& value) {
    switch (value.kind) {
        case ValueKind::empty:
            break;
        case ValueKind::string:
            out.set_string_value(std::string(value.text()));
            break;
        case ValueKind::boolean:
            out.set_bool_value(value.boolean);
            break;
        case ValueKind::integer:
            out.set_int_value(value.integer);
            break;
        case ValueKind::real:
            out.set_double_value(value.real);
            break;
        case ValueKind::bytes:
            out.set_bytes_value(std::string(value.text()));
            break;
        case ValueKind::array:
            out.mutable_array_value();
            for (const Value& item : value.array())
                put_value(*out.mutable_array_value()->add_values(), item);
            break;
        case ValueKind::kvlist:
            put_attributes(*out.mutable_kvlist_value()->mutable_values(), value.kvlist());
            break;
    }
}

template <std::size_t size>
std::string bytes_of(const std::array<std::uint8_t, size>& id) {
    return {id.begin(), id.end()};
}

void put_span(trace::Span& out, const SpanView& span) {
    out.set_trace_id(bytes_of(span.trace_id));
    out.set_span_id(bytes_of(span.span_id));
    if (!span.is_root()) out.set_parent_span_id(bytes_of(span.parent_span_id));
    out.set_name(std::string(span.name));
    out.set_trace_state(std::string(span.trace_state));
    out.set_kind(static_cast<trace::Span_SpanKind>(span.kind));
    out.set_start_time_unix_nano(span.start_unix_nano);
    out.set_end_time_unix_nano(span.end_unix_nano);
    out.set_flags(span.flags);
    put_attributes(*out.mutable_attributes(), span.attributes);
    out.set_dropped_attributes_count(span.dropped_attributes);
    out.set_dropped_events_count(span.dropped_events);
    out.set_dropped_links_count(span.dropped_links);
    for (const SpanEventView& event : span.events) {
        auto* put = out.add_events();
        put->set_time_unix_nano(event.time_unix_nano);
        put->set_name(std::string(event.name));
        put_attributes(*put->mutable_attributes(), event.attributes);
        put->set_dropped_attributes_count(event.dropped_attributes);
    }
    for (const SpanLinkView& link : span.links) {
        auto* put = out.add_links();
        put->set_trace_id(bytes_of(link.trace_id));
        put->set_span_id(bytes_of(link.span_id));
        put->set_trace_state(std::string(link.trace_state));
        put_attributes(*put->mutable_attributes(), link.attributes);
        put->set_dropped_attributes_count(link.dropped_attributes);
    }
    out.mutable_status()->set_code(static_cast<trace::Status_StatusCode>(span.status_code));
    out.mutable_status()->set_message(std::string(span.status_message));
}

// A writer of its own, so that the decoder is not tested with its own idea of the format.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", c);
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes)
        out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return quoted(out);
}

std::string json_of(const common::AnyValue& value);

template <typename Items, typename Write>
std::string list(const Items& items, Write&& write) {
    std::string out;
    for (const auto& item : items)
        out += (out.empty() ? "" : ",") + write(item);
    return "[" + out + "]";
}

std::string json_of(const google::protobuf::RepeatedPtrField<common::KeyValue>& attributes) {
    return list(attributes, [](const common::KeyValue& attribute) {
        return fmt::format(
            R"({{"key":{},"value":{}}})", quoted(attribute.key()), json_of(attribute.value())
        );
    });
}

std::string json_of_real(double real) {
    if (std::isnan(real)) return "\"NaN\"";
    if (std::isinf(real)) return real > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return fmt::format("{}", real);
}

std::string json_of(const common::AnyValue& value) {
    switch (value.value_case()) {
        case common::AnyValue::kStringValue:
            return fmt::format(R"({{"stringValue":{}}})", quoted(value.string_value()));
        case common::AnyValue::kBoolValue:
            return fmt::format(R"({{"boolValue":{}}})", value.bool_value());
        case common::AnyValue::kIntValue:
            return fmt::format(R"({{"intValue":"{}"}})", value.int_value());
        case common::AnyValue::kDoubleValue:
            return fmt::format(R"({{"doubleValue":{}}})", json_of_real(value.double_value()));
        case common::AnyValue::kBytesValue:
            return fmt::format(R"({{"bytesValue":"{}"}})", to_base64(value.bytes_value()));
        case common::AnyValue::kArrayValue:
            return fmt::format(
                R"({{"arrayValue":{{"values":{}}}}})",
                list(
                    value.array_value().values(),
                    [](const common::AnyValue& item) { return json_of(item); }
                )
            );
        case common::AnyValue::kKvlistValue:
            return fmt::format(
                R"({{"kvlistValue":{{"values":{}}}}})", json_of(value.kvlist_value().values())
            );
        case common::AnyValue::VALUE_NOT_SET:
            return "{}";
    }
    return {};
}

std::string json_of(const trace::Span& span) {
    const std::string events = list(span.events(), [](const trace::Span_Event& event) {
        return fmt::format(
            R"({{"timeUnixNano":"{}","name":{},"attributes":{},"droppedAttributesCount":{}}})",
            event.time_unix_nano(),
            quoted(event.name()),
            json_of(event.attributes()),
            event.dropped_attributes_count()
        );
    });
    const std::string links = list(span.links(), [](const trace::Span_Link& link) {
        return fmt::format(
            R"({{"traceId":{},"spanId":{},"traceState":{},"attributes":{},)"
            R"("droppedAttributesCount":{}}})",
            hex(link.trace_id()),
            hex(link.span_id()),
            quoted(link.trace_state()),
            json_of(link.attributes()),
            link.dropped_attributes_count()
        );
    });
    return fmt::format(
        R"({{"traceId":{},"spanId":{},"parentSpanId":{},"traceState":{},"name":{},"kind":{},)"
        R"("startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":{},)"
        R"("droppedAttributesCount":{},"events":{},"droppedEventsCount":{},"links":{},)"
        R"("droppedLinksCount":{},"status":{{"message":{},"code":{}}},"flags":{}}})",
        hex(span.trace_id()),
        hex(span.span_id()),
        hex(span.parent_span_id()),
        quoted(span.trace_state()),
        quoted(span.name()),
        static_cast<int>(span.kind()),
        span.start_time_unix_nano(),
        span.end_time_unix_nano(),
        json_of(span.attributes()),
        span.dropped_attributes_count(),
        events,
        span.dropped_events_count(),
        links,
        span.dropped_links_count(),
        quoted(span.status().message()),
        static_cast<int>(span.status().code()),
        span.flags()
    );
}

}  // namespace

OtlpRequest generated_request() {
    OtlpRequest request;
    for (int i = pick(0, 3); i > 0; --i) {
        auto* resource_spans = request.add_resource_spans();
        fill_attributes(*resource_spans->mutable_resource()->mutable_attributes(), 2);
        resource_spans->mutable_resource()->set_dropped_attributes_count(
            static_cast<std::uint32_t>(pick(0, 3))
        );
        for (int j = pick(0, 3); j > 0; --j) {
            auto* scope_spans = resource_spans->add_scope_spans();
            scope_spans->mutable_scope()->set_name(some_text());
            scope_spans->mutable_scope()->set_version(some_text());
            fill_attributes(*scope_spans->mutable_scope()->mutable_attributes(), 1);
            for (int k = pick(0, 4); k > 0; --k)
                fill_span(*scope_spans->add_spans());
        }
    }
    return request;
}

OtlpRequest plain_request(int spans_count) {
    OtlpRequest request;
    auto* scope_spans = request.add_resource_spans()->add_scope_spans();
    for (int i = 0; i < spans_count; ++i) {
        trace::Span* span = scope_spans->add_spans();
        span->set_trace_id("0123456789abcdef");
        span->set_span_id(fmt::format("{:08}", i + 1));
        span->set_name("chat");
        common::KeyValue* attribute = span->add_attributes();
        attribute->set_key("session.id");
        attribute->mutable_value()->set_string_value("s-1");
    }
    return request;
}

OtlpRequest rebuilt(const DecodedTraces& traces) {
    OtlpRequest request;
    const ResourceView* resource = nullptr;
    const ScopeView* scope = nullptr;
    trace::ResourceSpans* resource_spans = nullptr;
    trace::ScopeSpans* scope_spans = nullptr;
    for (const SpanView& span : traces.spans) {
        if (span.resource != resource) {
            resource = span.resource;
            scope = nullptr;
            resource_spans = request.add_resource_spans();
            auto* put = resource_spans->mutable_resource();
            put_attributes(*put->mutable_attributes(), resource->attributes);
            put->set_dropped_attributes_count(resource->dropped_attributes);
        }
        if (span.scope != scope) {
            scope = span.scope;
            scope_spans = resource_spans->add_scope_spans();
            auto* put = scope_spans->mutable_scope();
            put->set_name(std::string(scope->name));
            put->set_version(std::string(scope->version));
            put_attributes(*put->mutable_attributes(), scope->attributes);
            put->set_dropped_attributes_count(scope->dropped_attributes);
        }
        put_span(*scope_spans->add_spans(), span);
    }
    return request;
}

OtlpRequest with_spans_only(OtlpRequest request) {
    OtlpRequest kept;
    for (auto& resource_spans : *request.mutable_resource_spans()) {
        trace::ResourceSpans kept_resource;
        *kept_resource.mutable_resource() = resource_spans.resource();
        for (auto& scope_spans : *resource_spans.mutable_scope_spans()) {
            if (scope_spans.spans_size() > 0) *kept_resource.add_scope_spans() = scope_spans;
        }
        if (kept_resource.scope_spans_size() > 0) *kept.add_resource_spans() = kept_resource;
    }
    return kept;
}

std::string as_otlp_json(const OtlpRequest& request) {
    const auto of_scope = [](const trace::ScopeSpans& scope_spans) {
        return fmt::format(
            R"({{"scope":{{"name":{},"version":{},"attributes":{}}},"spans":{}}})",
            quoted(scope_spans.scope().name()),
            quoted(scope_spans.scope().version()),
            json_of(scope_spans.scope().attributes()),
            list(scope_spans.spans(), [](const trace::Span& span) { return json_of(span); })
        );
    };
    const auto of_resource = [&](const trace::ResourceSpans& resource_spans) {
        return fmt::format(
            R"({{"resource":{{"attributes":{},"droppedAttributesCount":{}}},"scopeSpans":{}}})",
            json_of(resource_spans.resource().attributes()),
            resource_spans.resource().dropped_attributes_count(),
            list(resource_spans.scope_spans(), of_scope)
        );
    };
    return fmt::format(R"({{"resourceSpans":{}}})", list(request.resource_spans(), of_resource));
}

RawRequest raw_request(std::string_view body, BodyEncoding encoding) {
    RawRequest request;
    request.encoding = encoding;
    request.body.reserve(body.size() + 1);
    request.body.append(body);
    return request;
}

}  // namespace spangate::testing
