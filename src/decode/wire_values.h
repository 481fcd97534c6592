// Attributes and values (KeyValue and AnyValue of common.proto) from the wire, for otlp_protobuf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/check.h"
#include "config/config.h"
#include "decode/span_limits.h"
#include "model/span_view.h"

namespace spangate {

// A list that is made at its final size and filled as its items come by.
template <typename T>
class Filling {
  public:
    Filling(Arena& arena, std::size_t count) : items_(arena.make_array<T>(count)) {}

    [[nodiscard]] T& next() {
        SPANGATE_DCHECK(filled_ < items_.size());
        return items_[filled_++];
    }

    void drop_last() { --filled_; }

    [[nodiscard]] std::span<T> done() const { return items_.first(filled_); }

  private:
    std::span<T> items_;
    std::size_t filled_ = 0;
};

// Holds what a request's values may cost. Malformed bytes end the request with a protozero
// exception; `place` points at the field being read.
class WireValues {
  public:
    // The references outlive this.
    WireValues(
        const ReceiverLimits& limits, Arena& arena, std::size_t body_bytes, const char*& place
    )
        : limits_(limits),
          arena_(arena),
          room_(body_bytes),
          place_(place) {}

    [[nodiscard]] bool take_room(std::size_t values) { return room_.take(values); }

    // Room for a list of `count` attributes.
    [[nodiscard]] SpanFault take_attributes(std::size_t count);

    // `depth` is that of the attribute's value; 1 outside of all values.
    [[nodiscard]] SpanFault read_attribute(
        std::string_view message, Attribute& attribute, std::uint32_t depth
    );

    // An AnyValue; `depth` likewise.
    [[nodiscard]] SpanFault read_value(std::string_view message, Value& value, std::uint32_t depth);

  private:
    [[nodiscard]] SpanFault read_array(std::string_view message, Value& value, std::uint32_t depth);
    [[nodiscard]] SpanFault read_kvlist(
        std::string_view message, Value& value, std::uint32_t depth
    );

    const ReceiverLimits& limits_;
    Arena& arena_;
    ValueRoom room_;
    const char*& place_;
};

}  // namespace spangate
