// Places an encoded value in a slab as a record (model/record.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/slab.h"
#include "model/record.h"
#include "model/session_key.h"
#include "model/span_view.h"
#include "route/event_walk.h"

namespace spangate {

struct RecordParts {
    SessionKey session;
    std::uint64_t session_hash = 0;
    const SpanView* span = nullptr;  // for traceparent; null or without trace id: none
    std::int64_t timestamp_ms = 0;
    std::string_view value;
    RecordSlots slots;
};

// One piece of a slab: [OutboundRecord | key | tenant | traceparent | value]. Never null; the
// record owns one reference of the slab. Class, type, ids and ticket are the caller's to set.
[[nodiscard]] OutboundRecord* make_record(SlabWriter& slabs, const RecordParts& parts);

// Bytes that `record` takes in its slab.
[[nodiscard]] std::uint64_t record_bytes(const OutboundRecord& record);

}  // namespace spangate
