#include "decode/json_scopes.h"

namespace spangate {

SpanFault JsonScopes::read_resource(json::value value, ResourceView& resource) {
    resource = {};
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "attributes") return values_.read_attributes(member, resource.attributes, 1);
        if (key == "droppedAttributesCount") resource.dropped_attributes = reader_.uint32(member);
        return SpanFault{nullptr};
    });
}

SpanFault JsonScopes::read_scope(json::value value, ScopeView& scope) {
    scope = {};
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "attributes") return values_.read_attributes(member, scope.attributes, 1);
        if (key == "name") scope.name = reader_.text(member);
        if (key == "version") scope.version = reader_.text(member);
        if (key == "droppedAttributesCount") scope.dropped_attributes = reader_.uint32(member);
        return SpanFault{nullptr};
    });
}

}  // namespace spangate
