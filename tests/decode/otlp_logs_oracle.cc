#include "otlp_logs_oracle.h"

namespace spangate::testing {
namespace {

namespace logs = opentelemetry::proto::logs::v1;

// Of the right size, none, or one of another size.
std::string some_log_id(std::size_t size) {
    constexpr int outcomes = 4;
    switch (pick(0, outcomes)) {
        case 0:
            return {};
        case 1:
            return some_id(size / 2);
        default:
            return some_id(size);
    }
}

void fill_record(logs::LogRecord& record) {
    record.set_time_unix_nano(some_number());
    record.set_observed_time_unix_nano(some_number());
    record.set_severity_number(static_cast<logs::SeverityNumber>(pick(-2, 30)));
    record.set_severity_text(some_text());
    if (pick(0, 4) > 0) fill_value(*record.mutable_body(), 3);
    fill_attributes(*record.mutable_attributes(), 3);
    record.set_dropped_attributes_count(static_cast<std::uint32_t>(pick(0, 3)));
    record.set_flags(static_cast<std::uint32_t>(some_number()));
    record.set_trace_id(some_log_id(16));
    record.set_span_id(some_log_id(8));
    record.set_event_name(some_text());
}

void put_record(logs::LogRecord& out, const SpanView& record) {
    const LogRecordView& log = *record.log;
    out.set_time_unix_nano(record.start_unix_nano);
    out.set_observed_time_unix_nano(log.observed_unix_nano);
    out.set_severity_number(static_cast<logs::SeverityNumber>(log.severity_number));
    out.set_severity_text(std::string(log.severity_text));
    if (log.body.value.kind != ValueKind::empty) put_value(*out.mutable_body(), log.body.value);
    put_attributes(*out.mutable_attributes(), record.attributes);
    out.set_dropped_attributes_count(record.dropped_attributes);
    out.set_flags(record.flags);
    if (!is_zero(record.trace_id)) out.set_trace_id(bytes_of(record.trace_id));
    if (!is_zero(record.span_id)) out.set_span_id(bytes_of(record.span_id));
    out.set_event_name(std::string(log.event_name));
}

std::string json_of_record(const logs::LogRecord& record) {
    return fmt::format(
        R"({{"timeUnixNano":"{}","observedTimeUnixNano":"{}","severityNumber":{},)"
        R"("severityText":{},"body":{},"attributes":{},"droppedAttributesCount":{},"flags":{},)"
        R"("traceId":{},"spanId":{},"eventName":{}}})",
        record.time_unix_nano(),
        record.observed_time_unix_nano(),
        static_cast<int>(record.severity_number()),
        quoted(record.severity_text()),
        record.has_body() ? json_of(record.body()) : "null",
        json_of(record.attributes()),
        record.dropped_attributes_count(),
        record.flags(),
        hex(record.trace_id()),
        hex(record.span_id()),
        quoted(record.event_name())
    );
}

}  // namespace

OtlpLogs generated_logs() {
    OtlpLogs request;
    for (int i = pick(0, 3); i > 0; --i) {
        auto* resource_logs = request.add_resource_logs();
        fill_resource(*resource_logs->mutable_resource());
        for (int j = pick(0, 3); j > 0; --j) {
            auto* scope_logs = resource_logs->add_scope_logs();
            fill_scope(*scope_logs->mutable_scope());
            for (int k = pick(0, 4); k > 0; --k)
                fill_record(*scope_logs->add_log_records());
        }
    }
    return request;
}

OtlpLogs plain_logs(int records_count) {
    OtlpLogs request;
    auto* scope_logs = request.add_resource_logs()->add_scope_logs();
    for (int i = 0; i < records_count; ++i) {
        logs::LogRecord* record = scope_logs->add_log_records();
        record->set_time_unix_nano(1'790'000'000'000'000'000U + static_cast<unsigned>(i));
        record->set_trace_id("0123456789abcdef");
        record->set_span_id(fmt::format("{:08}", i + 1));
        record->set_event_name("gen_ai.user.message");
        record->mutable_body()->set_string_value("hello");
        common::KeyValue* attribute = record->add_attributes();
        attribute->set_key("session.id");
        attribute->mutable_value()->set_string_value("s-1");
    }
    return request;
}

OtlpLogs rebuilt_logs(const DecodedItems& items) {
    OtlpLogs request;
    const ResourceView* resource = nullptr;
    const ScopeView* scope = nullptr;
    logs::ResourceLogs* resource_logs = nullptr;
    logs::ScopeLogs* scope_logs = nullptr;
    for (const SpanView& record : items.spans) {
        if (record.resource != resource) {
            resource = record.resource;
            scope = nullptr;
            resource_logs = request.add_resource_logs();
            put_resource(*resource_logs->mutable_resource(), *resource);
        }
        if (record.scope != scope) {
            scope = record.scope;
            scope_logs = resource_logs->add_scope_logs();
            put_scope(*scope_logs->mutable_scope(), *scope);
        }
        put_record(*scope_logs->add_log_records(), record);
    }
    return request;
}

OtlpLogs as_views_show(const OtlpLogs& request) {
    OtlpLogs kept;
    for (const auto& resource_logs : request.resource_logs()) {
        logs::ResourceLogs kept_resource;
        *kept_resource.mutable_resource() = resource_logs.resource();
        for (const auto& scope_logs : resource_logs.scope_logs()) {
            if (scope_logs.log_records_size() == 0) continue;
            logs::ScopeLogs& kept_scope = *kept_resource.add_scope_logs();
            kept_scope = scope_logs;
            for (logs::LogRecord& record : *kept_scope.mutable_log_records()) {
                if (record.trace_id().size() != 16) record.clear_trace_id();
                if (record.span_id().size() != 8) record.clear_span_id();
                const bool is_empty = record.body().value_case() == common::AnyValue::VALUE_NOT_SET;
                if (is_empty) record.clear_body();
            }
        }
        if (kept_resource.scope_logs_size() > 0) *kept.add_resource_logs() = kept_resource;
    }
    return kept;
}

std::string as_otlp_json(const OtlpLogs& request) {
    const auto of_scope = [](const logs::ScopeLogs& scope_logs) {
        return fmt::format(
            R"({{"scope":{},"logRecords":{}}})",
            json_of(scope_logs.scope()),
            list(
                scope_logs.log_records(),
                [](const logs::LogRecord& record) { return json_of_record(record); }
            )
        );
    };
    const auto of_resource = [&](const logs::ResourceLogs& resource_logs) {
        return fmt::format(
            R"({{"resource":{},"scopeLogs":{}}})",
            json_of(resource_logs.resource()),
            list(resource_logs.scope_logs(), of_scope)
        );
    };
    return fmt::format(R"({{"resourceLogs":{}}})", list(request.resource_logs(), of_resource));
}

}  // namespace spangate::testing
