#include "interpret/condition.h"

#include <algorithm>

#include <re2/re2.h>

#include "base/text.h"
#include "interpret/loose_value.h"

namespace spangate {
namespace {

// `lower` is lower case already.
bool equals_lower(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (ascii_lower(text[i]) != lower[i]) return false;
    }
    return true;
}

bool starts_with_lower(std::string_view text, std::string_view lower) {
    return text.size() >= lower.size() && equals_lower(text.substr(0, lower.size()), lower);
}

bool finds(const re2::RE2& regex, std::string_view text) {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex);
}

template <typename Matches>
bool any_text(const std::vector<std::string>& texts, const Matches& matches) {
    return std::any_of(texts.begin(), texts.end(), matches);
}

template <typename Matches>
bool any_name(
    std::span<const std::string_view> names,
    const std::vector<std::string>& texts,
    const Matches& matches
) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return any_text(texts, [&](const std::string& text) { return matches(name, text); });
    });
}

Value value_of(const FieldValue& field) {
    switch (info(field.id).type) {
        case FieldType::text:
            return Value::of(field.text());
        case FieldType::integer:
        case FieldType::time:
            return Value::of(field.integer);
        case FieldType::real:
            return Value::of(field.real);
        case FieldType::flag:
            return Value::of(field.flag);
        case FieldType::texts:
        case FieldType::reals:
            return {};
    }
    return {};
}

bool field_passes(const ConditionScope& scope, const ConditionNode& node) {
    const FieldValue* field = scope.fields == nullptr ? nullptr : scope.fields->find(node.field);
    const ValueTest& test = scope.table.tests[node.index];
    if (field == nullptr) return passes(scope.table, test, nullptr);
    const Value value = value_of(*field);
    return passes(scope.table, test, &value);
}

bool span_event_passes(const ConditionScope& scope, const ConditionNode& node) {
    const std::string_view key = scope.table.keys[node.key];
    const ValueTest& test = scope.table.tests[node.index];
    for (const SpanEventView& event : scope.span.events) {
        for (const Attribute& attribute : event.attributes) {
            if (attribute.key == key && passes(scope.table, test, &attribute.value)) return true;
        }
    }
    return false;
}

bool text_holds(const ConditionScope& scope, const ConditionNode& node) {
    const std::vector<std::string>& texts = scope.table.texts[node.index];
    const auto equals = [](std::string_view of) {
        return [of](const std::string& text) {
            return of == text;
        };
    };
    const auto starts = [](std::string_view of) {
        return [of](const std::string& text) {
            return of.starts_with(text);
        };
    };
    switch (node.op) {
        case ConditionOp::scope:
            return any_text(texts, equals(scope.span.scope->name));
        case ConditionOp::scope_prefix:
            return any_text(texts, starts(scope.span.scope->name));
        case ConditionOp::name:
            return any_text(texts, equals(scope.span.name));
        case ConditionOp::name_prefix:
            return any_text(texts, starts(scope.span.name));
        case ConditionOp::event_name:
            return any_name(scope.event_names, texts, equals_lower);
        case ConditionOp::event_prefix:
            return any_name(scope.event_names, texts, starts_with_lower);
        default:
            return false;
    }
}

bool leaf_holds(const ConditionScope& scope, const ConditionNode& node) {
    const ConventionTable& table = scope.table;
    switch (node.op) {
        case ConditionOp::always:
            return true;
        case ConditionOp::name_regex:
            return finds(*table.regexes[node.index], scope.span.name);
        case ConditionOp::message_regex:
            return finds(*table.regexes[node.index], scope.span.status_message);
        case ConditionOp::kind:
            return (node.bits >> static_cast<unsigned>(scope.span.kind) & 1U) != 0;
        case ConditionOp::status:
            return (node.bits >> static_cast<unsigned>(scope.span.status_code) & 1U) != 0;
        case ConditionOp::root:
            return scope.span.is_root() == node.flag;
        case ConditionOp::in_span:
            return !is_zero(scope.span.span_id) == node.flag;
        case ConditionOp::attribute:
            return passes(table, table.tests[node.index], scope.attributes.find(node.key));
        case ConditionOp::resource:
            return passes(table, table.tests[node.index], scope.resource.find(node.key));
        case ConditionOp::attribute_prefix:
            return (scope.attributes.prefixes() >> node.index & 1U) != 0;
        case ConditionOp::has_event:
            return (scope.events & node.bits) != 0;
        case ConditionOp::field:
            return field_passes(scope, node);
        case ConditionOp::span_event_attribute:
            return span_event_passes(scope, node);
        default:
            return text_holds(scope, node);
    }
}

bool node_holds(const ConditionScope& scope, std::uint32_t index) {
    const ConditionNode& node = scope.table.conditions[index];
    if (node.op > ConditionOp::negate) return leaf_holds(scope, node);
    const bool stops_at = node.op != ConditionOp::all;
    for (std::uint32_t child = index + 1; child < node.end;
         child = scope.table.conditions[child].end) {
        if (node_holds(scope, child) == stops_at) return node.op == ConditionOp::any;
    }
    return node.op != ConditionOp::any;
}

}  // namespace

bool passes(const ConventionTable& table, const ValueTest& test, const Value* value) {
    const bool is_there = value != nullptr && value->kind != ValueKind::empty;
    if (test.kind == ValueTest::Kind::absent) return !is_there;
    if (!is_there) return false;
    if (test.kind == ValueTest::Kind::present) return true;
    if (test.kind == ValueTest::Kind::greater) {
        const std::optional<double> number = number_of(*value);
        return number && *number > test.number;
    }
    ScalarText buffer;
    const std::string_view text = scalar_text(*value, buffer);
    if (test.kind == ValueTest::Kind::matches) return finds(*table.regexes[test.regex], text);
    const bool is_prefix = test.kind == ValueTest::Kind::prefix;
    return any_text(test.texts, [&](const std::string& wanted) {
        return is_prefix ? starts_with_lower(text, wanted) : equals_lower(text, wanted);
    });
}

bool holds(const ConditionScope& scope, std::uint32_t condition) {
    return node_holds(scope, condition);
}

}  // namespace spangate
