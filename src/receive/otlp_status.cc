#include "receive/otlp_status.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "base/json_quote.h"
#include "base/text.h"

namespace spangate {

namespace {

constexpr std::string_view bad_request_type = "type.googleapis.com/google.rpc.BadRequest";
constexpr std::string_view retry_info_type = "type.googleapis.com/google.rpc.RetryInfo";

// ExportTracePartialSuccess and its siblings differ in this name only.
constexpr std::array<std::string_view, 3> rejected_names = {
    "rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"};

// The field that a BadRequest speaks of: there is one, the body.
constexpr std::string_view violated_field = "body";

std::string as_message(std::string_view text) {
    std::string clean;
    append_as_utf8(utf8_prefix(text, status_message_bytes_max), clean);
    return clean;
}

std::string response_protobuf(std::uint64_t rejected, std::string_view message) {
    std::string partial;
    protozero::pbf_writer writer(partial);
    if (rejected > 0) writer.add_int64(1, static_cast<std::int64_t>(rejected));
    if (!message.empty()) writer.add_string(2, message.data(), message.size());
    std::string response;
    protozero::pbf_writer(response).add_message(1, partial);
    return response;
}

// Fields with their default value are left out, as protobuf's JSON mapping does.
std::string response_json(std::uint64_t rejected, std::string_view message, Signal signal) {
    std::string out = R"({"partialSuccess":{)";
    if (rejected > 0) {
        fmt::format_to(
            std::back_inserter(out),
            R"("{}":"{}")",
            rejected_names[static_cast<std::size_t>(signal)],
            rejected
        );
    }
    if (!message.empty()) {
        if (rejected > 0) out.push_back(',');
        out += R"("errorMessage":)";
        out += json_quote(message);
    }
    out += "}}";
    return out;
}

void add_detail(protozero::pbf_writer& status, std::string_view type, const std::string& value) {
    protozero::pbf_writer any(status, 3);
    any.add_string(1, type.data(), type.size());
    any.add_bytes(2, value);
}

std::string bad_request_protobuf(std::string_view description) {
    std::string violation;
    protozero::pbf_writer writer(violation);
    writer.add_string(1, violated_field.data(), violated_field.size());
    writer.add_string(2, description.data(), description.size());
    std::string bad_request;
    protozero::pbf_writer(bad_request).add_message(1, violation);
    return bad_request;
}

std::string retry_info_protobuf(std::uint32_t retry_after_s) {
    std::string duration;
    protozero::pbf_writer(duration).add_int64(1, retry_after_s);
    std::string retry_info;
    protozero::pbf_writer(retry_info).add_message(1, duration);
    return retry_info;
}

std::string status_protobuf(RpcCode code, std::string_view message, std::uint32_t retry_after_s) {
    std::string out;
    protozero::pbf_writer status(out);
    status.add_int32(1, static_cast<std::int32_t>(code));
    if (!message.empty()) status.add_string(2, message.data(), message.size());
    if (code == RpcCode::invalid_argument) {
        add_detail(status, bad_request_type, bad_request_protobuf(message));
    }
    if (retry_after_s > 0) add_detail(status, retry_info_type, retry_info_protobuf(retry_after_s));
    return out;
}

void append_bad_request_json(std::string_view description, std::string& out) {
    fmt::format_to(
        std::back_inserter(out),
        R"({{"@type":"{}","fieldViolations":[{{"field":"{}","description":)",
        bad_request_type,
        violated_field
    );
    out += json_quote(description);
    out += "}]}";
}

std::string status_json(RpcCode code, std::string_view message, std::uint32_t retry_after_s) {
    std::string out = fmt::format(R"({{"code":{})", static_cast<int>(code));
    if (!message.empty()) {
        out += R"(,"message":)";
        out += json_quote(message);
    }
    const bool has_bad_request = code == RpcCode::invalid_argument;
    if (has_bad_request || retry_after_s > 0) out += R"(,"details":[)";
    if (has_bad_request) append_bad_request_json(message, out);
    if (retry_after_s > 0) {
        if (has_bad_request) out.push_back(',');
        fmt::format_to(
            std::back_inserter(out),
            R"({{"@type":"{}","retryDelay":"{}s"}})",
            retry_info_type,
            retry_after_s
        );
    }
    if (has_bad_request || retry_after_s > 0) out.push_back(']');
    out.push_back('}');
    return out;
}

// Only what may be repeated says when; whatever may be repeated does say it.
std::uint32_t retry_after_s(const Outcome& outcome) {
    if (rpc_code(outcome.code) != RpcCode::unavailable) return 0;
    return std::clamp(outcome.retry_after_s, retry_after_s_min, retry_after_s_max);
}

}  // namespace

RpcCode rpc_code(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
            return RpcCode::invalid_argument;
        // Without RetryInfo, so that the client does not repeat it (OTLP, «OTLP/gRPC Throttling»).
        case ErrorCode::too_large:
            return RpcCode::resource_exhausted;
        case ErrorCode::unsupported:
            return RpcCode::unimplemented;
        case ErrorCode::unauthenticated:
            return RpcCode::unauthenticated;
        case ErrorCode::permission_denied:
            return RpcCode::permission_denied;
        case ErrorCode::not_found:
            return RpcCode::not_found;
        case ErrorCode::conflict:
            return RpcCode::already_exists;
        case ErrorCode::rate_limited:
        case ErrorCode::unavailable:
        case ErrorCode::shutting_down:
        case ErrorCode::io:  // a device can be mended: nobody may drop spans because of it
            return RpcCode::unavailable;
        case ErrorCode::internal:
            break;
    }
    return RpcCode::internal;
}

std::uint16_t http_status(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
            return 400;
        case ErrorCode::too_large:
            return 413;
        case ErrorCode::unsupported:
            return 415;
        case ErrorCode::unauthenticated:
            return 401;
        case ErrorCode::permission_denied:
            return 403;
        case ErrorCode::not_found:
            return 404;
        case ErrorCode::conflict:
            return 409;
        case ErrorCode::rate_limited:
            return 429;
        case ErrorCode::unavailable:
        case ErrorCode::shutting_down:
        case ErrorCode::io:
            return 503;
        case ErrorCode::internal:
            break;
    }
    return 500;
}

std::string export_response(const Outcome& success, Signal signal, BodyEncoding encoding) {
    const bool is_json = encoding == BodyEncoding::json;
    if (success.rejected_items == 0 && success.message.empty()) return is_json ? "{}" : "";
    const std::string message = as_message(success.message);
    return is_json ? response_json(success.rejected_items, message, signal)
                   : response_protobuf(success.rejected_items, message);
}

std::string status_message(
    RpcCode code, std::string_view message, std::uint32_t retry_after_s, BodyEncoding encoding
) {
    const std::string clean = as_message(message);
    return encoding == BodyEncoding::json ? status_json(code, clean, retry_after_s)
                                          : status_protobuf(code, clean, retry_after_s);
}

HttpReply http_reply(const Outcome& outcome, Signal signal, BodyEncoding encoding) {
    if (outcome.is_success) return {200, export_response(outcome, signal, encoding), 0, false};
    const std::uint32_t retry = retry_after_s(outcome);
    return {
        http_status(outcome.code),
        status_message(rpc_code(outcome.code), outcome.message, retry, encoding),
        retry,
        outcome.code == ErrorCode::shutting_down};
}

GrpcReply grpc_reply(const Outcome& outcome, Signal signal) {
    if (outcome.is_success) {
        return {RpcCode::ok, {}, {}, export_response(outcome, signal, BodyEncoding::protobuf)};
    }
    const RpcCode code = rpc_code(outcome.code);
    return {
        code,
        as_message(outcome.message),
        status_message(code, outcome.message, retry_after_s(outcome), BodyEncoding::protobuf),
        {}};
}

}  // namespace spangate
