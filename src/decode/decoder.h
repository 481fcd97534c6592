// The second room: the bytes of an admitted request, spans or log records, become span views. One
// decoder per lane.
//
// Nothing is copied out of a protobuf body; strings of a JSON body stand unescaped in a pooled
// parser, which `keep_alive` holds. Lists stand in the batch's arena.
//
// Two kinds of fault (OTLP specification, «Partial Success»):
//   - the request is not what it says (truncated, wrong wire type, not JSON): an Error with
//     `invalid_argument`, naming the place, never the bytes;
//   - one span or log record cannot be taken (no trace id, which only a span needs; too deep; too
//     many attributes): it alone is left out and counted in `rejected`; `rejected_why` tells the
//     first such reason.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/arena.h"
#include "base/result.h"
#include "config/config.h"
#include "model/request.h"
#include "model/span_view.h"

namespace spangate {

struct DecodedItems {
    std::span<SpanView> spans;  // or log records; in the order of the request
    std::uint64_t rejected = 0;
    std::string rejected_why;

    // Owns the text of a JSON request; null for protobuf. Let go on the decoder's own thread.
    std::shared_ptr<void> keep_alive;
};

class OtlpJsonDecoder;

class Decoder {
  public:
    explicit Decoder(const ReceiverLimits& limits);
    ~Decoder();
    Decoder(Decoder&&) noexcept;
    Decoder& operator=(Decoder&&) noexcept;

    // By `request.signal`, traces or logs. The views live as long as the request's body, `arena`
    // and `keep_alive`.
    [[nodiscard]] Result<DecodedItems> decode(const RawRequest& request, Arena& arena);

  private:
    ReceiverLimits limits_;
    std::unique_ptr<OtlpJsonDecoder> json_;
};

}  // namespace spangate
