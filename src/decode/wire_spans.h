// A Span of trace.proto from the wire, for the walk of wire_items.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "decode/item_place.h"
#include "decode/span_limits.h"
#include "decode/wire_values.h"
#include "model/span_view.h"

namespace spangate {

class WireReader;

// Malformed bytes end the request with a protozero exception; what is wrong with this span alone
// comes back.
class WireSpans {
  public:
    static constexpr std::string_view request_name = "ExportTraceServiceRequest";
    static constexpr ItemNames names{"resource_spans", "scope_spans", "spans"};
    static constexpr SpanFault too_many = span_fault::spans;

    // The references outlive this.
    WireSpans(WireValues& values, Arena& arena, const char*& place)
        : values_(values),
          arena_(arena),
          place_(place) {}

    // Everything of `span` but its resource and scope; `span` is unspecified after a fault.
    [[nodiscard]] SpanFault read(std::string_view message, SpanView& span);

  private:
    // As on the wire.
    struct Ids {
        std::string_view trace;
        std::string_view span;
        std::string_view parent;
    };

    void read_single(WireReader& reader, SpanView& span, Ids& ids);
    [[nodiscard]] SpanFault read_event(std::string_view message, SpanEventView& event);
    [[nodiscard]] SpanFault read_link(std::string_view message, SpanLinkView& link, bool& valid);
    void read_status(std::string_view message, SpanView& span);

    WireValues& values_;
    Arena& arena_;
    const char*& place_;
};

}  // namespace spangate
