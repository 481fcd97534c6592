#include "decode/wire_values.h"

#include "decode/wire_reader.h"

namespace spangate {
namespace {

constexpr std::uint32_t key_value_fields = field_bits({1, 2});
constexpr std::uint32_t any_value_fields = field_bits({1, 2, 3, 4, 5, 6, 7});
constexpr std::uint32_t list_fields = field_bits({1});

}  // namespace

SpanFault WireValues::take_attributes(std::size_t count) {
    if (count > limits_.attributes_per_span_max) return span_fault::attributes;
    return room_.take(count) ? nullptr : span_fault::room;
}

SpanFault WireValues::read_attribute(
    std::string_view message, Attribute& attribute, std::uint32_t depth
) {
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                attribute.key = reader.bytes();
                break;
            case wire::bytes(2):
                if (const SpanFault fault = read_value(reader.bytes(), attribute.value, depth)) {
                    return fault;
                }
                break;
            default:
                reader.skip_unknown(key_value_fields);
        }
    }
    return nullptr;
}

SpanFault WireValues::read_value(std::string_view message, Value& value, std::uint32_t depth) {
    if (depth > limits_.nesting_depth_max) return span_fault::depth;
    value = {};
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                value = Value::of(reader.bytes());
                break;
            case wire::varint(2):
                value = Value::of(reader.boolean());
                break;
            case wire::varint(3):
                value = Value::of(reader.int64());
                break;
            case wire::fixed64(4):
                value = Value::of(reader.real());
                break;
            case wire::bytes(5):
                if (const SpanFault fault = read_array(reader.bytes(), value, depth)) return fault;
                break;
            case wire::bytes(6):
                if (const SpanFault fault = read_kvlist(reader.bytes(), value, depth)) return fault;
                break;
            case wire::bytes(7):
                value = Value::of(reader.bytes());
                value.kind = ValueKind::bytes;
                break;
            default:
                reader.skip_unknown(any_value_fields);
        }
    }
    return nullptr;
}

SpanFault WireValues::read_array(std::string_view message, Value& value, std::uint32_t depth) {
    const std::size_t count = count_fields<1>(message, {wire::bytes(1)}, place_)[0];
    if (!room_.take(count)) return span_fault::room;
    Filling<Value> items(arena_, count);
    WireReader reader(message, place_);
    while (reader.next()) {
        if (reader.tag_and_type() != wire::bytes(1)) {
            reader.skip_unknown(list_fields);
        } else if (const SpanFault fault = read_value(reader.bytes(), items.next(), depth + 1)) {
            return fault;
        }
    }
    value = Value::of(std::span<const Value>(items.done()));
    return nullptr;
}

SpanFault WireValues::read_kvlist(std::string_view message, Value& value, std::uint32_t depth) {
    const std::size_t count = count_fields<1>(message, {wire::bytes(1)}, place_)[0];
    if (!room_.take(count)) return span_fault::room;
    Filling<Attribute> items(arena_, count);
    WireReader reader(message, place_);
    while (reader.next()) {
        if (reader.tag_and_type() != wire::bytes(1)) {
            reader.skip_unknown(list_fields);
        } else if (const SpanFault fault = read_attribute(reader.bytes(), items.next(), depth + 1)) {
            return fault;
        }
    }
    value = Value::of(items.done());
    return nullptr;
}

}  // namespace spangate
