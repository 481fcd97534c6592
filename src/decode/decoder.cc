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

Result<DecodedTraces> Decoder::decode(const RawRequest& request, Arena& arena) {
    if (request.encoding == BodyEncoding::json) {
        return json_->decode(request.body.view(), limits_, arena);
    }
    return decode_otlp_protobuf(request.body.view(), limits_, arena);
}

}  // namespace spangate
