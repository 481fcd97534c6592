// A Resource (resource.proto) and an InstrumentationScope (common.proto) from the wire: what all
// items below them have in common, of either signal.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "decode/span_limits.h"
#include "decode/wire_values.h"
#include "model/span_view.h"

namespace spangate {

// Malformed bytes end the request with a protozero exception; what costs only the items below this
// resource or scope comes back.
class WireScopes {
  public:
    // The references outlive this.
    WireScopes(WireValues& values, Arena& arena, const char*& place)
        : values_(values),
          arena_(arena),
          place_(place) {}

    [[nodiscard]] SpanFault read_resource(std::string_view message, ResourceView& resource);
    [[nodiscard]] SpanFault read_scope(std::string_view message, ScopeView& scope);

  private:
    WireValues& values_;
    Arena& arena_;
    const char*& place_;
};

}  // namespace spangate
