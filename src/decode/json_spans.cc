#include "decode/json_spans.h"

#include "base/text.h"

namespace spangate {
namespace {

// False when the hex has another length; what is no hex at all ends the request.
template <std::size_t size>
bool read_id(std::string_view hex, std::array<std::uint8_t, size>& id) {
    for (const char c : hex) {
        const char lower = ascii_lower(c);
        if (!((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f'))) {
            throw JsonFault{"an id is hex in OTLP/JSON, not base64"};
        }
    }
    return read_hex(hex, id);
}

}  // namespace

SpanFault JsonSpans::read(json::value value, SpanView& span) {
    bool trace_id_fits = false;
    bool span_id_fits = false;
    bool parent_fits = true;
    links_dropped_ = 0;
    const SpanFault fault = each_member(value, [&](std::string_view key, json::value member) {
        if (key == "traceId") {
            trace_id_fits = read_id(reader_.text(member), span.trace_id);
        } else if (key == "spanId") {
            span_id_fits = read_id(reader_.text(member), span.span_id);
        } else if (key == "parentSpanId") {
            const std::string_view hex = reader_.text(member);
            span.parent_span_id = {};
            parent_fits = hex.empty() || read_id(hex, span.parent_span_id);
        } else {
            return read_span_member(key, member, span);
        }
        return SpanFault{nullptr};
    });
    if (fault != nullptr) return fault;
    if (!trace_id_fits || is_zero(span.trace_id)) return span_fault::trace_id;
    if (!span_id_fits || is_zero(span.span_id)) return span_fault::span_id;
    if (!parent_fits) return span_fault::parent_span_id;
    span.dropped_links += links_dropped_;
    return nullptr;
}

SpanFault JsonSpans::read_span_member(std::string_view key, json::value value, SpanView& span) {
    if (key == "attributes") return values_.read_attributes(value, span.attributes, 1);
    if (key == "events") return read_events(value, span);
    if (key == "links") return read_links(value, span);
    if (key == "name") {
        span.name = reader_.text(value);
    } else if (key == "kind") {
        const std::int64_t kind = reader_.enumeration(value);
        const bool known = kind >= 0 && kind < static_cast<std::int64_t>(span_kind_names.size());
        span.kind = known ? static_cast<SpanKind>(kind) : SpanKind::unspecified;
    } else if (key == "startTimeUnixNano") {
        span.start_unix_nano = reader_.uint64(value);
    } else if (key == "endTimeUnixNano") {
        span.end_unix_nano = reader_.uint64(value);
    } else if (key == "status") {
        read_status(value, span);
    } else if (key == "traceState") {
        span.trace_state = reader_.text(value);
    } else if (key == "flags") {
        span.flags = reader_.uint32(value);
    } else if (key == "droppedAttributesCount") {
        span.dropped_attributes = reader_.uint32(value);
    } else if (key == "droppedEventsCount") {
        span.dropped_events = reader_.uint32(value);
    } else if (key == "droppedLinksCount") {
        span.dropped_links = reader_.uint32(value);
    }
    return nullptr;
}

SpanFault JsonSpans::read_events(json::value value, SpanView& span) {
    const std::size_t first = stacks_.events.size();
    const SpanFault fault = each_element(value, [&](json::value element) {
        if (!values_.take_room(1)) return span_fault::room;
        SpanEventView event;
        const SpanFault event_fault = read_event(element, event);
        stacks_.events.push_back(event);
        return event_fault;
    });
    span.events = unstack(arena_, stacks_.events, first);
    return fault;
}

SpanFault JsonSpans::read_links(json::value value, SpanView& span) {
    const std::size_t first = stacks_.links.size();
    links_dropped_ = 0;
    const SpanFault fault = each_element(value, [&](json::value element) {
        if (!values_.take_room(1)) return span_fault::room;
        SpanLinkView link;
        const SpanFault link_fault = read_link(element, link);
        if (is_zero(link.trace_id) || is_zero(link.span_id)) {
            ++links_dropped_;
        } else {
            stacks_.links.push_back(link);
        }
        return link_fault;
    });
    span.links = unstack(arena_, stacks_.links, first);
    return fault;
}

SpanFault JsonSpans::read_event(json::value value, SpanEventView& event) {
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "attributes") return values_.read_attributes(member, event.attributes, 1);
        if (key == "timeUnixNano") event.time_unix_nano = reader_.uint64(member);
        if (key == "name") event.name = reader_.text(member);
        if (key == "droppedAttributesCount") event.dropped_attributes = reader_.uint32(member);
        return SpanFault{nullptr};
    });
}

SpanFault JsonSpans::read_link(json::value value, SpanLinkView& link) {
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "attributes") return values_.read_attributes(member, link.attributes, 1);
        if (key == "traceId" && !read_id(reader_.text(member), link.trace_id)) link.trace_id = {};
        if (key == "spanId" && !read_id(reader_.text(member), link.span_id)) link.span_id = {};
        if (key == "traceState") link.trace_state = reader_.text(member);
        if (key == "droppedAttributesCount") link.dropped_attributes = reader_.uint32(member);
        return SpanFault{nullptr};
    });
}

void JsonSpans::read_status(json::value value, SpanView& span) {
    span.status_code = StatusCode::unset;
    span.status_message = {};
    static_cast<void>(each_member(value, [&](std::string_view key, json::value member) {
        if (key == "message") span.status_message = reader_.text(member);
        if (key == "code") {
            const std::int64_t code = reader_.enumeration(member);
            const bool known =
                code >= 0 && code < static_cast<std::int64_t>(status_code_names.size());
            span.status_code = known ? static_cast<StatusCode>(code) : StatusCode::unset;
        }
        return SpanFault{nullptr};
    }));
}

}  // namespace spangate
