// An Outcome in the words of OTLP (opentelemetry-proto, docs/specification.md; table in
// src/receive/README.md): status code, and the bytes of Export<Signal>ServiceResponse or of
// google.rpc.Status. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/request.h"
#include "model/ticket.h"

namespace spangate {

// The codes of google/rpc/code.proto, which are those of gRPC.
enum class RpcCode : std::uint8_t {
    ok = 0,
    invalid_argument = 3,
    not_found = 5,
    already_exists = 6,
    permission_denied = 7,
    resource_exhausted = 8,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    unauthenticated = 16,
};

// Messages to clients are cut to this, so that they fit their limits on gRPC trailers.
inline constexpr std::size_t status_message_bytes_max = 1024;

// Retry-After and RetryInfo stay within these.
inline constexpr std::uint32_t retry_after_s_min = 1;
inline constexpr std::uint32_t retry_after_s_max = 30;

[[nodiscard]] RpcCode rpc_code(ErrorCode code);
[[nodiscard]] std::uint16_t http_status(ErrorCode code);

struct HttpReply {
    std::uint16_t status = 200;
    std::string body;                 // in the request's encoding; OTLP wants one with errors too
    std::uint32_t retry_after_s = 0;  // > 0: the Retry-After header
    bool closes_connection = false;   // shutting down: Connection: close
};

// `encoding` is the request's; its media type is media_type(encoding).
[[nodiscard]] HttpReply http_reply(const Outcome& outcome, Signal signal, BodyEncoding encoding);

[[nodiscard]] constexpr std::string_view media_type(BodyEncoding encoding) {
    return encoding == BodyEncoding::json ? "application/json" : "application/x-protobuf";
}

struct GrpcReply {
    RpcCode code = RpcCode::ok;
    std::string message;
    std::string details;   // google.rpc.Status for grpc-status-details-bin; empty with ok
    std::string response;  // Export<Signal>ServiceResponse; with ok only
};

[[nodiscard]] GrpcReply grpc_reply(const Outcome& outcome, Signal signal);

// The pieces, for replies that no Outcome stands for (405 and such).

// Export<Signal>ServiceResponse. Full success without a warning is the empty message, `{}` in JSON.
[[nodiscard]] std::string export_response(
    const Outcome& success, Signal signal, BodyEncoding encoding
);

// google.rpc.Status with BadRequest (invalid_argument) or RetryInfo (retry_after_s > 0) as detail.
[[nodiscard]] std::string status_message(
    RpcCode code, std::string_view message, std::uint32_t retry_after_s, BodyEncoding encoding
);

}  // namespace spangate
