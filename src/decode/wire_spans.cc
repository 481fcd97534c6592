#include "decode/wire_spans.h"

#include <array>

#include "decode/wire_reader.h"

namespace spangate {
namespace {

constexpr std::uint32_t span_fields =
    field_bits({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
constexpr std::uint32_t event_fields = field_bits({1, 2, 3, 4});
constexpr std::uint32_t link_fields = field_bits({1, 2, 3, 4, 5});
constexpr std::uint32_t status_fields = field_bits({2, 3});

// False when the id has another length or is all zero.
template <std::size_t size>
bool read_set_id(std::string_view bytes, std::array<std::uint8_t, size>& id) {
    return read_id(bytes, id) && !is_zero(id);
}

}  // namespace

SpanFault WireSpans::read(std::string_view message, SpanView& span) {
    const auto [attributes_count, events_count, links_count] =
        count_fields<3>(message, {wire::bytes(9), wire::bytes(11), wire::bytes(13)}, place_);
    if (const SpanFault fault = values_.take_attributes(attributes_count)) return fault;
    if (!values_.take_room(events_count + links_count)) return span_fault::room;
    Filling<Attribute> attributes(arena_, attributes_count);
    Filling<SpanEventView> events(arena_, events_count);
    Filling<SpanLinkView> links(arena_, links_count);

    SpanFault fault = nullptr;
    bool link_is_valid = true;
    Ids ids;
    WireReader reader(message, place_);
    while (fault == nullptr && reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(9):
                fault = values_.read_attribute(reader.bytes(), attributes.next(), 1);
                break;
            case wire::bytes(11):
                fault = read_event(reader.bytes(), events.next());
                break;
            case wire::bytes(13):
                fault = read_link(reader.bytes(), links.next(), link_is_valid);
                if (!link_is_valid) links.drop_last();
                break;
            default:
                read_single(reader, span, ids);
        }
    }
    if (fault != nullptr) return fault;
    if (!read_set_id(ids.trace, span.trace_id)) return span_fault::trace_id;
    if (!read_set_id(ids.span, span.span_id)) return span_fault::span_id;
    if (!ids.parent.empty() && !read_id(ids.parent, span.parent_span_id)) {
        return span_fault::parent_span_id;
    }
    span.attributes = attributes.done();
    span.events = events.done();
    span.links = links.done();
    span.dropped_links += static_cast<std::uint32_t>(links_count - span.links.size());
    return nullptr;
}

// The fields that are no lists.
void WireSpans::read_single(WireReader& reader, SpanView& span, Ids& ids) {
    switch (reader.tag_and_type()) {
        case wire::bytes(1):
            ids.trace = reader.bytes();
            break;
        case wire::bytes(2):
            ids.span = reader.bytes();
            break;
        case wire::bytes(3):
            span.trace_state = reader.bytes();
            break;
        case wire::bytes(4):
            ids.parent = reader.bytes();
            break;
        case wire::bytes(5):
            span.name = reader.bytes();
            break;
        case wire::varint(6): {
            const std::uint32_t kind = reader.uint32();
            const bool is_known = kind < span_kind_names.size();
            span.kind = is_known ? static_cast<SpanKind>(kind) : SpanKind::unspecified;
            break;
        }
        case wire::fixed64(7):
            span.start_unix_nano = reader.fixed64();
            break;
        case wire::fixed64(8):
            span.end_unix_nano = reader.fixed64();
            break;
        case wire::varint(10):
            span.dropped_attributes = reader.uint32();
            break;
        case wire::varint(12):
            span.dropped_events = reader.uint32();
            break;
        case wire::varint(14):
            span.dropped_links = reader.uint32();
            break;
        case wire::bytes(15):
            read_status(reader.bytes(), span);
            break;
        case wire::fixed32(16):
            span.flags = reader.fixed32();
            break;
        default:
            reader.skip_unknown(span_fields);
    }
}

SpanFault WireSpans::read_event(std::string_view message, SpanEventView& event) {
    const std::size_t count = count_fields<1>(message, {wire::bytes(3)}, place_)[0];
    if (const SpanFault fault = values_.take_attributes(count)) return fault;
    Filling<Attribute> attributes(arena_, count);
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::fixed64(1):
                event.time_unix_nano = reader.fixed64();
                break;
            case wire::bytes(2):
                event.name = reader.bytes();
                break;
            case wire::bytes(3):
                if (const SpanFault fault =
                        values_.read_attribute(reader.bytes(), attributes.next(), 1)) {
                    return fault;
                }
                break;
            case wire::varint(4):
                event.dropped_attributes = reader.uint32();
                break;
            default:
                reader.skip_unknown(event_fields);
        }
    }
    event.attributes = attributes.done();
    return nullptr;
}

SpanFault WireSpans::read_link(std::string_view message, SpanLinkView& link, bool& valid) {
    const std::size_t count = count_fields<1>(message, {wire::bytes(4)}, place_)[0];
    if (const SpanFault fault = values_.take_attributes(count)) return fault;
    Filling<Attribute> attributes(arena_, count);
    link = {};
    valid = true;
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                valid = read_set_id(reader.bytes(), link.trace_id) && valid;
                break;
            case wire::bytes(2):
                valid = read_set_id(reader.bytes(), link.span_id) && valid;
                break;
            case wire::bytes(3):
                link.trace_state = reader.bytes();
                break;
            case wire::bytes(4):
                if (const SpanFault fault =
                        values_.read_attribute(reader.bytes(), attributes.next(), 1)) {
                    return fault;
                }
                break;
            case wire::varint(5):
                link.dropped_attributes = reader.uint32();
                break;
            default:
                reader.skip_unknown(link_fields);
        }
    }
    valid = valid && !is_zero(link.trace_id) && !is_zero(link.span_id);
    link.attributes = attributes.done();
    return nullptr;
}

void WireSpans::read_status(std::string_view message, SpanView& span) {
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(2):
                span.status_message = reader.bytes();
                break;
            case wire::varint(3): {
                const std::uint32_t code = reader.uint32();
                span.status_code = code < status_code_names.size() ? static_cast<StatusCode>(code)
                                                                   : StatusCode::unset;
                break;
            }
            default:
                reader.skip_unknown(status_fields);
        }
    }
}

}  // namespace spangate
