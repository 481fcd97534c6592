// What one span or log record may cost. The reasons are told to the client (OTLP partial success),
// so they are sentences for people and hold nothing of the request.
#pragma once

#include <cstddef>

#include "config/config.h"

namespace spangate {

// Why a span or log record is left out; null: it is not.
using SpanFault = const char*;

namespace span_fault {

inline constexpr SpanFault trace_id = "a span's trace_id is not 16 bytes, or all zero";
inline constexpr SpanFault span_id = "a span's span_id is not 8 bytes, or all zero";
inline constexpr SpanFault parent_span_id = "a span's parent_span_id is neither empty nor 8 bytes";
inline constexpr SpanFault attributes = "more attributes than attributes_per_span_max";
inline constexpr SpanFault depth = "values are nested deeper than nesting_depth_max";
inline constexpr SpanFault room = "the request holds more values than its size allows";
inline constexpr SpanFault spans = "more spans than spans_per_request_max";
inline constexpr SpanFault log_records =
    "more log records than spans_per_request_max, which counts them as well";

}  // namespace span_fault

// An empty attribute takes two bytes on the wire and 48 in memory. So that memory stays a small
// multiple of what was leased for the body, a request may hold one value (attribute, list item,
// event, link, scope, resource) for every eight bytes of its body, beside a free allowance.
// Measured requests hold one for 20 to 60 bytes. A log record, which may be empty, counts as well.
class ValueRoom {
  public:
    // What a LogRecordView takes in memory.
    static constexpr std::size_t values_per_log_record = 2;
    static constexpr std::size_t body_bytes_per_value = 8;
    static constexpr std::size_t values_free = 16'384;

    explicit ValueRoom(std::size_t body_bytes)
        : left_(body_bytes / body_bytes_per_value + values_free) {}

    [[nodiscard]] bool take(std::size_t values) {
        if (values > left_) return false;
        left_ -= values;
        return true;
    }

  private:
    std::size_t left_;
};

}  // namespace spangate
