// A LogRecord of logs.proto from JSON, for the walk of json_items.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "decode/item_place.h"
#include "decode/json_reader.h"
#include "decode/json_values.h"
#include "decode/span_limits.h"
#include "model/span_view.h"

namespace spangate {

// What is no OTLP/JSON ends the request with a JsonFault; what is wrong with this record alone
// comes back. That an id is missing or is none is not wrong: logs.proto has receivers take such a
// record as one outside of all traces.
class JsonLogs {
  public:
    static constexpr ItemNames names{"resourceLogs", "scopeLogs", "logRecords"};
    static constexpr SpanFault too_many = span_fault::log_records;

    // The references outlive this.
    JsonLogs(JsonReader& reader, JsonValues& values, Arena& arena)
        : reader_(reader),
          values_(values),
          arena_(arena) {}

    // Everything of `record` but its resource and scope.
    [[nodiscard]] SpanFault read(json::value value, SpanView& record);

  private:
    [[nodiscard]] SpanFault read_member(std::string_view key, json::value value, SpanView& record);

    JsonReader& reader_;
    JsonValues& values_;
    Arena& arena_;
};

}  // namespace spangate
