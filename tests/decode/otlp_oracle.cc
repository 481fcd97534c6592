#include "otlp_oracle.h"

namespace spangate::testing {
namespace {

namespace trace = opentelemetry::proto::trace::v1;

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

std::string json_of_span(const trace::Span& span) {
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
        fill_resource(*resource_spans->mutable_resource());
        for (int j = pick(0, 3); j > 0; --j) {
            auto* scope_spans = resource_spans->add_scope_spans();
            fill_scope(*scope_spans->mutable_scope());
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

OtlpRequest rebuilt(const DecodedItems& traces) {
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
            put_resource(*resource_spans->mutable_resource(), *resource);
        }
        if (span.scope != scope) {
            scope = span.scope;
            scope_spans = resource_spans->add_scope_spans();
            put_scope(*scope_spans->mutable_scope(), *scope);
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
            R"({{"scope":{},"spans":{}}})",
            json_of(scope_spans.scope()),
            list(scope_spans.spans(), [](const trace::Span& span) { return json_of_span(span); })
        );
    };
    const auto of_resource = [&](const trace::ResourceSpans& resource_spans) {
        return fmt::format(
            R"({{"resource":{},"scopeSpans":{}}})",
            json_of(resource_spans.resource()),
            list(resource_spans.scope_spans(), of_scope)
        );
    };
    return fmt::format(R"({{"resourceSpans":{}}})", list(request.resource_spans(), of_resource));
}

}  // namespace spangate::testing
