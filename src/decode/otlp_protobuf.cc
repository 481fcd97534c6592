#include "decode/otlp_protobuf.h"

#include <fmt/format.h>

#include "decode/span_limits.h"
#include "decode/wire_reader.h"
#include "decode/wire_spans.h"
#include "decode/wire_values.h"

namespace spangate {
namespace {

// Field numbers of opentelemetry-proto v1 that are known, as bits.
constexpr std::uint32_t request_fields = field_bits({1});
constexpr std::uint32_t resource_spans_fields = field_bits({1, 2});
constexpr std::uint32_t scope_spans_fields = field_bits({1, 2});
constexpr std::uint32_t resource_fields = field_bits({1, 2});
constexpr std::uint32_t scope_fields = field_bits({1, 2, 3, 4});

// One walk over one request. Malformed bytes end it with a protozero exception; what is wrong with
// a single span only comes back as a SpanFault.
class TraceWalk {
  public:
    TraceWalk(std::string_view body, const ReceiverLimits& limits, Arena& arena)
        : body_(body),
          limits_(limits),
          arena_(arena),
          place_(body.data()),
          values_(limits, arena, body.size(), place_),
          spans_(values_, arena, place_) {}

    [[nodiscard]] DecodedTraces run();

    // Where the walk stands, after an exception.
    [[nodiscard]] std::string place() const;

  private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

    [[nodiscard]] std::size_t count_spans();
    void walk_resource_spans(std::string_view message);
    // `fault`: of the resource; it is that of every span below.
    void walk_scope_spans(std::string_view message, const ResourceView* resource, SpanFault fault);

    // Calls `take(bytes)` for each field of this kind.
    template <typename Take>
    void each_of(std::string_view message, std::uint32_t tag_and_type, Take&& take);
    void take_span(std::string_view message, const ResourceView* resource, const ScopeView* scope);
    void reject(SpanFault why);

    [[nodiscard]] SpanFault read_resource(std::string_view message, ResourceView& resource);
    [[nodiscard]] SpanFault read_scope(std::string_view message, ScopeView& scope);

    std::string_view body_;
    const ReceiverLimits& limits_;
    Arena& arena_;
    DecodedTraces traces_;
    std::size_t spans_filled_ = 0;

    const char* place_;  // the field being read
    WireValues values_;
    WireSpans spans_;
    std::size_t resource_index_ = nowhere;
    std::size_t scope_index_ = nowhere;
    std::size_t span_index_ = nowhere;
};

DecodedTraces TraceWalk::run() {
    const std::size_t spans_count = count_spans();
    traces_.spans = arena_.make_array<SpanView>(
        std::min<std::size_t>(spans_count, limits_.spans_per_request_max)
    );
    WireReader request(body_, place_);
    while (request.next()) {
        switch (request.tag_and_type()) {
            case wire::bytes(1):
                ++resource_index_;
                walk_resource_spans(request.bytes());
                break;
            default:
                request.skip_unknown(request_fields);
        }
    }
    traces_.spans = traces_.spans.first(spans_filled_);
    return std::move(traces_);
}

std::size_t TraceWalk::count_spans() {
    std::size_t count = 0;
    each_of(body_, wire::bytes(1), [&](std::string_view resource_spans) {
        each_of(resource_spans, wire::bytes(2), [&](std::string_view scope_spans) {
            count += count_fields<1>(scope_spans, {wire::bytes(2)}, place_)[0];
        });
    });
    return count;
}

void TraceWalk::walk_resource_spans(std::string_view message) {
    scope_index_ = nowhere;
    SpanFault fault = values_.take_room(1) ? nullptr : span_fault::room;
    ResourceView* resource = fault == nullptr ? arena_.make<ResourceView>() : nullptr;
    // The resource may stand behind its spans, so it is looked for first.
    each_of(message, wire::bytes(1), [&](std::string_view found) {
        if (fault == nullptr) fault = read_resource(found, *resource);
    });
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                reader.skip();
                break;
            case wire::bytes(2):
                ++scope_index_;
                walk_scope_spans(reader.bytes(), resource, fault);
                break;
            default:
                reader.skip_unknown(resource_spans_fields);
        }
    }
    scope_index_ = nowhere;
}

void TraceWalk::walk_scope_spans(
    std::string_view message, const ResourceView* resource, SpanFault fault
) {
    span_index_ = nowhere;
    if (fault == nullptr && !values_.take_room(1)) fault = span_fault::room;
    ScopeView* scope = fault == nullptr ? arena_.make<ScopeView>() : nullptr;
    each_of(message, wire::bytes(1), [&](std::string_view found) {
        if (fault == nullptr) fault = read_scope(found, *scope);
    });
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                reader.skip();
                break;
            case wire::bytes(2):
                ++span_index_;
                if (fault != nullptr) {
                    reader.skip();
                    reject(fault);
                } else {
                    take_span(reader.bytes(), resource, scope);
                }
                break;
            default:
                reader.skip_unknown(scope_spans_fields);
        }
    }
    span_index_ = nowhere;
}

template <typename Take>
void TraceWalk::each_of(std::string_view message, std::uint32_t tag_and_type, Take&& take) {
    WireReader reader(message, place_);
    while (reader.next()) {
        if (reader.tag_and_type() == tag_and_type) {
            take(reader.bytes());
        } else {
            reader.skip();
        }
    }
}

void TraceWalk::take_span(
    std::string_view message, const ResourceView* resource, const ScopeView* scope
) {
    if (spans_filled_ == traces_.spans.size()) return reject(span_fault::spans);
    SpanView& span = traces_.spans[spans_filled_];
    const SpanFault fault = spans_.read(message, span);
    if (fault != nullptr) {
        span = {};
        return reject(fault);
    }
    span.resource = resource;
    span.scope = scope;
    ++spans_filled_;
}

void TraceWalk::reject(SpanFault why) {
    if (traces_.rejected++ == 0) traces_.rejected_why = why;
}

SpanFault TraceWalk::read_resource(std::string_view message, ResourceView& resource) {
    resource = {};
    const std::size_t count = count_fields<1>(message, {wire::bytes(1)}, place_)[0];
    if (const SpanFault fault = values_.take_attributes(count)) return fault;
    Filling<Attribute> attributes(arena_, count);
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                if (const SpanFault fault =
                        values_.read_attribute(reader.bytes(), attributes.next(), 1)) {
                    return fault;
                }
                break;
            case wire::varint(2):
                resource.dropped_attributes = reader.uint32();
                break;
            default:
                reader.skip_unknown(resource_fields);
        }
    }
    resource.attributes = attributes.done();
    return nullptr;
}

SpanFault TraceWalk::read_scope(std::string_view message, ScopeView& scope) {
    scope = {};
    const std::size_t count = count_fields<1>(message, {wire::bytes(3)}, place_)[0];
    if (const SpanFault fault = values_.take_attributes(count)) return fault;
    Filling<Attribute> attributes(arena_, count);
    WireReader reader(message, place_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                scope.name = reader.bytes();
                break;
            case wire::bytes(2):
                scope.version = reader.bytes();
                break;
            case wire::bytes(3):
                if (const SpanFault fault =
                        values_.read_attribute(reader.bytes(), attributes.next(), 1)) {
                    return fault;
                }
                break;
            case wire::varint(4):
                scope.dropped_attributes = reader.uint32();
                break;
            default:
                reader.skip_unknown(scope_fields);
        }
    }
    scope.attributes = attributes.done();
    return nullptr;
}

std::string TraceWalk::place() const {
    std::string place = fmt::format("byte {} of ExportTraceServiceRequest", place_ - body_.data());
    if (resource_index_ == nowhere) return place;
    place += fmt::format(".resource_spans[{}]", resource_index_);
    if (scope_index_ == nowhere) return place;
    place += fmt::format(".scope_spans[{}]", scope_index_);
    if (span_index_ == nowhere) return place;
    return place + fmt::format(".spans[{}]", span_index_);
}

// Protozero's words name its own types; clients get the wire format's.
std::string_view words_for(const protozero::exception& fault) {
    if (dynamic_cast<const protozero::end_of_buffer_exception*>(&fault) != nullptr) {
        return "it ends in the middle of a field";
    }
    if (dynamic_cast<const protozero::varint_too_long_exception*>(&fault) != nullptr) {
        return "a varint is longer than 10 bytes";
    }
    if (dynamic_cast<const protozero::invalid_tag_exception*>(&fault) != nullptr) {
        return "the field number is not valid";
    }
    if (dynamic_cast<const WrongWireType*>(&fault) != nullptr) {
        return "the field has the wrong wire type";
    }
    return "the wire type is not valid";
}

}  // namespace

Result<DecodedTraces> decode_otlp_protobuf(
    std::string_view body, const ReceiverLimits& limits, Arena& arena
) {
    if (body.empty()) return DecodedTraces{};
    TraceWalk walk(body, limits, arena);
    try {
        return walk.run();
    } catch (const protozero::exception& fault) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("not valid protobuf at {}: {}", walk.place(), words_for(fault))
        );
    }
}

}  // namespace spangate
