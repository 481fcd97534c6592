// The compiled form of the table's conditions: a flat program (interpret/condition.h runs it).
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "model/field.h"
#include "model/span_view.h"

namespace spangate {

inline constexpr std::uint32_t no_index = std::numeric_limits<std::uint32_t>::max();

enum class ConditionOp : std::uint8_t {
    all,
    any,
    negate,
    always,
    scope,
    scope_prefix,
    name,
    name_prefix,
    name_regex,
    kind,
    status,
    root,
    in_span,
    attribute,
    resource,
    attribute_prefix,
    event_name,
    event_prefix,
    has_event,
    field,
    message_regex,
    span_event_attribute,
};

// A node is followed by its children; `end` is the index behind the last of them.
struct ConditionNode {
    ConditionOp op = ConditionOp::always;
    bool flag = false;  // root, in_span: what is wanted
    KeyId key = 0;      // attribute, resource, span_event_attribute
    FieldId field{};    // field
    std::uint32_t end = 0;
    std::uint32_t index = 0;  // of a text, text list, test, regex or prefix, by op
    std::uint32_t bits = 0;   // kinds, statuses or event types
};

struct ValueTest {
    enum class Kind : std::uint8_t { present, absent, any_of, prefix, matches, greater };

    Kind kind = Kind::present;
    std::vector<std::string> texts;  // any_of, prefix: ASCII lower case
    std::uint32_t regex = no_index;
    double number = 0;
};

}  // namespace spangate
