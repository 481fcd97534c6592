#include "tee/http_tee_sender.h"

#include <string_view>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr std::string_view paths[] = {"/v1/traces", "/v1/logs", "/v1/metrics"};

std::string_view content_type(BodyEncoding encoding) {
    return encoding == BodyEncoding::json ? "application/json" : "application/x-protobuf";
}

// OTLP specification, «OTLP/HTTP Response», «Retryable Response Codes».
TeeVerdict verdict_of(std::uint16_t status) {
    if (status >= 200 && status < 300) return TeeVerdict::forwarded;
    const bool may_repeat = status == 429 || status == 502 || status == 503 || status == 504;
    return may_repeat ? TeeVerdict::later : TeeVerdict::rejected;
}

}  // namespace

TeeReply HttpTeeSender::send(const TeeRequest& request, SteadyTime deadline) {
    const Result<HttpClientReply> reply = client_->post(
        paths[static_cast<std::size_t>(request.signal)],
        content_type(request.encoding),
        request.body->view(),
        deadline
    );
    if (!reply) return {TeeVerdict::later, {}, reply.error().message};
    const TeeVerdict verdict = verdict_of(reply->status);
    if (verdict == TeeVerdict::forwarded) return {verdict, {}, {}};
    return {
        verdict,
        reply->retry_after.value_or(std::chrono::seconds(0)),
        fmt::format("HTTP status {}", reply->status)};
}

}  // namespace spangate
