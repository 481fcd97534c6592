#include "decode/otlp_protobuf.h"

#include <fmt/format.h>

#include "decode/wire_items.h"
#include "decode/wire_logs.h"
#include "decode/wire_reader.h"
#include "decode/wire_spans.h"

namespace spangate {
namespace {

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

template <typename Items>
Result<DecodedItems> decode_items(
    std::string_view body, const ReceiverLimits& limits, Arena& arena
) {
    WireItems<Items> walk(body, limits, arena);
    try {
        return walk.run();
    } catch (const protozero::exception& fault) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("not valid protobuf at {}: {}", walk.place(), words_for(fault))
        );
    }
}

}  // namespace

Result<DecodedItems> decode_otlp_protobuf(
    Signal signal, std::string_view body, const ReceiverLimits& limits, Arena& arena
) {
    if (body.empty()) return DecodedItems{};
    if (signal == Signal::logs) return decode_items<WireLogs>(body, limits, arena);
    return decode_items<WireSpans>(body, limits, arena);
}

}  // namespace spangate
