// A Span of trace.proto from JSON, for the walk of json_items.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "decode/item_place.h"
#include "decode/json_reader.h"
#include "decode/json_values.h"
#include "decode/span_limits.h"
#include "model/span_view.h"

namespace spangate {

// The lists of the span being read, until they are whole.
struct JsonSpanStacks {
    std::vector<SpanEventView> events;
    std::vector<SpanLinkView> links;

    void clear() {
        events.clear();
        links.clear();
    }
};

// What is no OTLP/JSON ends the request with a JsonFault; what is wrong with this span alone comes
// back.
class JsonSpans {
  public:
    static constexpr ItemNames names{"resourceSpans", "scopeSpans", "spans"};
    static constexpr SpanFault too_many = span_fault::spans;

    // The references outlive this.
    JsonSpans(JsonReader& reader, JsonValues& values, JsonSpanStacks& stacks, Arena& arena)
        : reader_(reader),
          values_(values),
          stacks_(stacks),
          arena_(arena) {}

    // Everything of `span` but its resource and scope.
    [[nodiscard]] SpanFault read(json::value value, SpanView& span);

  private:
    [[nodiscard]] SpanFault read_span_member(
        std::string_view key, json::value value, SpanView& span
    );
    [[nodiscard]] SpanFault read_events(json::value value, SpanView& span);
    [[nodiscard]] SpanFault read_links(json::value value, SpanView& span);
    [[nodiscard]] SpanFault read_event(json::value value, SpanEventView& event);
    [[nodiscard]] SpanFault read_link(json::value value, SpanLinkView& link);
    void read_status(json::value value, SpanView& span);

    JsonReader& reader_;
    JsonValues& values_;
    JsonSpanStacks& stacks_;
    Arena& arena_;
    std::uint32_t links_dropped_ = 0;  // of the span being read
};

}  // namespace spangate
