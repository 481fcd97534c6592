// OTLP/JSON (OTLP specification, «JSON Protobuf Encoding») → span views, over simdjson on demand.
//
// Keys are lowerCamelCase, ids hex, enums integers (a severityNumber may be a name), 64-bit
// integers strings or numbers; unknown keys are ignored, the last of a doubled key wins, null
// counts as absent. Text without escapes is borrowed from the body, other text stands unescaped in
// the arena, so the parser is free again when decode() returns. A lone surrogate (JavaScript cuts
// strings inside pairs) becomes U+FFFD. An integer beyond 64 bits becomes a real.
#pragma once

#include <memory>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "config/config.h"
#include "decode/decoder.h"
#include "model/request.h"

namespace spangate {

// Reused request after request; belongs to one thread.
class OtlpJsonDecoder {
  public:
    OtlpJsonDecoder();
    ~OtlpJsonDecoder();
    OtlpJsonDecoder(const OtlpJsonDecoder&) = delete;
    OtlpJsonDecoder& operator=(const OtlpJsonDecoder&) = delete;

    // `signal`: traces or logs. `body` is followed by Body::padding readable bytes. The views
    // borrow from it and from `arena`. Never throws.
    [[nodiscard]] Result<DecodedItems> decode(
        Signal signal, std::string_view body, const ReceiverLimits& limits, Arena& arena
    );

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
