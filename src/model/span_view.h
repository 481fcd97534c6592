// Borrowed views of one OTLP request, as the decoders make them: no string is copied, every view
// points into the request's body (or, for JSON, into the parser's unescaped text) and lives as long
// as the batch that holds the request. Shapes and names follow opentelemetry-proto v1
// (common.proto, resource.proto, trace.proto).
//
// Later rooms add their findings to the mutable members that are marked so; they never change what
// the client sent.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>

namespace spangate {

struct Attribute;

enum class ValueKind : std::uint8_t { empty, string, boolean, integer, real, bytes, array, kvlist };

// An opentelemetry AnyValue. `string` may hold ill-formed UTF-8: encoders repair it.
struct Value {
    ValueKind kind = ValueKind::empty;
    bool boolean = false;

    union {
        std::int64_t integer = 0;
        double real;
        const Value* array_first;
        Attribute* kvlist_first;
        const char* text_first;
    };

    std::uint32_t size = 0;  // bytes of text, items of array or kvlist

    [[nodiscard]] std::string_view text() const { return {text_first, size}; }

    [[nodiscard]] std::span<const Value> array() const { return {array_first, size}; }

    [[nodiscard]] inline std::span<Attribute> kvlist() const;

    [[nodiscard]] bool is_text() const { return kind == ValueKind::string; }

    [[nodiscard]] static Value of(std::string_view text) {
        Value value;
        value.kind = ValueKind::string;
        value.text_first = text.data();
        value.size = static_cast<std::uint32_t>(text.size());
        return value;
    }

    [[nodiscard]] static Value of(std::int64_t integer) {
        Value value;
        value.kind = ValueKind::integer;
        value.integer = integer;
        return value;
    }

    [[nodiscard]] static Value of(double real) {
        Value value;
        value.kind = ValueKind::real;
        value.real = real;
        return value;
    }

    // Exactly bool: a pointer must not become one.
    template <std::same_as<bool> Bool>
    [[nodiscard]] static Value of(Bool boolean) {
        Value value;
        value.kind = ValueKind::boolean;
        value.boolean = boolean;
        return value;
    }

    [[nodiscard]] static Value of(std::span<const Value> items) {
        Value value;
        value.kind = ValueKind::array;
        value.array_first = items.data();
        value.size = static_cast<std::uint32_t>(items.size());
        return value;
    }

    [[nodiscard]] static inline Value of(std::span<Attribute> items);
};

// What may become of an attribute, decided by `interpret` from the conventions table. `content` is
// the answer for everything that no table names.
enum class Treatment : std::uint8_t {
    content,   // evidence raw; detail redacted or left out; operational never
    plain,     // stands in detail; detectors still run over it
    mapped,    // feeds a field of the contract; stands in detail; detectors still run over it
    identity,  // a person's id: only its keyed hash is ever published
};

// The role of a content part, from `content_roles` of the conventions table (contract §3, Digests).
enum class ContentRole : std::uint8_t {
    other,
    tool_args,
    tool_result,
    prompt,
    completion,
    system,
    documents,
    error,
};

inline constexpr std::array<std::string_view, 8> content_role_names = {
    "other", "tool_args", "tool_result", "prompt", "completion", "system", "documents", "error"};

[[nodiscard]] constexpr std::string_view name_of(ContentRole role) {
    return content_role_names[static_cast<std::size_t>(role)];
}

// Index of an attribute key in the conventions table; 0 = not named there.
using KeyId = std::uint16_t;

struct Attribute {
    std::string_view key;
    Value value;
    KeyId key_id = 0;                          // set by interpret
    Treatment treatment = Treatment::content;  // set by interpret
    ContentRole role = ContentRole::other;     // set by interpret
};

std::span<Attribute> Value::kvlist() const {
    return {kvlist_first, size};
}

Value Value::of(std::span<Attribute> items) {
    Value value;
    value.kind = ValueKind::kvlist;
    value.kvlist_first = items.data();
    value.size = static_cast<std::uint32_t>(items.size());
    return value;
}

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

[[nodiscard]] constexpr bool is_zero(std::span<const std::uint8_t> id) {
    for (const std::uint8_t byte : id) {
        if (byte != 0) return false;
    }
    return true;
}

struct ResourceView {
    std::span<Attribute> attributes;
    std::uint32_t dropped_attributes = 0;
};

struct ScopeView {
    std::string_view name;
    std::string_view version;
    std::span<Attribute> attributes;
    std::uint32_t dropped_attributes = 0;
};

struct SpanEventView {
    std::uint64_t time_unix_nano = 0;
    std::string_view name;
    std::span<Attribute> attributes;
    std::uint32_t dropped_attributes = 0;
};

struct SpanLinkView {
    TraceId trace_id{};
    SpanId span_id{};
    std::string_view trace_state;
    std::span<Attribute> attributes;
    std::uint32_t dropped_attributes = 0;
};

// What a log record has that a span has not (logs.proto). Its body is content, whatever it holds.
struct LogRecordView {
    std::uint64_t observed_unix_nano = 0;
    std::int32_t severity_number = 0;
    std::string_view severity_text;
    std::string_view event_name;
    Attribute body;  // key `body`; an empty value when there is none
};

enum class SpanKind : std::uint8_t { unspecified, internal, server, client, producer, consumer };
inline constexpr std::array<std::string_view, 6> span_kind_names = {
    "unspecified", "internal", "server", "client", "producer", "consumer"};

enum class StatusCode : std::uint8_t { unset, ok, error };
inline constexpr std::array<std::string_view, 3> status_code_names = {"unset", "ok", "error"};

// A span, or a log record in a span's clothes: then `log` is set, both times are the record's (0:
// not sent), the ids are those of the span it was written in (zero: none, or not ids), and parent,
// name, kind, status, events and links are empty. So one walk serves both signals.
struct SpanView {
    const ResourceView* resource = nullptr;  // never null after decoding
    const ScopeView* scope = nullptr;        // never null after decoding
    TraceId trace_id{};
    SpanId span_id{};
    SpanId parent_span_id{};  // all zero: a root
    std::uint32_t flags = 0;
    SpanKind kind = SpanKind::unspecified;
    StatusCode status_code = StatusCode::unset;
    std::uint64_t start_unix_nano = 0;
    std::uint64_t end_unix_nano = 0;
    std::string_view name;
    std::string_view trace_state;
    std::string_view status_message;
    std::span<Attribute> attributes;
    std::span<SpanEventView> events;
    std::span<SpanLinkView> links;
    std::uint32_t dropped_attributes = 0;
    std::uint32_t dropped_events = 0;
    std::uint32_t dropped_links = 0;
    LogRecordView* log = nullptr;

    [[nodiscard]] bool is_log() const { return log != nullptr; }

    [[nodiscard]] bool is_root() const { return log == nullptr && is_zero(parent_span_id); }
};

}  // namespace spangate
