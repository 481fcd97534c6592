#include "route/record_maker.h"

#include <cstring>
#include <new>

#include "base/text.h"

namespace spangate {
namespace {

constexpr std::size_t traceparent_size = 55;  // 00-<32 hex>-<16 hex>-<2 hex>, W3C Trace Context

void write_traceparent(const SpanView& span, char* out) {
    std::memcpy(out, "00-", 3);
    write_hex(span.trace_id, out + 3);
    out[35] = '-';
    write_hex(span.span_id, out + 36);
    out[52] = '-';
    const auto flags = static_cast<std::uint8_t>(span.flags & 0xFF);
    write_hex({&flags, 1}, out + 53);
}

}  // namespace

OutboundRecord* make_record(SlabWriter& slabs, const RecordParts& parts) {
    const bool has_trace =
        parts.span != nullptr && !is_zero(parts.span->trace_id) && !is_zero(parts.span->span_id);
    const SlabPiece piece = slabs.allocate(
        sizeof(OutboundRecord) + parts.session.session_id.size() + parts.session.tenant_id.size() +
        (has_trace ? traceparent_size : 0) + parts.value.size()
    );
    auto* record = new (piece.bytes) OutboundRecord;
    char* at = piece.bytes + sizeof(OutboundRecord);
    const auto put = [&at](std::string_view text) {
        char* start = at;
        std::memcpy(start, text.data(), text.size());
        at += text.size();
        return std::string_view(start, text.size());
    };
    record->slab = piece.slab;
    record->timestamp_ms = parts.timestamp_ms;
    record->session_hash = parts.session_hash;
    record->key = put(parts.session.session_id);
    record->tenant_id = put(parts.session.tenant_id);
    if (has_trace) {
        write_traceparent(*parts.span, at);
        record->traceparent = {at, traceparent_size};
        at += traceparent_size;
    }
    record->value = at;
    put(parts.value);
    record->value_bytes = static_cast<std::uint32_t>(parts.value.size());
    record->epoch_offset = parts.slots.epoch_offset;
    record->seq_offset = parts.slots.seq_offset;
    return record;
}

std::uint64_t record_bytes(const OutboundRecord& record) {
    return sizeof(OutboundRecord) + record.key.size() + record.tenant_id.size() +
           record.traceparent.size() + record.value_bytes;
}

}  // namespace spangate
