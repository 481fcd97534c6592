// A Resource (resource.proto) and an InstrumentationScope (common.proto) from JSON: what all items
// below them have in common, of either signal.
#pragma once

#include "decode/json_reader.h"
#include "decode/json_values.h"
#include "decode/span_limits.h"
#include "model/span_view.h"

namespace spangate {

// What is no OTLP/JSON ends the request with a JsonFault; what costs only the items below this
// resource or scope comes back.
class JsonScopes {
  public:
    // The references outlive this.
    JsonScopes(JsonReader& reader, JsonValues& values) : reader_(reader), values_(values) {}

    [[nodiscard]] SpanFault read_resource(json::value value, ResourceView& resource);
    [[nodiscard]] SpanFault read_scope(json::value value, ScopeView& scope);

  private:
    JsonReader& reader_;
    JsonValues& values_;
};

}  // namespace spangate
