// The names and numbers of proto/spangate/v1/events.proto that are not in model/field.h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace spangate {

struct FieldKey {
    std::string_view name;
    std::uint16_t number;
};

namespace key {

// Event: header
inline constexpr FieldKey schema_version{"schema_version", 1};
inline constexpr FieldKey event_id{"event_id", 2};
inline constexpr FieldKey event_class{"event_class", 3};
inline constexpr FieldKey event_type{"event_type", 4};
inline constexpr FieldKey timestamp{"timestamp", 5};
inline constexpr FieldKey time_source{"time_source", 6};
inline constexpr FieldKey ts_received{"ts_received", 7};
inline constexpr FieldKey tenant_id{"tenant_id", 8};
inline constexpr FieldKey session_id{"session_id", 9};
inline constexpr FieldKey session_source{"session_source", 10};
inline constexpr FieldKey trace_id{"trace_id", 11};
inline constexpr FieldKey span_id{"span_id", 12};
inline constexpr FieldKey parent_span_id{"parent_span_id", 13};
inline constexpr FieldKey gateway_id{"gateway_id", 14};
inline constexpr FieldKey gateway_epoch{"gateway_epoch", 15};
inline constexpr FieldKey gateway_seq{"gateway_seq", 16};
inline constexpr FieldKey source{"source", 17};
inline constexpr FieldKey rules{"rules", 18};
inline constexpr FieldKey digest_key_id{"digest_key_id", 19};

// Event: detail
inline constexpr FieldKey name{"name", 200};
inline constexpr FieldKey kind{"kind", 201};
inline constexpr FieldKey status_message{"status_message", 202};
inline constexpr FieldKey attributes{"attributes", 203};
inline constexpr FieldKey resource{"resource", 204};
inline constexpr FieldKey events{"events", 205};
inline constexpr FieldKey links{"links", 206};
inline constexpr FieldKey scope{"scope", 207};
inline constexpr FieldKey redaction{"redaction", 208};
inline constexpr FieldKey truncated{"truncated", 209};
inline constexpr FieldKey dropped_attributes{"dropped_attributes", 210};
inline constexpr FieldKey dropped_events{"dropped_events", 211};
inline constexpr FieldKey dropped_links{"dropped_links", 212};
inline constexpr FieldKey session_keys_seen{"session_keys_seen", 213};

// Event: detail of log records
inline constexpr FieldKey severity{"severity", 128};  // also an operational field of guard events
inline constexpr FieldKey body{"body", 220};
inline constexpr FieldKey log_event_name{"event_name", 222};
inline constexpr FieldKey observed_ts{"observed_ts", 223};

// Event: evidence
inline constexpr FieldKey payload{"payload", 250};
inline constexpr FieldKey chunk{"chunk", 251};
inline constexpr FieldKey chunks{"chunks", 252};
inline constexpr FieldKey salt{"salt", 253};
inline constexpr FieldKey commitment{"commitment", 254};
inline constexpr FieldKey key_id{"key_id", 255};
inline constexpr FieldKey parts{"parts", 256};

// All of the above, for who reads a record by its numbers; the others are in model/field.h.
inline constexpr auto event_keys = std::to_array<FieldKey>({
    schema_version, event_id,      event_class,
    event_type,     timestamp,     time_source,
    ts_received,    tenant_id,     session_id,
    session_source, trace_id,      span_id,
    parent_span_id, gateway_id,    gateway_epoch,
    gateway_seq,    source,        rules,
    digest_key_id,  name,          kind,
    status_message, attributes,    resource,
    events,         links,         scope,
    redaction,      truncated,     dropped_attributes,
    dropped_events, dropped_links, session_keys_seen,
    severity,       body,          log_event_name,
    observed_ts,    payload,       chunk,
    chunks,         salt,          commitment,
    key_id,         parts,
});

// SpanEvent, SpanLink, Scope, Redaction
inline constexpr FieldKey event_name{"name", 1};
inline constexpr FieldKey event_time{"time", 2};
inline constexpr FieldKey event_attributes{"attributes", 3};
inline constexpr FieldKey link_trace_id{"trace_id", 1};
inline constexpr FieldKey link_span_id{"span_id", 2};
inline constexpr FieldKey link_attributes{"attributes", 3};
inline constexpr FieldKey scope_name{"name", 1};
inline constexpr FieldKey scope_version{"version", 2};
inline constexpr FieldKey scope_attributes{"attributes", 3};
inline constexpr FieldKey ruleset{"ruleset", 1};
inline constexpr FieldKey counts{"counts", 2};

}  // namespace key
}  // namespace spangate
