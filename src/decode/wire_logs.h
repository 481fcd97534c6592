// A LogRecord of logs.proto from the wire, for the walk of wire_items.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "decode/item_place.h"
#include "decode/span_limits.h"
#include "decode/wire_values.h"
#include "model/span_view.h"

namespace spangate {

class WireReader;

// Malformed bytes end the request with a protozero exception; what is wrong with this record alone
// comes back. That an id is missing or is none is not wrong: logs.proto has receivers take such a
// record as one outside of all traces.
class WireLogs {
  public:
    static constexpr std::string_view request_name = "ExportLogsServiceRequest";
    static constexpr ItemNames names{"resource_logs", "scope_logs", "log_records"};
    static constexpr SpanFault too_many = span_fault::log_records;

    // The references outlive this.
    WireLogs(WireValues& values, Arena& arena, const char*& place)
        : values_(values),
          arena_(arena),
          place_(place) {}

    // Everything of `record` but its resource and scope; `record` is unspecified after a fault.
    [[nodiscard]] SpanFault read(std::string_view message, SpanView& record);

  private:
    static void read_single(WireReader& reader, SpanView& record);

    WireValues& values_;
    Arena& arena_;
    const char*& place_;
};

}  // namespace spangate
