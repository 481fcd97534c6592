#include "receive/grpc_receiver.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <catch2/catch.hpp>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <protozero/pbf_reader.hpp>

#include "base/text.h"
#include "receive/otlp_status.h"
#include "receive_context.h"
#include "support/certificates.h"
#include "support/eventually.h"

using namespace spangate;           // NOLINT
using namespace spangate::testing;  // NOLINT

namespace {

constexpr const char* traces_method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr const char* logs_method = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
constexpr const char* metrics_method =
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

struct Reply {
    grpc::Status status;
    std::string response;
};

// A unary call with bytes in and out, on its own queue.
class ClientCall {
  public:
    ClientCall(grpc::GenericStub& stub, const std::string& method, std::string_view body)
        : ClientCall(stub, method, body, [](grpc::ClientContext&) {}) {}

    template <typename Prepare>
    ClientCall(
        grpc::GenericStub& stub, const std::string& method, std::string_view body, Prepare prepare
    ) {
        context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
        prepare(context_);
        const grpc::Slice slice(body.data(), body.size());
        request_ = grpc::ByteBuffer(&slice, 1);
        reader_ = stub.PrepareUnaryCall(&context_, method, request_, &queue_);
        reader_->StartCall();
        reader_->Finish(&response_, &status_, this);
    }

    void cancel() { context_.TryCancel(); }

    [[nodiscard]] Reply wait() {
        void* tag = nullptr;
        bool is_ok = false;
        REQUIRE(queue_.Next(&tag, &is_ok));
        std::vector<grpc::Slice> slices;
        Reply reply{status_, {}};
        if (response_.Valid() && response_.Dump(&slices).ok()) {
            for (const grpc::Slice& slice : slices)
                reply.response.append(
                    reinterpret_cast<const char*>(slice.begin()), slice.size()  // NOLINT
                );
        }
        return reply;
    }

  private:
    grpc::ClientContext context_;
    grpc::CompletionQueue queue_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
    grpc::Status status_;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
};

struct GrpcContext : ReceiveContext {
    std::unique_ptr<GrpcReceiver> receiver;
    std::unique_ptr<grpc::GenericStub> stub;

    void listen() {
        make_admission();
        Result<std::unique_ptr<GrpcReceiver>> started =
            GrpcReceiver::start(config, *admission, metrics);
        REQUIRE(started);
        receiver = std::move(*started);
        stub = connect();
    }

    // Counters of what the library does by itself move at about the time of the client's answer.
    [[nodiscard]] bool counts_soon(std::string_view name, std::uint64_t expected) {
        Counter& counter = metrics.counter(name, "", {{"transport", "grpc"}});
        for (int i = 0; i < 1'000 && counter.value() < expected; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return counter.value() == expected;
    }

    // Memory is given back just after the client has its answer.
    [[nodiscard]] bool holds_nothing_soon() const {
        for (int i = 0; i < 1'000 && budget.bytes_held() > 0; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return budget.bytes_held() == 0;
    }

    [[nodiscard]] std::unique_ptr<grpc::GenericStub> connect(
        std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials()
    ) const {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        return std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
            "127.0.0.1:" + std::to_string(receiver->port()), credentials, arguments
        ));
    }

    [[nodiscard]] Reply call(std::string_view body, const std::string& method = traces_method) {
        return ClientCall(*stub, method, body).wait();
    }
};

void use_gzip(grpc::ClientContext& context) {
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
}

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::shared_ptr<grpc::ChannelCredentials> tls_as(
    const Certificates& certificates, const std::string& name
) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = read_text(certificates.certificate("ca"));
    if (!name.empty()) {
        options.pem_cert_chain = read_text(certificates.certificate(name));
        options.pem_private_key = read_text(certificates.key(name));
    }
    return grpc::SslCredentials(options);
}

// Seconds of the RetryInfo in a google.rpc.Status; 0: none.
std::int64_t retry_info_s(const std::string& details) {
    protozero::pbf_reader status(details);
    while (status.next(3)) {
        protozero::pbf_reader any = status.get_message();
        std::string type;
        std::string value;
        while (any.next()) {
            if (any.tag() == 1) {
                type = any.get_string();
            } else {
                value = any.get_string();
            }
        }
        if (type != "type.googleapis.com/google.rpc.RetryInfo") continue;
        protozero::pbf_reader info(value);
        if (!info.next(1)) continue;
        protozero::pbf_reader duration = info.get_message();
        if (duration.next(1)) return duration.get_int64();
    }
    return 0;
}

}  // namespace

TEST_CASE("a stored request is answered OK with an empty message") {
    GrpcContext context;
    context.listen();
    ClientCall call(
        *context.stub,
        traces_method,
        "\x0a\x03"
        "abc"
    );
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    CHECK(request->signal == Signal::traces);
    CHECK(request->encoding == BodyEncoding::protobuf);
    CHECK(
        request->body.view() ==
        "\x0a\x03"
        "abc"
    );
    CHECK(request->received_at == context.clock.wall_nanos());
    request->ticket->settle(Settlement::stored);
    const Reply reply = call.wait();
    CHECK(reply.status.ok());
    CHECK(reply.response.empty());
}

TEST_CASE("an empty request is a request") {
    GrpcContext context;
    context.inbox.settle_at_once();
    context.listen();
    CHECK(context.call("").status.ok());
    CHECK(context.inbox.offered() == 1);
}

TEST_CASE("a gzip request arrives inflated") {
    GrpcContext context;
    context.listen();
    const std::string body = "\x0a" + std::string(200'000, 'x');
    ClientCall call(*context.stub, traces_method, body, use_gzip);
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    CHECK(request->body.view() == body);
    CHECK(context.budget.bytes_held() >= 4 * body.size());
    request->ticket->settle(Settlement::stored);
    CHECK(call.wait().status.ok());
}

TEST_CASE("a gzip bomb is refused at the limit") {
    GrpcContext context;
    context.config.limits.request_bytes_max = mib;
    context.listen();
    const std::string body(8 * mib, 'x');
    const Reply reply = ClientCall(*context.stub, traces_method, body, use_gzip).wait();
    CHECK(reply.status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
    CHECK(retry_info_s(reply.status.error_details()) == 0);
    CHECK(context.rejected("too_large") == 1);
    CHECK(context.holds_nothing_soon());
}

TEST_CASE("a message over the limit is refused for good, and says the limit") {
    GrpcContext context;
    context.config.limits.request_bytes_max = mib;
    context.listen();
    const Reply reply = context.call(std::string(mib + 1, 'x'));
    CHECK(reply.status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
    CHECK(reply.status.error_message().find("1048576") != std::string::npos);
    CHECK(retry_info_s(reply.status.error_details()) == 0);
    CHECK(context.inbox.offered() == 0);
    CHECK(context.counts_soon("spangate_bodies_missing_total", 1));
}

TEST_CASE("large requests of one connection pass side by side") {
    GrpcContext context;
    context.inbox.settle_at_once();
    context.listen();
    const std::string body(context.config.limits.request_bytes_max, 'x');
    std::vector<std::unique_ptr<ClientCall>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(std::make_unique<ClientCall>(*context.stub, traces_method, body));
    for (const std::unique_ptr<ClientCall>& call : calls) {
        const Reply reply = call->wait();
        INFO(reply.status.error_code() << " " << reply.status.error_message());
        CHECK(reply.status.ok());
    }
    CHECK(context.holds_nothing_soon());
}

TEST_CASE("a method that is not served is UNIMPLEMENTED") {
    GrpcContext context;
    context.listen();
    const Reply reply = context.call("", "/opentelemetry.proto.collector.trace.v1.TraceService/X");
    CHECK(reply.status.error_code() == grpc::StatusCode::UNIMPLEMENTED);
    CHECK(context.rejected("unsupported") == 1);
}

TEST_CASE("logs go to the inbox as logs, and are answered by their ticket") {
    GrpcContext context;
    context.listen();
    ClientCall call(*context.stub, logs_method, "abc");
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    CHECK(request->signal == Signal::logs);
    CHECK(request->body.view() == "abc");
    REQUIRE(request->ticket->set_counts({.received = 5, .rejected = 3}));
    request->ticket->explain_rejected("too deep");
    request->ticket->settle(Settlement::stored);
    const Reply reply = call.wait();
    CHECK(reply.status.ok());
    protozero::pbf_reader response(reply.response);
    REQUIRE(response.next(1));
    protozero::pbf_reader partial = response.get_message();
    REQUIRE(partial.next(1));
    CHECK(partial.get_int64() == 3);

    context.refuse("Kafka is away", 7);
    const Reply refused = context.call("abc", logs_method);
    CHECK(refused.status.error_code() == grpc::StatusCode::UNAVAILABLE);
    CHECK(retry_info_s(refused.status.error_details()) == 7);
}

TEST_CASE("metrics are read, counted and answered OK, whatever is full or away") {
    GrpcContext context;
    context.listen();
    context.refuse("Kafka is away", 7);
    const Reply reply = context.call(std::string(100'000, 'x'), metrics_method);
    CHECK(reply.status.ok());
    CHECK(reply.response.empty());
    CHECK(context.counted("spangate_request_bytes_total", "metrics") == 100'000);
    Lease all(context.budget);
    REQUIRE(all.grow_to(context.budget.bytes_max()));
    CHECK(context.call("abc", metrics_method).status.ok());
    CHECK(context.inbox.offered() == 0);
    CHECK(context.counted("spangate_requests_ignored_total", "metrics") == 2);
    all.release();
    context.admission->close_intake();
    CHECK(context.call("abc", metrics_method).status.error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("a refusing delivery side is UNAVAILABLE with its own RetryInfo") {
    GrpcContext context;
    context.listen();
    context.refuse("Kafka is away", 7);
    const Reply reply = context.call("abc");
    CHECK(reply.status.error_code() == grpc::StatusCode::UNAVAILABLE);
    CHECK(reply.status.error_message() == "Kafka is away");
    CHECK(retry_info_s(reply.status.error_details()) == 7);
    CHECK(context.refused("delivery") == 1);
}

TEST_CASE("a full inbox is UNAVAILABLE with RetryInfo") {
    GrpcContext context;
    context.inbox.hold_at_most(0);
    context.listen();
    const Reply reply = context.call("abc");
    CHECK(reply.status.error_code() == grpc::StatusCode::UNAVAILABLE);
    CHECK(retry_info_s(reply.status.error_details()) == 1);
    CHECK(context.refused("lanes") == 1);
    CHECK(context.holds_nothing_soon());
}

TEST_CASE("a partial success carries the exact number and the reason") {
    GrpcContext context;
    context.listen();
    ClientCall call(*context.stub, traces_method, "abc");
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    ItemCounts counts;
    counts.rejected = 3;
    REQUIRE(request->ticket->set_counts(counts));
    request->ticket->explain_rejected("span ids of the wrong length");
    request->ticket->settle(Settlement::stored);
    const Reply reply = call.wait();
    CHECK(reply.status.ok());
    protozero::pbf_reader response(reply.response);
    REQUIRE(response.next(1));
    protozero::pbf_reader partial = response.get_message();
    REQUIRE(partial.next(1));
    CHECK(partial.get_int64() == 3);
    REQUIRE(partial.next(2));
    CHECK(partial.get_string() == "span ids of the wrong length");
}

TEST_CASE("a client that cancelled harms nobody") {
    GrpcContext context;
    context.listen();
    const Counter& lost =
        context.metrics.counter("spangate_replies_lost_total", "", {{"transport", "grpc"}});
    // Whether the cancellation overtakes the reply is the machine's choice; most do.
    for (int i = 0; i < 50 || (lost.value() == 0 && i < 5'000); ++i) {
        ClientCall call(*context.stub, traces_method, "abc");
        std::optional<RawRequest> request = context.inbox.next();
        REQUIRE(request);
        call.cancel();
        CHECK(call.wait().status.error_code() == grpc::StatusCode::CANCELLED);
        request->ticket->settle(Settlement::stored);
    }
    context.inbox.settle_at_once();
    CHECK(context.call("abc").status.ok());
    context.receiver->drain(std::chrono::steady_clock::now() + std::chrono::seconds(5));
    CHECK(context.metrics.gauge("spangate_grpc_calls_open", "").value() == 0);
    CHECK(lost.value() > 0);
}

TEST_CASE("a closed intake is UNAVAILABLE") {
    GrpcContext context;
    context.listen();
    context.admission->close_intake();
    const Reply reply = context.call("abc");
    CHECK(reply.status.error_code() == grpc::StatusCode::UNAVAILABLE);
    CHECK(retry_info_s(reply.status.error_details()) == 1);
    CHECK(context.refused("draining") == 1);
}

TEST_CASE("draining waits for calls whose tickets are settled in time") {
    GrpcContext context;
    context.listen();
    ClientCall call(*context.stub, traces_method, "abc");
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    context.admission->close_intake();
    std::thread drain([&] {
        context.receiver->drain(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    });
    request->ticket->settle(Settlement::stored);
    CHECK(call.wait().status.ok());
    drain.join();
}

TEST_CASE("a ticket may outlive its receiver") {
    GrpcContext context;
    context.listen();
    ClientCall call(*context.stub, traces_method, "abc");
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    context.receiver->drain(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    CHECK_FALSE(call.wait().status.ok());
    SECTION("settled after the drain") {
        request->ticket->settle(Settlement::stored);
    }
    SECTION("settled after its end") {
        context.receiver.reset();
        request->ticket->settle(Settlement::stored);
    }
    CHECK(context.holds_nothing_soon());
}

TEST_CASE("two thousand quick calls are all answered and leave nothing behind") {
    GrpcContext context;
    context.inbox.settle_at_once();
    context.listen();
    constexpr int callers_count = 8;
    constexpr int calls_each = 250;
    std::atomic<int> answered{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < callers_count; ++i) {
        callers.emplace_back([&] {
            const std::unique_ptr<grpc::GenericStub> stub = context.connect();
            for (int k = 0; k < calls_each; ++k) {
                if (ClientCall(*stub, traces_method, "abc").wait().status.ok()) ++answered;
            }
        });
    }
    for (std::thread& caller : callers)
        caller.join();
    CHECK(answered == callers_count * calls_each);
    CHECK(context.inbox.offered() == callers_count * calls_each);
    CHECK(context.holds_nothing_soon());
}

TEST_CASE("a second receiver on the same port is an error, not a silent share") {
    GrpcContext context;
    context.listen();
    ReceiversConfig same = context.config;
    same.grpc_endpoint = "127.0.0.1:" + std::to_string(context.receiver->port());
    const Result<std::unique_ptr<GrpcReceiver>> second =
        GrpcReceiver::start(same, *context.admission, context.metrics);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::io);
}

TEST_CASE("a token in the metadata names the tenant, as Bearer, Basic password or x-api-key") {
    GrpcContext context;
    const TokenFile tokens("secret acme\n");
    context.config.auth.bearer_tokens_file = tokens.path();
    context.listen();
    REQUIRE(context.admission->load_tokens());
    CHECK(context.call("abc").status.error_code() == grpc::StatusCode::UNAUTHENTICATED);
    const std::pair<std::string, std::string> known[] = {
        {"authorization", "Bearer secret"},
        {"authorization", "Basic " + to_base64("public:secret")},
        {"x-api-key", "secret"},
    };
    for (const auto& [name, value] : known) {
        INFO(name << " " << value);
        ClientCall call(*context.stub, logs_method, "abc", [&](grpc::ClientContext& client) {
            client.AddMetadata(name, value);
        });
        std::optional<RawRequest> request = context.inbox.next();
        REQUIRE(request);
        CHECK(request->tenant_id == "acme");
        request->ticket->settle(Settlement::stored);
        CHECK(call.wait().status.ok());
    }
    const Reply wrong =
        ClientCall(*context.stub, metrics_method, "abc", [](grpc::ClientContext& client) {
            client.AddMetadata("authorization", "Basic " + to_base64("secret:wrong"));
        }).wait();
    CHECK(wrong.status.error_code() == grpc::StatusCode::UNAUTHENTICATED);
    CHECK(wrong.status.error_message().find("user:password") != std::string::npos);
}

TEST_CASE("with TLS a plain client is not served") {
    const Certificates certificates;
    GrpcContext context;
    context.inbox.settle_at_once();
    context.config.tls.cert_file = certificates.certificate("server");
    context.config.tls.key_file = certificates.key("server");
    context.listen();
    CHECK_FALSE(context.call("abc").status.ok());
    const std::unique_ptr<grpc::GenericStub> stub = context.connect(tls_as(certificates, ""));
    CHECK(ClientCall(*stub, traces_method, "abc").wait().status.ok());
}

TEST_CASE("with mutual TLS the certificate names the tenant, and strangers stay outside") {
    const Certificates certificates;
    GrpcContext context;
    context.config.tls.cert_file = certificates.certificate("server");
    context.config.tls.key_file = certificates.key("server");
    context.config.tls.client_ca_file = certificates.certificate("ca");
    context.listen();
    for (const std::string name : {"", "stranger"}) {
        const std::unique_ptr<grpc::GenericStub> stub = context.connect(tls_as(certificates, name));
        CHECK_FALSE(ClientCall(*stub, traces_method, "abc").wait().status.ok());
    }
    const std::unique_ptr<grpc::GenericStub> stub = context.connect(tls_as(certificates, "client"));
    ClientCall call(*stub, traces_method, "abc");
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    CHECK(request->tenant_id == "acme");
    request->ticket->settle(Settlement::stored);
    CHECK(call.wait().status.ok());
}

TEST_CASE("a renewed certificate is shown to new connections without a restart") {
    const Certificates certificates;
    GrpcContext context;
    context.inbox.settle_at_once();
    context.config.tls.cert_file = certificates.certificate("server");
    context.config.tls.key_file = certificates.key("server");
    context.listen();
    grpc::SslCredentialsOptions of_other_ca;
    of_other_ca.pem_root_certs = read_text(certificates.certificate("other-ca"));
    const auto is_served = [&] {
        const std::unique_ptr<grpc::GenericStub> stub =
            context.connect(grpc::SslCredentials(of_other_ca));
        return ClientCall(*stub, traces_method, "abc").wait().status.ok();
    };
    CHECK_FALSE(is_served());
    certificates.renew("server", "localhost", "other-ca");
    CHECK(eventually(is_served));
}

TEST_CASE("an unreadable key is an error at the start") {
    GrpcContext context;
    context.config.tls.cert_file = "/nowhere/server.pem";
    context.config.tls.key_file = "/nowhere/server.key";
    const Result<std::unique_ptr<GrpcReceiver>> started =
        GrpcReceiver::start(context.config, *context.admission, context.metrics);
    REQUIRE_FALSE(started);
    CHECK(started.error().message.find("/nowhere/server.") != std::string::npos);
}

TEST_CASE("a body that does not come in time is cancelled") {
    GrpcContext context;
    context.config.limits.body_timeout = Millis(100);
    context.listen();
    grpc::ClientContext client;
    grpc::CompletionQueue queue;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call =
        context.stub->PrepareCall(&client, traces_method, &queue);
    call->StartCall(&client);
    grpc::Status status;
    call->Finish(&status, &status);
    void* tag = nullptr;
    bool is_ok = false;
    while (tag != &status)
        REQUIRE(queue.Next(&tag, &is_ok));
    CHECK(status.error_code() == grpc::StatusCode::CANCELLED);
    CHECK(context.counts_soon("spangate_bodies_timed_out_total", 1));
    CHECK(context.holds_nothing_soon());
}

TEST_CASE("a call that ends without a message is invalid") {
    GrpcContext context;
    context.listen();
    grpc::ClientContext client;
    grpc::CompletionQueue queue;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call =
        context.stub->PrepareCall(&client, traces_method, &queue);
    void* tag = nullptr;
    bool is_ok = false;
    call->StartCall(&client);
    REQUIRE(queue.Next(&tag, &is_ok));
    call->WritesDone(&queue);
    grpc::Status status;
    call->Finish(&status, &status);
    while (tag != &status)
        REQUIRE(queue.Next(&tag, &is_ok));
    CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a coding that is not served is UNIMPLEMENTED") {
    GrpcContext context;
    context.listen();
    ClientCall call(
        *context.stub,
        traces_method,
        std::string(10'000, 'x'),
        [](grpc::ClientContext& client) { client.set_compression_algorithm(GRPC_COMPRESS_DEFLATE); }
    );
    CHECK(call.wait().status.error_code() == grpc::StatusCode::UNIMPLEMENTED);
    CHECK(context.inbox.offered() == 0);
}
