// Both senders against this program's own receivers.
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "base/url.h"
#include "net/http_client.h"
#include "receive/grpc_receiver.h"
#include "receive/http_receiver.h"
#include "receive/receive_context.h"
#include "support/certificates.h"
#include "tee/grpc_tee_sender.h"
#include "tee/http_tee_sender.h"
#include "tee/open_tee.h"

using namespace spangate;
using namespace spangate::testing;

namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The other OTLP endpoint, over both protocols.
struct OtherEndpoint : ReceiveContext {
    std::unique_ptr<GrpcReceiver> grpc;
    std::unique_ptr<HttpReceiver> http;
    FakeInbox metrics_inbox;

    void listen() {
        make_admission();
        admission->send_metrics_to(metrics_inbox);
        auto grpc_started = GrpcReceiver::start(config, *admission, metrics);
        REQUIRE(grpc_started);
        grpc = std::move(*grpc_started);
        auto http_started = HttpReceiver::start(config, *admission, clock, metrics);
        REQUIRE(http_started);
        http = std::move(*http_started);
    }

    [[nodiscard]] std::vector<std::unique_ptr<TeeSender>> senders(const std::string& protocol) {
        const std::uint16_t port = protocol == "grpc" ? grpc->port() : http->port();
        auto opened = open_senders({"127.0.0.1:" + std::to_string(port), protocol});
        REQUIRE(opened);
        return std::move(*opened);
    }
};

TeeRequest request_of(std::string_view text, Signal signal, BodyEncoding encoding) {
    Body body;
    body.append(text);
    TeeRequest request;
    request.signal = signal;
    request.encoding = encoding;
    request.body = std::make_shared<const Body>(std::move(body));
    return request;
}

SteadyTime in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

}  // namespace

TEST_CASE("a copy of every signal arrives as it was sent, over both protocols") {
    OtherEndpoint other;
    other.listen();
    for (const std::string protocol : {"grpc", "http"}) {
        const auto senders = other.senders(protocol);
        REQUIRE(senders.size() > 1);
        for (const Signal signal : {Signal::traces, Signal::logs, Signal::metrics}) {
            for (const BodyEncoding encoding : {BodyEncoding::protobuf, BodyEncoding::json}) {
                if (!senders[0]->carries(encoding)) continue;
                INFO(protocol << " " << static_cast<int>(signal));
                const std::string body(300'000, 'x');
                TeeReply reply;
                std::thread caller([&] {
                    reply = senders[0]->send(
                        request_of(body, signal, encoding), in(std::chrono::seconds(10))
                    );
                });
                FakeInbox& inbox = signal == Signal::metrics ? other.metrics_inbox : other.inbox;
                std::optional<RawRequest> arrived = inbox.next();
                REQUIRE(arrived);
                CHECK(arrived->signal == signal);
                CHECK(arrived->encoding == encoding);
                CHECK((arrived->body.view() == body));
                arrived->ticket->settle(Settlement::stored);
                caller.join();
                CHECK(reply.verdict == TeeVerdict::forwarded);
            }
        }
    }
}

TEST_CASE("only HTTP carries JSON") {
    OtherEndpoint other;
    other.listen();
    CHECK_FALSE(other.senders("grpc")[0]->carries(BodyEncoding::json));
    CHECK(other.senders("http")[0]->carries(BodyEncoding::json));
}

TEST_CASE("a refusal says when to come again, a bad request is rejected") {
    OtherEndpoint other;
    other.listen();
    for (const std::string protocol : {"grpc", "http"}) {
        INFO(protocol);
        const auto senders = other.senders(protocol);
        const TeeRequest request = request_of("x", Signal::traces, BodyEncoding::protobuf);
        other.refuse("Kafka is away", 7);
        const TeeReply later = senders[0]->send(request, in(std::chrono::seconds(10)));
        CHECK(later.verdict == TeeVerdict::later);
        CHECK(later.wait == std::chrono::seconds(7));
        CHECK_FALSE(later.why.empty());
        other.refuse({}, 1);
        TeeReply rejected;
        std::thread caller([&] {
            rejected = senders[0]->send(request, in(std::chrono::seconds(10)));
        });
        std::optional<RawRequest> arrived = other.inbox.next();
        REQUIRE(arrived);
        arrived->ticket->settle(Settlement::rejected, "not OTLP");
        caller.join();
        CHECK(rejected.verdict == TeeVerdict::rejected);
    }
}

TEST_CASE("no answer is worth another try: nobody there, too late, cancelled") {
    OtherEndpoint other;
    other.listen();
    for (const std::string protocol : {"grpc", "http"}) {
        INFO(protocol);
        const TeeRequest request = request_of("x", Signal::traces, BodyEncoding::protobuf);
        const auto nobody = open_senders({"127.0.0.1:1", protocol});
        REQUIRE(nobody);
        CHECK(
            (*nobody)[0]->send(request, in(std::chrono::seconds(10))).verdict == TeeVerdict::later
        );

        const auto senders = other.senders(protocol);
        CHECK(
            senders[0]->send(request, in(std::chrono::milliseconds(100))).verdict ==
            TeeVerdict::later
        );
        other.inbox.next()->ticket->settle(Settlement::stored);

        TeeReply reply;
        std::thread caller([&] { reply = senders[0]->send(request, in(std::chrono::minutes(1))); });
        std::optional<RawRequest> arrived = other.inbox.next();
        REQUIRE(arrived);
        senders[0]->cancel();
        caller.join();
        CHECK(reply.verdict == TeeVerdict::later);
        arrived->ticket->settle(Settlement::stored);
        CHECK(senders[0]->send(request, in(std::chrono::minutes(1))).verdict == TeeVerdict::later);
    }
}

TEST_CASE("with TLS the other endpoint's certificate is held against the CA") {
    const Certificates certificates;
    OtherEndpoint other;
    other.config.tls.cert_file = certificates.certificate("server");
    other.config.tls.key_file = certificates.key("server");
    other.inbox.settle_at_once();
    other.listen();
    const TeeRequest request = request_of("x", Signal::traces, BodyEncoding::protobuf);
    for (const auto& [ca, verdict] :
         {std::pair("ca", TeeVerdict::forwarded), std::pair("other-ca", TeeVerdict::later)}) {
        INFO(ca);
        const std::string file = certificates.certificate(ca);
        const auto grpc =
            make_grpc_tee_senders({true, "localhost", other.grpc->port(), ""}, 1, text_of(file));
        CHECK(grpc[0]->send(request, in(std::chrono::seconds(5))).verdict == verdict);
        auto client = HttpClient::open({true, "localhost", other.http->port(), ""}, file);
        REQUIRE(client);
        HttpTeeSender http(std::move(*client));
        CHECK(http.send(request, in(std::chrono::seconds(5))).verdict == verdict);
    }
}

TEST_CASE("an endpoint that is none is an error at the start") {
    for (const char* protocol : {"grpc", "http"})
        CHECK_FALSE(open_senders({"nonsense", protocol}));
}
