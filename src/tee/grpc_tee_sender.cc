#include "tee/grpc_tee_sender.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <protozero/pbf_reader.hpp>

namespace spangate {
namespace {

constexpr const char* methods[] = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
};

constexpr std::string_view retry_info_type = "type.googleapis.com/google.rpc.RetryInfo";
constexpr std::int64_t retry_delay_s_max = 86'400;
constexpr int reconnect_backoff_ms_max = 10'000;

// A google.protobuf.Duration in whole seconds, rounded up.
std::chrono::seconds seconds_of(protozero::pbf_reader duration) {
    std::int64_t seconds = 0;
    std::int32_t nanos = 0;
    while (duration.next()) {
        if (duration.tag() == 1) {
            seconds = std::clamp<std::int64_t>(duration.get_int64(), 0, retry_delay_s_max);
        } else if (duration.tag() == 2) {
            nanos = duration.get_int32();
        } else {
            duration.skip();
        }
    }
    return std::chrono::seconds(nanos > 0 ? seconds + 1 : seconds);
}

// retry_delay of the google.rpc.RetryInfo in a google.rpc.Status. Throws on damaged details.
std::optional<std::chrono::seconds> read_retry_delay(const std::string& details) {
    protozero::pbf_reader status(details);
    while (status.next(3)) {
        protozero::pbf_reader any = status.get_message();
        std::string type;
        std::string value;
        while (any.next()) {
            if (any.tag() == 1) {
                type = any.get_string();
            } else if (any.tag() == 2) {
                value = any.get_string();
            } else {
                any.skip();
            }
        }
        if (type != retry_info_type) continue;
        protozero::pbf_reader info(value);
        return info.next(1) ? seconds_of(info.get_message()) : std::chrono::seconds(0);
    }
    return std::nullopt;
}

// Details that are damaged say nothing.
std::optional<std::chrono::seconds> retry_delay(const std::string& details) {
    try {
        return read_retry_delay(details);
    } catch (const protozero::exception&) {
        return std::nullopt;
    }
}

// The library may hold the bytes a little longer than the call.
grpc::Slice slice_of(const std::shared_ptr<const Body>& body) {
    const auto release = [](void* holder) {
        delete static_cast<std::shared_ptr<const Body>*>(holder);
    };
    const std::string_view bytes = body->view();
    return {
        const_cast<char*>(bytes.data()),
        bytes.size(),
        release,
        new std::shared_ptr<const Body>(body)};
}

// OTLP specification, «OTLP/gRPC Response»: what a client may send again.
TeeReply reply_of(const grpc::Status& status) {
    if (status.ok()) return {TeeVerdict::forwarded, {}, {}};
    const std::string why = fmt::format(
        "gRPC status {} {:.200}", static_cast<int>(status.error_code()), status.error_message()
    );
    const auto delay = retry_delay(status.error_details());
    switch (status.error_code()) {
        case grpc::StatusCode::CANCELLED:
        case grpc::StatusCode::DEADLINE_EXCEEDED:
        case grpc::StatusCode::ABORTED:
        case grpc::StatusCode::OUT_OF_RANGE:
        case grpc::StatusCode::UNAVAILABLE:
        case grpc::StatusCode::DATA_LOSS:
            return {TeeVerdict::later, delay.value_or(std::chrono::seconds(0)), why};
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
            if (delay) return {TeeVerdict::later, *delay, why};
            break;
        default:
            break;
    }
    return {TeeVerdict::rejected, {}, why};
}

class GrpcTeeSender final : public TeeSender {
  public:
    explicit GrpcTeeSender(std::shared_ptr<grpc::GenericStub> stub) : stub_(std::move(stub)) {}

    [[nodiscard]] bool carries(BodyEncoding encoding) const override {
        return encoding == BodyEncoding::protobuf;
    }

    [[nodiscard]] TeeReply send(const TeeRequest& request, SteadyTime deadline) override {
        grpc::ClientContext context;
        context.set_deadline(
            std::chrono::system_clock::now() +
            std::chrono::duration_cast<std::chrono::system_clock::duration>(
                deadline - std::chrono::steady_clock::now()
            )
        );
        if (!begin(context)) return {TeeVerdict::later, {}, "cancelled"};
        const grpc::Slice slice = slice_of(request.body);
        const grpc::ByteBuffer message(&slice, 1);
        grpc::ByteBuffer response;
        grpc::Status status;
        const char* const method = methods[static_cast<std::size_t>(request.signal)];
        auto call = stub_->PrepareUnaryCall(&context, method, message, &queue_);
        call->StartCall();
        call->Finish(&response, &status, this);
        void* tag = nullptr;
        bool is_ok = false;
        queue_.Next(&tag, &is_ok);
        end();
        return reply_of(status);
    }

    void cancel() override {
        const std::lock_guard lock(mutex_);
        is_cancelled_ = true;
        if (context_ != nullptr) context_->TryCancel();
    }

  private:
    [[nodiscard]] bool begin(grpc::ClientContext& context) {
        const std::lock_guard lock(mutex_);
        context_ = &context;
        if (is_cancelled_) context_ = nullptr;
        return !is_cancelled_;
    }

    void end() {
        const std::lock_guard lock(mutex_);
        context_ = nullptr;
    }

    const std::shared_ptr<grpc::GenericStub> stub_;
    grpc::CompletionQueue queue_;
    std::mutex mutex_;
    grpc::ClientContext* context_ = nullptr;  // guarded by mutex_; of the call under way
    bool is_cancelled_ = false;               // guarded by mutex_
};

}  // namespace

std::vector<std::unique_ptr<TeeSender>> make_grpc_tee_senders(
    const Url& server, std::size_t count, const std::string& ca_pem
) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // the tee repeats, and counts
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, reconnect_backoff_ms_max);
    arguments.SetUserAgentPrefix("spangate/" SPANGATE_VERSION);
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = ca_pem;
    const std::string host =
        server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]";
    const auto stub = std::make_shared<grpc::GenericStub>(grpc::CreateCustomChannel(
        fmt::format("{}:{}", host, server.port),
        server.is_tls ? grpc::SslCredentials(tls) : grpc::InsecureChannelCredentials(),
        arguments
    ));
    std::vector<std::unique_ptr<TeeSender>> senders;
    for (std::size_t i = 0; i < count; ++i)
        senders.push_back(std::make_unique<GrpcTeeSender>(stub));
    return senders;
}

}  // namespace spangate
