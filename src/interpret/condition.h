// Runs a compiled condition of the conventions table over one span (or one of its span events).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "interpret/attribute_index.h"
#include "interpret/convention_table.h"
#include "model/field_set.h"
#include "model/span_view.h"

namespace spangate {

// What a condition may look at. Borrowed for the call.
struct ConditionScope {
    const ConventionTable& table;
    const SpanView& span;
    const AttributeIndex& attributes;  // the span's, or the span event's
    const AttributeIndex& resource;
    std::span<const std::string_view> event_names;  // names the event goes by
    const FieldSetBuilder* fields = nullptr;        // overlays only
    EventTypes events = 0;                          // overlays only
};

[[nodiscard]] bool holds(const ConditionScope& scope, std::uint32_t condition);

// `value` null: the key is absent.
[[nodiscard]] bool passes(const ConventionTable& table, const ValueTest& test, const Value* value);

}  // namespace spangate
