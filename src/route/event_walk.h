// What stands on a record, class by class (contract §3, §5, §6). The writer says how: JSON or
// protobuf. Only released items come in, so nothing that has not been redacted can be written.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/batch.h"
#include "model/event_type.h"
#include "route/field_key.h"

namespace spangate {

// The same on every record of this gateway.
struct GatewayIdentity {
    std::string gateway_id;     // <name>-<boot id>
    std::string rules;          // 12 hex of the conventions table
    std::string digest_key_id;  // 4 hex of the hash key
};

// Where in the value Delivery writes what it alone knows.
struct RecordSlots {
    std::uint32_t epoch_offset = 0;
    std::uint32_t seq_offset = 0;
};

template <typename Writer>
void write_field(Writer& writer, const FieldValue& value) {
    const FieldInfo& field = info(value.id);
    const FieldKey key{field.name, field.number};
    switch (field.type) {
        case FieldType::text:
            if (value.size > 0) writer.text(key, value.text());
            return;
        case FieldType::integer:
            writer.integer(key, value.integer);
            return;
        case FieldType::real:
            if (std::isfinite(value.real)) writer.real(key, value.real);
            return;
        case FieldType::flag:
            writer.flag(key, value.flag);
            return;
        case FieldType::time:
            writer.time(key, value.integer);
            return;
        case FieldType::texts:
            if (value.size > 0) writer.texts(key, value.texts());
            return;
        case FieldType::reals:
            if (value.size > 0) writer.reals(key, value.reals());
            return;
    }
}

template <typename Writer>
void write_text_if_any(Writer& writer, FieldKey key, std::string_view text) {
    if (!text.empty()) writer.text(key, text);
}

template <typename Writer>
void write_count_if_any(Writer& writer, FieldKey key, std::uint32_t count) {
    if (count > 0) writer.integer(key, count);
}

// What every header says, whatever the event was made from.
struct HeaderFacts {
    EventClass event_class = EventClass::operational;
    EventType type = EventType::other;
    const EventId& event_id;
    WallNanos timestamp = 0;
    TimeSource time_source = TimeSource::received;
    WallNanos received_at = 0;
    SessionKey session;
    std::string_view session_source;
    EventSource source = EventSource::gateway;
    const SpanView* span = nullptr;
};

template <typename Writer>
RecordSlots write_header_facts(
    Writer& writer, const GatewayIdentity& gateway, const HeaderFacts& facts
) {
    writer.integer(key::schema_version, 1);
    writer.text(key::event_id, view(facts.event_id));
    writer.text(key::event_class, name_of(facts.event_class));
    writer.text(key::event_type, name_of(facts.type));
    writer.time(key::timestamp, facts.timestamp);
    writer.text(key::time_source, name_of(facts.time_source));
    writer.time(key::ts_received, facts.received_at);
    writer.text(key::tenant_id, facts.session.tenant_id);
    writer.text(key::session_id, facts.session.session_id);
    write_text_if_any(writer, key::session_source, facts.session_source);
    if (facts.span != nullptr && !is_zero(facts.span->trace_id)) {
        writer.hex(key::trace_id, facts.span->trace_id);
        if (!is_zero(facts.span->span_id)) writer.hex(key::span_id, facts.span->span_id);
        if (!is_zero(facts.span->parent_span_id)) {
            writer.hex(key::parent_span_id, facts.span->parent_span_id);
        }
    }
    writer.text(key::gateway_id, gateway.gateway_id);
    RecordSlots slots;
    slots.epoch_offset = writer.epoch_slot(key::gateway_epoch);
    slots.seq_offset = writer.seq_slot(key::gateway_seq);
    writer.text(key::source, name_of(facts.source));
    writer.text(key::rules, gateway.rules);
    writer.text(key::digest_key_id, gateway.digest_key_id);
    return slots;
}

template <typename Writer>
RecordSlots write_header(
    Writer& writer,
    const GatewayIdentity& gateway,
    const ReleasedItem& released,
    const AgentEvent& event,
    EventClass event_class
) {
    const AgentItem& item = *released.item;
    const RecordSlots slots = write_header_facts(
        writer,
        gateway,
        {event_class,
         event.type,
         event.event_id,
         event.timestamp,
         event.time_source,
         item.received_at,
         released.session,
         item.session_source,
         item.source,
         item.span}
    );
    for (const FieldValue& value : event.fields->values()) {
        if (info(value.id).is_header) write_field(writer, value);
    }
    return slots;
}

template <typename Writer>
void write_operational_fields(Writer& writer, const AgentEvent& event) {
    for (const FieldValue& value : event.fields->values()) {
        const FieldInfo& field = info(value.id);
        if (!field.is_header && stands_on(field, event)) write_field(writer, value);
    }
}

// The names of SeverityNumber (logs.proto), from 1: INFO, INFO2, INFO3, INFO4, WARN …
inline constexpr std::array<std::string_view, 24> severity_names = {
    "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",  "INFO2",  "INFO3",  "INFO4",  "WARN",  "WARN2",  "WARN3",  "WARN4",
    "ERROR", "ERROR2", "ERROR3", "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4"};

// What the client wrote, else what its number means; empty when it told neither.
[[nodiscard]] inline std::string_view severity_of(const LogRecordView& log) {
    const auto number = static_cast<std::size_t>(log.severity_number);
    const bool is_known = log.severity_number > 0 && number <= severity_names.size();
    if (!log.severity_text.empty() || !is_known) return log.severity_text;
    return severity_names[number - 1];
}

template <typename Writer>
void write_time_if_any(Writer& writer, FieldKey key, std::uint64_t unix_nano) {
    if (unix_nano == 0 || unix_nano > INT64_MAX) return;
    writer.time(key, static_cast<WallNanos>(unix_nano));
}

// Empty strings and lists count as absent in named fields, as empty values do.
[[nodiscard]] inline bool is_absent(const Value& value) {
    const bool is_scalar = value.kind == ValueKind::boolean || value.kind == ValueKind::integer ||
                           value.kind == ValueKind::real;
    return !is_scalar && value.size == 0;
}

template <typename Writer>
void write_log_fields(Writer& writer, const LogRecordView& log, bool has_severity) {
    if (!is_absent(log.body.value)) writer.value(key::body, log.body.value);
    if (!has_severity) write_text_if_any(writer, key::severity, severity_of(log));
    write_text_if_any(writer, key::log_event_name, log.event_name);
    write_time_if_any(writer, key::observed_ts, log.observed_unix_nano);
}

template <typename Writer>
void write_span_events(Writer& writer, std::span<const SpanEventView> events) {
    if (events.empty()) return;
    writer.begin_list(key::events);
    for (const SpanEventView& event : events) {
        writer.begin_item(key::events);
        write_text_if_any(writer, key::event_name, event.name);
        write_time_if_any(writer, key::event_time, event.time_unix_nano);
        writer.attributes(key::event_attributes, event.attributes, {});
        writer.end_item();
    }
    writer.end_list();
}

template <typename Writer>
void write_span_links(Writer& writer, std::span<const SpanLinkView> links) {
    if (links.empty()) return;
    writer.begin_list(key::links);
    for (const SpanLinkView& link : links) {
        writer.begin_item(key::links);
        writer.hex(key::link_trace_id, link.trace_id);
        writer.hex(key::link_span_id, link.span_id);
        writer.attributes(key::link_attributes, link.attributes, {});
        writer.end_item();
    }
    writer.end_list();
}

template <typename Writer>
void write_detail_fields(Writer& writer, const ReleasedItem& released, std::string_view ruleset) {
    const SpanView& span = *released.detail;
    if (span.is_log()) {
        const AgentEvent& primary = released.events[released.primary];
        const bool has_severity =
            primary.fields->has(FieldId::severity) && stands_on(info(FieldId::severity), primary);
        write_log_fields(writer, *span.log, has_severity);
    } else {
        write_text_if_any(writer, key::name, span.name);
        writer.text(key::kind, span_kind_names[static_cast<std::size_t>(span.kind)]);
        write_text_if_any(writer, key::status_message, span.status_message);
    }
    writer.attributes(key::attributes, span.attributes, released.added_attributes);
    writer.attributes(key::resource, released.added_resource, span.resource->attributes);
    write_span_events(writer, span.events);
    write_span_links(writer, span.links);
    writer.begin_message(key::scope);
    write_text_if_any(writer, key::scope_name, span.scope->name);
    write_text_if_any(writer, key::scope_version, span.scope->version);
    if (!span.scope->attributes.empty()) {
        writer.attributes(key::scope_attributes, span.scope->attributes, {});
    }
    writer.end_message();
    writer.begin_message(key::redaction);
    writer.text(key::ruleset, ruleset);
    writer.begin_map(key::counts);
    for (const RedactionCount& entry : released.redactions) {
        writer.count(key::counts, entry.rule, entry.count);
    }
    writer.end_map();
    writer.end_message();
    if (!released.truncated.empty()) writer.texts(key::truncated, released.truncated);
    write_count_if_any(writer, key::dropped_attributes, span.dropped_attributes);
    write_count_if_any(writer, key::dropped_events, span.dropped_events);
    write_count_if_any(writer, key::dropped_links, span.dropped_links);
    if (!released.session_keys_seen.empty()) {
        writer.texts(key::session_keys_seen, released.session_keys_seen);
    }
}

template <typename Writer>
void write_evidence_fields(Writer& writer, const EvidencePayload& evidence, std::uint32_t chunk) {
    const std::size_t from = std::size_t{chunk} * evidence.chunk_bytes;
    const std::string_view payload = evidence.bytes().substr(from, evidence.chunk_bytes);
    writer.bytes(key::payload, payload);
    writer.integer(key::chunk, chunk);
    writer.integer(key::chunks, evidence.chunks);
    writer.bytes(
        key::salt, {reinterpret_cast<const char*>(evidence.salt.data()), evidence.salt.size()}
        // NOLINT
    );
    writer.text(key::commitment, {evidence.commitment.data(), evidence.commitment.size()});
    // Under a key nothing of a part stands outside the payload.
    write_text_if_any(writer, key::key_id, evidence.key_id);
    if (evidence.chunks == 1 && evidence.key_id.empty()) writer.raw_json(key::parts, payload);
}

}  // namespace spangate
