// Attributes and values (KeyValue and AnyValue of common.proto) from JSON, for otlp_json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/arena.h"
#include "config/config.h"
#include "decode/json_reader.h"
#include "decode/span_limits.h"
#include "model/span_view.h"

namespace spangate {

// Lists are built on these, innermost last, and moved to the arena when they are whole.
struct JsonValueStacks {
    std::vector<Attribute> attributes;
    std::vector<Value> values;

    void clear() {
        attributes.clear();
        values.clear();
    }
};

// Takes the items above `first` off a stack and puts them into the arena.
template <typename T>
[[nodiscard]] std::span<T> unstack(Arena& arena, std::vector<T>& stack, std::size_t first) {
    const std::span<T> items =
        arena.copy_array(std::span<const T>(stack.data() + first, stack.size() - first));
    stack.resize(first);
    return items;
}

// Holds what a request's values may cost. What is no OTLP/JSON ends the request with a JsonFault.
class JsonValues {
  public:
    // The references outlive this.
    JsonValues(
        JsonReader& reader,
        JsonValueStacks& stacks,
        const ReceiverLimits& limits,
        Arena& arena,
        std::size_t body_bytes
    )
        : reader_(reader),
          stacks_(stacks),
          limits_(limits),
          arena_(arena),
          room_(body_bytes) {}

    [[nodiscard]] bool take_room(std::size_t values) { return room_.take(values); }

    // `depth` is that of the attributes' values; 1 outside of all values.
    [[nodiscard]] SpanFault read_attributes(
        json::value value, std::span<Attribute>& attributes, std::uint32_t depth
    );

    // An AnyValue; `depth` likewise.
    [[nodiscard]] SpanFault read_value(json::value value, Value& out, std::uint32_t depth);

  private:
    [[nodiscard]] SpanFault read_attribute(
        json::value value, Attribute& attribute, std::uint32_t depth
    );
    [[nodiscard]] SpanFault read_array(json::value value, Value& out, std::uint32_t depth);
    [[nodiscard]] SpanFault read_kvlist(json::value value, Value& out, std::uint32_t depth);

    JsonReader& reader_;
    JsonValueStacks& stacks_;
    const ReceiverLimits& limits_;
    Arena& arena_;
    ValueRoom room_;
};

}  // namespace spangate
