// A redactor with one span to redact, for the tests of this room.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "redact/redactor.h"
#include "support/event_batch_for_test.h"

namespace spangate {

[[nodiscard]] inline Attribute attribute(
    std::string_view key,
    Value value,
    Treatment treatment = Treatment::content,
    ContentRole role = ContentRole::other
) {
    // Known keys have an id; content without one is what no table names.
    const KeyId id = treatment == Treatment::content ? KeyId{0} : KeyId{1};
    return {key, value, id, treatment, role};
}

[[nodiscard]] inline Attribute attribute(
    std::string_view key,
    std::string_view text,
    Treatment treatment = Treatment::content,
    ContentRole role = ContentRole::other
) {
    return attribute(key, Value::of(text), treatment, role);
}

class RedactorContext {
  public:
    explicit RedactorContext(RedactConfig redact = {}, EvidenceConfig evidence = {})
        : config(std::move(redact)),
          evidence_config(std::move(evidence)),
          rules(*RuleSet::compile(config)),
          redactor(config, evidence_config, rules, key, metrics) {
        span.resource = &resource;
        span.scope = &scope;
        span.name = "chat gpt-4.1";
        scope.name = "test.scope";
    }

    // Makes the span a log record: `log` tells the rest.
    void become_log() {
        span.name = {};
        log.body.key = "body";
        span.log = &log;
    }

    // One item of `span`, `fields` and the given event types; the last one is primary.
    [[nodiscard]] AgentItem item(std::vector<EventType> types = {EventType::inference}) {
        field_sets.push_back(std::make_unique<FieldSet>(fields.pack(arena)));
        const std::span<AgentEvent> events = arena.make_array<AgentEvent>(types.size());
        for (std::size_t i = 0; i < types.size(); ++i) {
            events[i].type = types[i];
            events[i].is_primary = i + 1 == types.size();
            events[i].at_end = events[i].is_primary;
            events[i].event_id.fill(static_cast<char>('a' + i));
            events[i].fields = field_sets.back().get();
        }
        AgentItem made;
        made.source = span.is_log() ? EventSource::log : EventSource::span;
        made.span = &span;
        made.session = {"acme", "session-1"};
        made.session_source = "session.id";
        made.fields = field_sets.back().get();
        made.events = events;
        made.primary = static_cast<std::uint32_t>(types.size() - 1);
        return made;
    }

    [[nodiscard]] ReleasedBatch redact(
        std::vector<AgentItem> items, std::vector<const RequestFacts*> facts = {}
    ) {
        return redactor.redact(EventBatchForTest::make(arena, std::move(items), std::move(facts)));
    }

    RedactConfig config;
    EvidenceConfig evidence_config;
    HashKey key{"test key"};
    Metrics metrics;
    std::shared_ptr<const RuleSet> rules;
    Redactor redactor;
    Arena arena;
    ResourceView resource;
    ScopeView scope;
    SpanView span;
    LogRecordView log;
    FieldSetBuilder fields;
    std::vector<std::unique_ptr<FieldSet>> field_sets;
};

// All text of a value, an attribute list, a span: what a reader of detail can see.
inline void append_text(const Value& value, std::string& out) {
    switch (value.kind) {
        case ValueKind::string:
        case ValueKind::bytes:
            out += value.text();
            break;
        case ValueKind::integer:
            out += std::to_string(value.integer);
            break;
        case ValueKind::real:
            out += std::to_string(value.real);
            break;
        case ValueKind::array:
            for (const Value& one : value.array())
                append_text(one, out);
            break;
        case ValueKind::kvlist:
            for (const Attribute& entry : value.kvlist()) {
                out += entry.key;
                out += '=';
                append_text(entry.value, out);
            }
            break;
        case ValueKind::boolean:
        case ValueKind::empty:
            break;
    }
    out += '\n';
}

inline void append_text(std::span<const Attribute> attributes, std::string& out) {
    for (const Attribute& one : attributes) {
        out += one.key;
        out += '=';
        append_text(one.value, out);
    }
}

[[nodiscard]] inline std::string detail_text(const ReleasedItem& item) {
    std::string out;
    const SpanView& span = *item.detail;
    for (const std::string_view text :
         {span.name,
          span.status_message,
          span.trace_state,
          span.scope->name,
          span.scope->version}) {
        out += text;
        out += '\n';
    }
    if (span.is_log()) {
        out += span.log->severity_text;
        out += span.log->event_name;
        append_text({&span.log->body, 1}, out);
    }
    append_text(span.attributes, out);
    append_text(span.resource->attributes, out);
    append_text(span.scope->attributes, out);
    append_text(item.added_attributes, out);
    for (const SpanEventView& event : span.events) {
        out += event.name;
        append_text(event.attributes, out);
    }
    for (const SpanLinkView& link : span.links) {
        out += link.trace_state;
        append_text(link.attributes, out);
    }
    for (const std::string_view path : item.truncated)
        out += path;
    for (const std::string_view session_key : item.session_keys_seen)
        out += session_key;
    return out;
}

[[nodiscard]] inline std::string fields_text(const ReleasedItem& item) {
    std::string out(item.session.session_id);
    out += item.session.tenant_id;
    for (const AgentEvent& event : item.events) {
        for (const FieldValue& value : event.fields->values()) {
            const FieldType type = info(value.id).type;
            if (type == FieldType::text) out += value.text();
            if (type == FieldType::integer) out += std::to_string(value.integer);
            if (type == FieldType::texts) {
                for (const std::string_view text : value.texts())
                    out += text;
            }
            out += '\n';
        }
    }
    return out;
}

[[nodiscard]] inline const Value* find_value(
    std::span<const Attribute> attributes, std::string_view key
) {
    for (const Attribute& one : attributes) {
        if (one.key == key) return &one.value;
    }
    return nullptr;
}

[[nodiscard]] inline std::string text_of(const ReleasedItem& item, std::string_view key) {
    const Value* const value = find_value(item.detail->attributes, key);
    return value == nullptr ? "(absent)" : std::string(value->text());
}

[[nodiscard]] inline std::string field_text(
    const ReleasedItem& item, FieldId field, std::size_t event = 0
) {
    const FieldValue* const value = item.events[event].fields->find(field);
    return value == nullptr ? "(absent)" : std::string(value->text());
}

[[nodiscard]] inline std::int64_t field_integer(const ReleasedItem& item, FieldId field) {
    const FieldValue* const value = item.events[0].fields->find(field);
    return value == nullptr ? -1 : value->integer;
}

}  // namespace spangate
