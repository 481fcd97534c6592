#include "decode/wire_logs.h"

#include "decode/log_record.h"
#include "decode/wire_reader.h"

namespace spangate {
namespace {

constexpr std::uint32_t log_record_fields = field_bits({1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12});

}  // namespace

SpanFault WireLogs::read(std::string_view message, SpanView& record) {
    const std::size_t attributes_count = count_fields<1>(message, {wire::bytes(6)}, place_)[0];
    if (const SpanFault fault = values_.take_attributes(attributes_count)) return fault;
    if (!values_.take_room(ValueRoom::values_per_log_record)) return span_fault::room;
    Filling<Attribute> attributes(arena_, attributes_count);
    record.log = make_log_record(arena_);

    SpanFault fault = nullptr;
    WireReader reader(message, place_);
    while (fault == nullptr && reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(5):
                fault = values_.read_value(reader.bytes(), record.log->body.value, 1);
                break;
            case wire::bytes(6):
                fault = values_.read_attribute(reader.bytes(), attributes.next(), 1);
                break;
            default:
                read_single(reader, record);
        }
    }
    if (fault != nullptr) return fault;
    record.end_unix_nano = record.start_unix_nano;
    record.attributes = attributes.done();
    return nullptr;
}

// The fields that are neither lists nor values.
void WireLogs::read_single(WireReader& reader, SpanView& record) {
    LogRecordView& log = *record.log;
    switch (reader.tag_and_type()) {
        case wire::fixed64(1):
            record.start_unix_nano = reader.fixed64();
            break;
        case wire::varint(2):
            log.severity_number = reader.int32();
            break;
        case wire::bytes(3):
            log.severity_text = reader.bytes();
            break;
        case wire::varint(7):
            record.dropped_attributes = reader.uint32();
            break;
        case wire::fixed32(8):
            record.flags = reader.fixed32();
            break;
        case wire::bytes(9):
            if (!read_id(reader.bytes(), record.trace_id)) record.trace_id = {};
            break;
        case wire::bytes(10):
            if (!read_id(reader.bytes(), record.span_id)) record.span_id = {};
            break;
        case wire::fixed64(11):
            log.observed_unix_nano = reader.fixed64();
            break;
        case wire::bytes(12):
            log.event_name = reader.bytes();
            break;
        default:
            reader.skip_unknown(log_record_fields);
    }
}

}  // namespace spangate
