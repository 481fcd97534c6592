#include "receive/grpc_receiver.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "base/cores.h"
#include "net/tls_context.h"
#include "observe/log.h"
#include "receive/descriptor_limit.h"
#include "receive/grpc_call_queue.h"

namespace spangate {

namespace {

// Calls that wait for a client, over all queues. With few of them the library itself queues the
// calls of a client that opens and resets streams quickly, without a bound.
constexpr std::size_t calls_requested_min = 256;

constexpr std::uint32_t streams_per_connection_max = 128;

// A client that vanished without a word is noticed after the sum of both.
constexpr int keepalive_ms = 60'000;
constexpr int keepalive_timeout_ms = 20'000;

// Clients may ping this often, with or without calls; more is answered with GOAWAY.
constexpr int client_ping_interval_ms_min = 10'000;

// What the library may hold of messages that are still arriving is as much as memory_bytes_max,
// beside it, and at least so many of the largest requests. It looks at the size limit only when a
// message is complete (1.51: 300 MiB sent against a limit of 1 MiB stood in memory whole), so this
// quota is what bounds them. Beyond it the library resets streams with RESOURCE_EXHAUSTED, which
// clients do not repeat: it must be the last line of defence, never an everyday answer.
constexpr Bytes arriving_requests_largest = 2;

// Files are read again by the library itself, in its own thread, so that certificates are renewed
// without a restart. While key and certificate do not fit each other handshakes fail.
constexpr unsigned certificates_refresh_s = 1;

Result<std::shared_ptr<grpc::ServerCredentials>> credentials(const TlsServerConfig& tls) {
    if (tls.cert_file.empty()) return grpc::InsecureServerCredentials();
    // The library would only say that handshakes fail; this names the file and its fault.
    if (auto checked = TlsContext::load(tls); !checked) {
        return tl::unexpected<Error>(std::move(checked.error()));
    }
    const bool is_mutual = !tls.client_ca_file.empty();
    grpc::experimental::TlsServerCredentialsOptions options(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            tls.key_file, tls.cert_file, tls.client_ca_file, certificates_refresh_s
        )
    );
    options.watch_identity_key_cert_pairs();
    if (is_mutual) options.watch_root_certs();
    options.set_cert_request_type(
        is_mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                  : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
    );
    return grpc::experimental::TlsServerCredentials(options);
}

std::size_t arriving_bytes_max(const Admission& admission) {
    return std::max(
        admission.memory_bytes_max(), admission.request_bytes_max() * arriving_requests_largest
    );
}

int as_int(std::uint64_t value) {
    return static_cast<int>(std::min<std::uint64_t>(value, std::numeric_limits<int>::max()));
}

void set_limits(grpc::ServerBuilder& builder, const ReceiverLimits& limits) {
    builder.SetMaxReceiveMessageSize(as_int(limits.request_bytes_max));
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, as_int(limits.header_bytes_max));
    builder.AddChannelArgument(
        GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(streams_per_connection_max)
    );
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
    // Two gateways on one port would silently share its connections.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_timeout_ms);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(
        GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, client_ping_interval_ms_min
    );
    builder.AddChannelArgument(
        GRPC_ARG_MAX_CONNECTION_IDLE_MS,
        as_int(static_cast<std::uint64_t>(limits.idle_timeout.count()))
    );
}

// The library's own lines, in the program's form; they name addresses and system errors, no
// payload.
void log_line(gpr_log_func_args* line) {
    static LogLimit limit;
    if (limit.allows()) log_warn("receive", "gRPC: {:.300}", line->message);
}

void take_over_logging() {
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
    gpr_set_log_function(log_line);
}

std::size_t queues_count() {
    return std::clamp<std::size_t>(usable_cores() / 4, 1, 16);
}

}  // namespace

struct GrpcReceiver::State {
    explicit State(Metrics& metrics) : counters(metrics) {}

    grpc::AsyncGenericService service;
    GrpcCounters counters;
    std::vector<std::shared_ptr<GrpcCallQueue>> queues;
    std::unique_ptr<grpc::Server> server;
    int port = 0;
    bool is_drained = false;
};

Result<std::unique_ptr<GrpcReceiver>> GrpcReceiver::start(
    const ReceiversConfig& config, Admission& admission, Metrics& metrics
) {
    raise_descriptor_limit();
    take_over_logging();
    Result<std::shared_ptr<grpc::ServerCredentials>> secrets = credentials(config.tls);
    if (!secrets) return tl::unexpected<Error>(secrets.error());
    auto state = std::make_unique<State>(metrics);
    grpc::EnableDefaultHealthCheckService(false);
    grpc::ServerBuilder builder;
    set_limits(builder, config.limits);
    builder.SetResourceQuota(grpc::ResourceQuota("receive").Resize(arriving_bytes_max(admission)));
    builder.AddListeningPort(config.grpc_endpoint, *secrets, &state->port);
    builder.RegisterAsyncGenericService(&state->service);
    const std::size_t queues = queues_count();
    for (std::size_t i = 0; i < queues; ++i) {
        state->queues.push_back(std::make_shared<GrpcCallQueue>(
            state->service,
            builder.AddCompletionQueue(),
            admission,
            state->counters,
            config.limits.body_timeout
        ));
    }
    state->server = builder.BuildAndStart();
    if (state->server == nullptr || state->port == 0) {
        return fail(
            ErrorCode::io,
            "cannot listen on " + config.grpc_endpoint +
                " (receivers.otlp.protocols.grpc.endpoint): is the address taken?"
        );
    }
    log_info(
        "receive",
        "listening name=otlp_grpc endpoint={} port={} tls={}",
        config.grpc_endpoint,
        state->port,
        !config.tls.cert_file.empty()
    );
    const std::size_t calls_each = (calls_requested_min + queues - 1) / queues;
    for (std::size_t i = 0; i < queues; ++i)
        state->queues[i]->start(i, calls_each);
    return std::unique_ptr<GrpcReceiver>(new GrpcReceiver(std::move(state)));
}

GrpcReceiver::GrpcReceiver(std::unique_ptr<State> state) : state_(std::move(state)) {}

GrpcReceiver::~GrpcReceiver() {
    drain(std::chrono::steady_clock::now());
}

std::uint16_t GrpcReceiver::port() const {
    return static_cast<std::uint16_t>(state_->port);
}

void GrpcReceiver::drain(SteadyTime deadline) {
    if (std::exchange(state_->is_drained, true)) return;
    state_->server->Shutdown(
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            deadline - std::chrono::steady_clock::now()
        )
    );
    for (const std::shared_ptr<GrpcCallQueue>& queue : state_->queues)
        queue->close();
}

}  // namespace spangate
