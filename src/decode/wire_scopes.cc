#include "decode/wire_scopes.h"

#include "decode/wire_reader.h"

namespace spangate {
namespace {

constexpr std::uint32_t resource_fields = field_bits({1, 2});
constexpr std::uint32_t scope_fields = field_bits({1, 2, 3, 4});

}  // namespace

SpanFault WireScopes::read_resource(std::string_view message, ResourceView& resource) {
    resource = {};
    const std::size_t count = count_fields<1>(message, {wire::bytes(1)}, place_)[0];
    if (const SpanFault fault = values_.take_attributes(count)) return fault;
    Filling<Attribute> attributes(arena_, count);
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                if (const SpanFault fault =
                        values_.read_attribute(reader.bytes(), attributes.next(), 1)) {
                    return fault;
                }
                break;
            case wire::varint(2):
                resource.dropped_attributes = reader.uint32();
                break;
            default:
                reader.skip_unknown(resource_fields);
        }
    }
    resource.attributes = attributes.done();
    return nullptr;
}

SpanFault WireScopes::read_scope(std::string_view message, ScopeView& scope) {
    scope = {};
    const std::size_t count = count_fields<1>(message, {wire::bytes(3)}, place_)[0];
    if (const SpanFault fault = values_.take_attributes(count)) return fault;
    Filling<Attribute> attributes(arena_, count);
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                scope.name = reader.bytes();
                break;
            case wire::bytes(2):
                scope.version = reader.bytes();
                break;
            case wire::bytes(3):
                if (const SpanFault fault =
                        values_.read_attribute(reader.bytes(), attributes.next(), 1)) {
                    return fault;
                }
                break;
            case wire::varint(4):
                scope.dropped_attributes = reader.uint32();
                break;
            default:
                reader.skip_unknown(scope_fields);
        }
    }
    scope.attributes = attributes.done();
    return nullptr;
}

}  // namespace spangate
