// Reads every byte that a decoder's views reach, so that the sanitizers see each of them.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "decode/decoder.h"

namespace spangate::fuzzing {

class ViewReader {
  public:
    void read(const DecodedTraces& traces) {
        for (const SpanView& span : traces.spans)
            read(span);
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

    void read(const SpanView& span) {
        if (is_zero(span.trace_id) || is_zero(span.span_id)) std::abort();
        read(span.resource->attributes);
        read(span.scope->name);
        read(span.scope->version);
        read(span.scope->attributes);
        read(span.name);
        read(span.trace_state);
        read(span.status_message);
        read(span.attributes);
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

// Decodes one input as a lane would.
inline int decode_and_read(const std::uint8_t* data, std::size_t size, BodyEncoding encoding) {
    static Decoder decoder({});
    static Arena arena;
    arena.reset();
    RawRequest request;
    request.encoding = encoding;
    request.body.append({reinterpret_cast<const char*>(data), size});  // NOLINT
    const Result<DecodedTraces> traces = decoder.decode(request, arena);
    if (!traces) return traces.error().message.empty() ? std::abort(), 0 : 0;
    ViewReader reader;
    reader.read(*traces);
    return reader.sum() == 1 ? 1 : 0;
}

}  // namespace spangate::fuzzing
