#include "decode/json_values.h"

namespace spangate {

SpanFault JsonValues::read_attributes(
    json::value value, std::span<Attribute>& attributes, std::uint32_t depth
) {
    const std::size_t first = stacks_.attributes.size();
    const SpanFault fault = each_element(value, [&](json::value element) {
        const std::size_t count = stacks_.attributes.size() - first;
        if (depth == 1 && count >= limits_.attributes_per_span_max) return span_fault::attributes;
        if (!room_.take(1)) return span_fault::room;
        Attribute attribute;
        const SpanFault attribute_fault = read_attribute(element, attribute, depth);
        stacks_.attributes.push_back(attribute);
        return attribute_fault;
    });
    attributes = unstack(arena_, stacks_.attributes, first);
    return fault;
}

SpanFault JsonValues::read_attribute(json::value value, Attribute& attribute, std::uint32_t depth) {
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "key") attribute.key = reader_.text(member);
        if (key == "value") return read_value(member, attribute.value, depth);
        return SpanFault{nullptr};
    });
}

SpanFault JsonValues::read_value(json::value value, Value& out, std::uint32_t depth) {
    if (depth > limits_.nesting_depth_max) return span_fault::depth;
    out = {};
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "stringValue") {
            out = Value::of(reader_.text(member));
        } else if (key == "intValue") {
            out = reader_.integer(member);
        } else if (key == "doubleValue") {
            out = Value::of(reader_.real(member));
        } else if (key == "boolValue") {
            out = Value::of(reader_.boolean(member));
        } else if (key == "arrayValue") {
            return read_array(member, out, depth);
        } else if (key == "kvlistValue") {
            return read_kvlist(member, out, depth);
        } else if (key == "bytesValue") {
            out = reader_.bytes(member);
        }
        return SpanFault{nullptr};
    });
}

SpanFault JsonValues::read_array(json::value value, Value& out, std::uint32_t depth) {
    out = Value::of(std::span<const Value>());
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key != "values") return SpanFault{nullptr};
        const std::size_t first = stacks_.values.size();
        const SpanFault fault = each_element(member, [&](json::value element) {
            if (!room_.take(1)) return span_fault::room;
            Value item;
            SpanFault item_fault = nullptr;
            if (type_of(element) != json::json_type::null) {
                item_fault = read_value(element, item, depth + 1);
            }
            stacks_.values.push_back(item);
            return item_fault;
        });
        out = Value::of(std::span<const Value>(unstack(arena_, stacks_.values, first)));
        return fault;
    });
}

SpanFault JsonValues::read_kvlist(json::value value, Value& out, std::uint32_t depth) {
    std::span<Attribute> items;
    const SpanFault fault = each_member(value, [&](std::string_view key, json::value member) {
        if (key != "values") return SpanFault{nullptr};
        return read_attributes(member, items, depth + 1);
    });
    out = Value::of(items);
    return fault;
}

}  // namespace spangate
