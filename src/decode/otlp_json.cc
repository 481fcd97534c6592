#include "decode/otlp_json.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "decode/json_items.h"
#include "decode/json_logs.h"
#include "decode/json_reader.h"
#include "decode/json_scopes.h"
#include "decode/json_spans.h"
#include "decode/json_values.h"

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
    std::vector<SpanView> items;

    void clear() {
        values.clear();
        items.clear();
        parts.clear();
    }
};

void prepare(json::parser& parser, std::size_t body_bytes, std::size_t nesting_depth_max) {
    const std::size_t depth = nesting_depth_max * json_levels_per_value + json_levels_around;
    if (parser.capacity() >= body_bytes && parser.max_depth() >= depth) return;
    expect(parser.allocate(std::max(body_bytes, parser.capacity()), depth));
}

template <typename Walk>
Result<DecodedItems> run(
    Walk& walk, json::parser& parser, std::string_view body, std::size_t nesting_depth_max
) {
    json::document document;
    bool has_begun = false;
    try {
        prepare(parser, body.size(), nesting_depth_max);
        const simdjson::padded_string_view padded(
            body.data(), body.size(), body.size() + Body::padding
        );
        expect(parser.iterate(padded).get(document));
        has_begun = true;
        return walk.run(document);
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

Result<DecodedItems> decode_with(
    json::parser& parser,
    Stacks& stacks,
    Signal signal,
    std::string_view body,
    const ReceiverLimits& limits,
    Arena& arena
) {
    stacks.clear();
    JsonReader reader(parser, arena);
    JsonValues values(reader, stacks.values, limits, arena, body.size());
    const JsonScopes scopes(reader, values);
    if (signal == Signal::logs) {
        JsonLogs logs(reader, values, arena);
        JsonItems walk(logs, scopes, values, stacks.items, limits, arena);
        return run(walk, parser, body, limits.nesting_depth_max);
    }
    JsonSpans spans(reader, values, stacks.parts, arena);
    JsonItems walk(spans, scopes, values, stacks.items, limits, arena);
    return run(walk, parser, body, limits.nesting_depth_max);
}

}  // namespace

struct OtlpJsonDecoder::State {
    json::parser parser;
    Stacks stacks;
};

OtlpJsonDecoder::OtlpJsonDecoder() : state_(std::make_unique<State>()) {}

OtlpJsonDecoder::~OtlpJsonDecoder() = default;

Result<DecodedItems> OtlpJsonDecoder::decode(
    Signal signal, std::string_view body, const ReceiverLimits& limits, Arena& arena
) {
    if (body.starts_with(byte_order_mark)) body.remove_prefix(byte_order_mark.size());
    if (body.size() <= parser_bytes_kept_max) {
        return decode_with(state_->parser, state_->stacks, signal, body, limits, arena);
    }
    State state;
    return decode_with(state.parser, state.stacks, signal, body, limits, arena);
}

}  // namespace spangate
