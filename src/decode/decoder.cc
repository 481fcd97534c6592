#include "decode/decoder.h"

#include "decode/otlp_json.h"
#include "decode/otlp_protobuf.h"

namespace spangate {

Decoder::Decoder(const ReceiverLimits& limits)
    : limits_(limits),
      json_(std::make_unique<OtlpJsonDecoder>()) {}

Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Result<DecodedItems> Decoder::decode(const RawRequest& request, Arena& arena) {
    if (request.signal == Signal::metrics) {
        return fail(ErrorCode::unsupported, "decoding metrics: only traces and logs have items");
    }
    const std::string_view body = request.body.view();
    if (request.encoding == BodyEncoding::json) {
        return json_->decode(request.signal, body, limits_, arena);
    }
    return decode_otlp_protobuf(request.signal, body, limits_, arena);
}

}  // namespace spangate
