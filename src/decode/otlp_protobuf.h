// ExportTraceServiceRequest and ExportLogsServiceRequest in protobuf (opentelemetry-proto v1:
// collector/trace/v1 and trace/v1, collector/logs/v1 and logs/v1) → span views, in two passes per
// list: count, then fill. No string is copied.
//
// As in protobuf itself: fields may come in any order, unknown ones are skipped, the last of a
// field wins (also for messages, which protobuf would merge; no encoder splits them). A parent id
// of eight zeros counts as none. A link without valid ids is left out and added to the span's
// dropped links. A log record whose ids are not ids has none.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "config/config.h"
#include "decode/decoder.h"
#include "model/request.h"

namespace spangate {

// `signal`: traces or logs. The views borrow from `body` and `arena`. Never throws.
[[nodiscard]] Result<DecodedItems> decode_otlp_protobuf(
    Signal signal, std::string_view body, const ReceiverLimits& limits, Arena& arena
);

}  // namespace spangate
