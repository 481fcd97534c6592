#include "decode/otlp_json.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "decode/json_reader.h"
#include "decode/json_spans.h"
#include "decode/json_values.h"
#include "decode/span_limits.h"

namespace spangate {
namespace {

// A parser that grew beyond this is given back after its request.
constexpr std::size_t parser_bytes_kept_max = 1U << 20;

// JSON levels of one nested OTLP value ({"arrayValue":{"values":[{…}]}}), and of what stands around
// the outermost one.
constexpr std::size_t json_levels_per_value = 5;
constexpr std::size_t json_levels_around = 32;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Lists are built on these, innermost last, and moved to the arena when they are whole.
struct Stacks {
    JsonValueStacks values;
    JsonSpanStacks parts;
    std::vector<SpanView> spans;

    void clear() {
        values.clear();
        spans.clear();
        parts.clear();
    }
};

// One walk over one request. What is not OTLP/JSON ends it with a JsonFault; what is wrong with a
// single span only comes back as a SpanFault.
class JsonWalk {
  public:
    JsonWalk(json::parser& parser, Stacks& stacks, const ReceiverLimits& limits, Arena& arena)
        : reader_(parser, arena),
          values_(reader_, stacks.values, limits, arena),
          spans_(reader_, values_, stacks.parts, arena),
          stacks_(stacks),
          limits_(limits),
          arena_(arena) {}

    [[nodiscard]] DecodedTraces run(json::document& document, std::size_t body_bytes);

    // Where the walk stands, after a fault.
    [[nodiscard]] std::string place() const;

  private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

    // Spans and rejections at some point, to come back to.
    struct Mark {
        std::size_t spans = 0;
        std::uint64_t rejected = 0;
    };

    [[nodiscard]] Mark mark() const { return {stacks_.spans.size(), traces_.rejected}; }

    void forget_since(const Mark& mark);
    void reject_since(const Mark& mark, SpanFault why);
    void reject(SpanFault why, std::uint64_t count = 1);

    void read_resource_spans(json::value value);
    void read_scope_spans(json::value value, const ResourceView* resource);
    void take_span(json::value value, const ResourceView* resource, const ScopeView* scope);
    [[nodiscard]] SpanFault read_resource(json::value value, ResourceView& resource);
    [[nodiscard]] SpanFault read_scope(json::value value, ScopeView& scope);

    JsonReader reader_;
    JsonValues values_;
    JsonSpans spans_;
    Stacks& stacks_;
    const ReceiverLimits& limits_;
    Arena& arena_;
    DecodedTraces traces_;
    std::size_t resource_index_ = nowhere;
    std::size_t scope_index_ = nowhere;
    std::size_t span_index_ = nowhere;
};

DecodedTraces JsonWalk::run(json::document& document, std::size_t body_bytes) {
    values_.begin(body_bytes);
    static_cast<void>(each_member(document, [&](std::string_view key, json::value value) {
        if (key != "resourceSpans") return SpanFault{nullptr};
        forget_since({});
        resource_index_ = nowhere;
        return each_element(value, [&](json::value element) {
            ++resource_index_;
            read_resource_spans(element);
            return SpanFault{nullptr};
        });
    }));
    resource_index_ = scope_index_ = span_index_ = nowhere;
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
        throw JsonFault{"something stands behind the request"};
    }
    traces_.spans = unstack(arena_, stacks_.spans, 0);
    return std::move(traces_);
}

void JsonWalk::forget_since(const Mark& mark) {
    stacks_.spans.resize(mark.spans);
    traces_.rejected = mark.rejected;
}

void JsonWalk::reject_since(const Mark& mark, SpanFault why) {
    const std::uint64_t taken = stacks_.spans.size() - mark.spans;
    stacks_.spans.resize(mark.spans);
    reject(why, taken);
}

void JsonWalk::reject(SpanFault why, std::uint64_t count) {
    if (count == 0) return;
    if (traces_.rejected_why.empty()) traces_.rejected_why = why;
    traces_.rejected += count;
}

void JsonWalk::read_resource_spans(json::value value) {
    const Mark before = mark();
    SpanFault fault = values_.take_room(1) ? nullptr : span_fault::room;
    auto* resource = fault == nullptr ? arena_.make<ResourceView>() : nullptr;
    static_cast<void>(each_member(value, [&](std::string_view key, json::value member) {
        if (key == "resource" && fault == nullptr) fault = read_resource(member, *resource);
        if (key != "scopeSpans") return SpanFault{nullptr};
        forget_since(before);
        scope_index_ = nowhere;
        return each_element(member, [&](json::value element) {
            ++scope_index_;
            read_scope_spans(element, resource);
            return SpanFault{nullptr};
        });
    }));
    scope_index_ = nowhere;
    if (fault != nullptr) reject_since(before, fault);
}

void JsonWalk::read_scope_spans(json::value value, const ResourceView* resource) {
    const Mark before = mark();
    SpanFault fault = values_.take_room(1) ? nullptr : span_fault::room;
    auto* scope = fault == nullptr ? arena_.make<ScopeView>() : nullptr;
    static_cast<void>(each_member(value, [&](std::string_view key, json::value member) {
        if (key == "scope" && fault == nullptr) fault = read_scope(member, *scope);
        if (key != "spans") return SpanFault{nullptr};
        forget_since(before);
        span_index_ = nowhere;
        return each_element(member, [&](json::value element) {
            ++span_index_;
            take_span(element, resource, scope);
            return SpanFault{nullptr};
        });
    }));
    span_index_ = nowhere;
    if (fault != nullptr) reject_since(before, fault);
}

void JsonWalk::take_span(json::value value, const ResourceView* resource, const ScopeView* scope) {
    if (stacks_.spans.size() >= limits_.spans_per_request_max) return reject(span_fault::spans);
    SpanView span;
    if (const SpanFault fault = spans_.read(value, span)) return reject(fault);
    span.resource = resource;
    span.scope = scope;
    stacks_.spans.push_back(span);
}

SpanFault JsonWalk::read_resource(json::value value, ResourceView& resource) {
    resource = {};
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "attributes") return values_.read_attributes(member, resource.attributes, 1);
        if (key == "droppedAttributesCount") resource.dropped_attributes = reader_.uint32(member);
        return SpanFault{nullptr};
    });
}

SpanFault JsonWalk::read_scope(json::value value, ScopeView& scope) {
    scope = {};
    return each_member(value, [&](std::string_view key, json::value member) {
        if (key == "attributes") return values_.read_attributes(member, scope.attributes, 1);
        if (key == "name") scope.name = reader_.text(member);
        if (key == "version") scope.version = reader_.text(member);
        if (key == "droppedAttributesCount") scope.dropped_attributes = reader_.uint32(member);
        return SpanFault{nullptr};
    });
}

std::string JsonWalk::place() const {
    if (resource_index_ == nowhere) return "the top level";
    std::string place = fmt::format("resourceSpans[{}]", resource_index_);
    if (scope_index_ == nowhere) return place;
    place += fmt::format(".scopeSpans[{}]", scope_index_);
    if (span_index_ == nowhere) return place;
    return place + fmt::format(".spans[{}]", span_index_);
}

void prepare(json::parser& parser, std::size_t body_bytes, std::size_t nesting_depth_max) {
    const std::size_t depth = nesting_depth_max * json_levels_per_value + json_levels_around;
    if (parser.capacity() >= body_bytes && parser.max_depth() >= depth) return;
    expect(parser.allocate(std::max(body_bytes, parser.capacity()), depth));
}

}  // namespace

struct OtlpJsonDecoder::State {
    json::parser parser;
    Stacks stacks;
};

namespace {

template <typename State>
Result<DecodedTraces> decode_with(
    State& state, std::string_view body, const ReceiverLimits& limits, Arena& arena
) {
    json::document document;
    JsonWalk walk(state.parser, state.stacks, limits, arena);
    bool has_begun = false;
    try {
        prepare(state.parser, body.size(), limits.nesting_depth_max);
        const simdjson::padded_string_view padded(
            body.data(), body.size(), body.size() + Body::padding
        );
        expect(state.parser.iterate(padded).get(document));
        has_begun = true;
        state.stacks.clear();
        return walk.run(document, body.size());
    } catch (const JsonFault& fault) {
        const char* at = nullptr;
        const bool is_inside = has_begun && !document.current_location().get(at);
        const std::size_t offset =
            is_inside ? static_cast<std::size_t>(at - body.data()) : body.size();
        return fail(
            ErrorCode::invalid_argument,
            has_begun ? fmt::format(
                            "not OTLP/JSON near byte {} of {}: {}", offset, walk.place(), fault.what
                        )
                      : fmt::format("not JSON: {}", fault.what)
        );
    } catch (const simdjson::simdjson_error& fault) {
        return fail(ErrorCode::invalid_argument, fmt::format("not JSON: {}", fault.what()));
    }
}

}  // namespace

OtlpJsonDecoder::OtlpJsonDecoder() : state_(std::make_unique<State>()) {}

OtlpJsonDecoder::~OtlpJsonDecoder() = default;

Result<DecodedTraces> OtlpJsonDecoder::decode(
    std::string_view body, const ReceiverLimits& limits, Arena& arena
) {
    if (body.starts_with(byte_order_mark)) body.remove_prefix(byte_order_mark.size());
    if (body.size() <= parser_bytes_kept_max) return decode_with(*state_, body, limits, arena);
    State state;
    return decode_with(state, body, limits, arena);
}

}  // namespace spangate
