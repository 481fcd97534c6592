// Reads every byte that a decoder's views reach, so that the sanitizers see each of them.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "decode/decoder.h"

namespace spangate::fuzzing {

class ViewReader {
  public:
    void read(const DecodedItems& items, Signal signal) {
        for (const SpanView& item : items.spans) {
            if (item.is_log() != (signal == Signal::logs)) std::abort();
            read(item.resource->attributes);
            read(item.scope->name);
            read(item.scope->version);
            read(item.scope->attributes);
            read(item.attributes);
            if (item.is_log()) {
                read_log(item);
            } else {
                read_span(item);
            }
        }
    }

    // Depends on all that was read, so that no read is optimised away.
    [[nodiscard]] std::uint64_t sum() const { return sum_; }

  private:
    void read(std::string_view text) {
        for (const char byte : text)
            sum_ = sum_ * 31 + static_cast<unsigned char>(byte);
    }

    void read(const Value& value) {
        switch (value.kind) {
            case ValueKind::string:
            case ValueKind::bytes:
                return read(value.text());
            case ValueKind::array:
                for (const Value& item : value.array())
                    read(item);
                return;
            case ValueKind::kvlist:
                return read(value.kvlist());
            case ValueKind::empty:
            case ValueKind::boolean:
            case ValueKind::integer:
            case ValueKind::real:
                sum_ += static_cast<std::uint64_t>(value.integer);
        }
    }

    void read(std::span<const Attribute> attributes) {
        for (const Attribute& attribute : attributes) {
            read(attribute.key);
            read(attribute.value);
        }
    }

    void read_log(const SpanView& record) {
        if (record.start_unix_nano != record.end_unix_nano) std::abort();
        if (!record.name.empty() || !is_zero(record.parent_span_id)) std::abort();
        read(record.log->severity_text);
        read(record.log->event_name);
        read(record.log->body.key);
        read(record.log->body.value);
    }

    void read_span(const SpanView& span) {
        if (is_zero(span.trace_id) || is_zero(span.span_id)) std::abort();
        read(span.name);
        read(span.trace_state);
        read(span.status_message);
        for (const SpanEventView& event : span.events) {
            read(event.name);
            read(event.attributes);
        }
        for (const SpanLinkView& link : span.links) {
            read(link.trace_state);
            read(link.attributes);
        }
    }

    std::uint64_t sum_ = 0;
};

// Decodes one input as a lane would. Its first byte chooses the signal: odd ones mean logs.
inline int decode_and_read(const std::uint8_t* data, std::size_t size, BodyEncoding encoding) {
    if (size == 0) return 0;
    static Decoder decoder({});
    static Arena arena;
    arena.reset();
    RawRequest request;
    request.signal = data[0] % 2 == 0 ? Signal::traces : Signal::logs;
    request.encoding = encoding;
    request.body.append({reinterpret_cast<const char*>(data) + 1, size - 1});  // NOLINT
    const Result<DecodedItems> items = decoder.decode(request, arena);
    if (!items) return items.error().message.empty() ? std::abort(), 0 : 0;
    ViewReader reader;
    reader.read(*items, request.signal);
    return reader.sum() == 1 ? 1 : 0;
}

}  // namespace spangate::fuzzing
