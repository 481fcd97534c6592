#include "receive/admission.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "receive_context.h"

using namespace spangate;           // NOLINT
using namespace spangate::testing;  // NOLINT

namespace {

RequestHead head_of(Bytes declared_bytes, std::string_view authorization = {}) {
    RequestHead head;
    head.declared_bytes = declared_bytes;
    head.authorization = authorization;
    return head;
}

Body body_of(std::string_view text) {
    Body body;
    body.append(text);
    return body;
}

}  // namespace

TEST_CASE("an admitted request reaches the inbox with its stamps and its lease") {
    ReceiveContext context;
    tl::expected<Admitted, Outcome> admitted = context.admission->admit(head_of(1'000));
    REQUIRE(admitted);
    CHECK(context.budget.bytes_held() == 4'000);
    const WallNanos received_at = context.clock.wall_nanos();
    context.clock.advance(std::chrono::milliseconds(5));
    std::optional<Outcome> heard;
    context.admission->submit(
        std::move(*admitted),
        BodyEncoding::json,
        body_of("{}"),
        std::make_unique<FakeResponder>(heard)
    );
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    CHECK(request->body.view() == "{}");
    CHECK(request->encoding == BodyEncoding::json);
    CHECK(request->tenant_id.empty());
    CHECK(request->received_at == received_at);
    CHECK(request->admitted_at == context.clock.steady());
    CHECK(context.budget.bytes_held() == 4 * request->body.capacity());
    CHECK_FALSE(heard);
    request->ticket->settle(Settlement::stored);
    REQUIRE(heard);
    CHECK(heard->is_success);
    CHECK(context.budget.bytes_held() == 0);
}

TEST_CASE("a declared size over the limit is refused for good") {
    ReceiveContext context;
    context.config.limits.request_bytes_max = 1'000;
    context.make_admission();
    CHECK(context.admission->admit(head_of(1'000)));
    const tl::expected<Admitted, Outcome> admitted = context.admission->admit(head_of(1'001));
    REQUIRE_FALSE(admitted);
    CHECK(admitted.error().code == ErrorCode::too_large);
    CHECK(admitted.error().retry_after_s == 0);
    CHECK(context.rejected("too_large") == 1);
}

TEST_CASE("a full house refuses at the headers and takes the next one after a release") {
    ReceiveContext context;
    const Bytes share = 16 * mib;  // 64 MiB leased of 128
    tl::expected<Admitted, Outcome> first = context.admission->admit(head_of(share));
    tl::expected<Admitted, Outcome> second = context.admission->admit(head_of(share));
    REQUIRE(first);
    REQUIRE(second);
    const tl::expected<Admitted, Outcome> third = context.admission->admit(head_of(share));
    REQUIRE_FALSE(third);
    CHECK(third.error().code == ErrorCode::unavailable);
    CHECK(third.error().retry_after_s == 1);
    CHECK(context.refused("memory") == 1);
    first = tl::unexpected(Outcome());
    CHECK(context.admission->admit(head_of(share)));
}

TEST_CASE("where memory is scarce, who holds an eighth waits and the small ones get in") {
    ReceiveContext context;  // 128 MiB
    RequestHead large = head_of(8 * mib);
    large.peer = {"10.0.0.1", 1};
    std::vector<tl::expected<Admitted, Outcome>> held;
    for (int i = 0; i < 3; ++i)
        held.push_back(context.admission->admit(large));  // three quarters
    CHECK(std::all_of(held.begin(), held.end(), [](const auto& one) { return one.has_value(); }));
    const tl::expected<Admitted, Outcome> fourth = context.admission->admit(large);
    REQUIRE_FALSE(fourth);
    CHECK(fourth.error().code == ErrorCode::rate_limited);
    CHECK(fourth.error().retry_after_s == 1);
    CHECK(context.refused("rate") == 1);
    RequestHead small = head_of(1 * mib);
    small.peer = {"10.0.0.2", 1};
    for (int i = 0; i < 4; ++i)
        held.push_back(context.admission->admit(small));
    CHECK(std::all_of(held.begin(), held.end(), [](const auto& one) { return one.has_value(); }));
    held.clear();
    CHECK(context.admission->admit(large));
}

TEST_CASE("a client is its tenant, else its address, on loopback its connection") {
    ClientShares shares;
    CHECK(shares.of("acme", {"10.0.0.1", 1}) == shares.of("acme", {"10.0.0.2", 2}));
    CHECK(shares.of("", {"10.0.0.1", 1}) == shares.of("", {"10.0.0.1", 2}));
    CHECK(shares.of("", {"10.0.0.1", 1}) != shares.of("", {"10.0.0.2", 1}));
    CHECK(shares.of("", {"127.0.0.1", 1}) != shares.of("", {"127.0.0.1", 2}));
    CHECK(shares.of("", {}) == nullptr);
}

TEST_CASE("gRPC's words for a peer are read") {
    const auto is = [](std::string_view uri, std::string_view address, std::uint16_t port) {
        const ClientPeer peer = peer_of_uri(uri);
        return peer.address == address && peer.port == port;
    };
    CHECK(is("ipv4:127.0.0.1:50123", "127.0.0.1", 50123));
    CHECK(is("ipv6:%5B::1%5D:7", "::1", 7));
    CHECK(is("ipv6:[::1]:7", "::1", 7));
    CHECK(is("unix:/run/spangate.sock", "", 0));
    CHECK(is("ipv4:", "", 0));
}

TEST_CASE("a body may grow while the house has room, and up to the limit") {
    ReceiveContext context;
    tl::expected<Admitted, Outcome> admitted = context.admission->admit(RequestHead());
    REQUIRE(admitted);
    CHECK(
        context.budget.bytes_held() == Admission::lease_factor * Admission::unknown_body_lease_bytes
    );
    CHECK(context.admission->grow(*admitted, 10 * mib));
    CHECK(context.budget.bytes_held() == 40 * mib);
    CHECK(context.admission->grow(*admitted, 21 * mib).error().code == ErrorCode::too_large);
    tl::expected<Admitted, Outcome> other = context.admission->admit(head_of(20 * mib));
    REQUIRE(other);
    const Status grown = context.admission->grow(*admitted, 15 * mib);
    REQUIRE_FALSE(grown);
    const Outcome outcome = context.admission->turn_away(grown.error(), Signal::traces);
    CHECK(outcome.code == ErrorCode::unavailable);
    CHECK(outcome.retry_after_s == 1);
    CHECK(context.refused("memory") == 1);
}

TEST_CASE("a refusing delivery side refuses with its reason and its time") {
    ReceiveContext context;
    context.refuse("Kafka is away", 9);
    const tl::expected<Admitted, Outcome> admitted = context.admission->admit(head_of(10));
    REQUIRE_FALSE(admitted);
    CHECK(admitted.error().message == "Kafka is away");
    CHECK(admitted.error().retry_after_s == 9);
    context.refuse("Kafka is away", 900);
    CHECK(context.admission->admit(head_of(10)).error().retry_after_s == 30);
    context.refuse({}, 1);
    CHECK(context.admission->admit(head_of(10)));
    CHECK(context.refused("delivery") == 2);
}

TEST_CASE("a closed intake admits nothing, and what was admitted still goes through") {
    ReceiveContext context;
    tl::expected<Admitted, Outcome> admitted = context.admission->admit(head_of(10));
    REQUIRE(admitted);
    context.admission->close_intake();
    const tl::expected<Admitted, Outcome> late = context.admission->admit(head_of(10));
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ErrorCode::shutting_down);
    CHECK(context.refused("draining") == 1);
    std::optional<Outcome> heard;
    context.admission->submit(
        std::move(*admitted),
        BodyEncoding::protobuf,
        body_of("abc"),
        std::make_unique<FakeResponder>(heard)
    );
    std::optional<RawRequest> request = context.inbox.next();
    REQUIRE(request);
    request->ticket->settle(Settlement::stored);
    CHECK(heard->is_success);
}

TEST_CASE("a full inbox is answered with unavailable, and the memory is given back") {
    ReceiveContext context;
    context.inbox.hold_at_most(0);
    tl::expected<Admitted, Outcome> admitted = context.admission->admit(head_of(10));
    REQUIRE(admitted);
    std::optional<Outcome> heard;
    context.admission->submit(
        std::move(*admitted),
        BodyEncoding::protobuf,
        body_of("abc"),
        std::make_unique<FakeResponder>(heard)
    );
    REQUIRE(heard);
    CHECK(heard->code == ErrorCode::unavailable);
    CHECK(heard->retry_after_s == 1);
    CHECK(context.refused("lanes") == 1);
    CHECK(context.budget.bytes_held() == 0);
}

TEST_CASE("a bearer token names the tenant") {
    TokenFile file("# tokens\n\nsecret-a acme\nsecret-b\tglobex \r\n");
    ReceiveContext context;
    context.config.auth.bearer_tokens_file = file.path();
    context.make_admission();

    SECTION("before the file is read nobody comes in") {
        CHECK(
            context.admission->admit(head_of(1, "Bearer secret-a")).error().code ==
            ErrorCode::unauthenticated
        );
    }
    SECTION("after it, whoever has a token") {
        REQUIRE(context.admission->load_tokens());
        CHECK(context.admission->admit(head_of(1, "Bearer secret-a"))->tenant_id == "acme");
        CHECK(context.admission->admit(head_of(1, "bearer  secret-b "))->tenant_id == "globex");
        for (const std::string_view wrong :
             {"", "Bearer", "Bearer ", "Bearer secret", "Bearer secret-aa", "Basic secret-a"}) {
            INFO(wrong);
            const auto admitted = context.admission->admit(head_of(1, wrong));
            REQUIRE_FALSE(admitted);
            CHECK(admitted.error().code == ErrorCode::unauthenticated);
            CHECK(admitted.error().message.find("secret") == std::string::npos);
        }
        CHECK(context.rejected("unauthenticated") == 6);
    }
    SECTION("a changed file counts after the next reading") {
        REQUIRE(context.admission->load_tokens());
        file.write("secret-c acme\n");
        REQUIRE(context.admission->load_tokens());
        CHECK_FALSE(context.admission->admit(head_of(1, "Bearer secret-a")));
        CHECK(context.admission->admit(head_of(1, "Bearer secret-c")));
    }
    SECTION("a faulty file changes nothing and names all its faults but no token") {
        REQUIRE(context.admission->load_tokens());
        file.write("secret-d\nsecret-e acme inc\nsecret-f a\nsecret-f b\n");
        const Status loaded = context.admission->load_tokens();
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().message.find(":1:") != std::string::npos);
        CHECK(loaded.error().message.find(":2:") != std::string::npos);
        CHECK(loaded.error().message.find(":4:") != std::string::npos);
        CHECK(loaded.error().message.find("secret") == std::string::npos);
        CHECK(context.admission->admit(head_of(1, "Bearer secret-a")));
        CHECK_FALSE(context.admission->admit(head_of(1, "Bearer secret-f")));
    }
    SECTION("an empty or missing file is an error") {
        file.write("# nobody\n");
        CHECK_FALSE(context.admission->load_tokens());
        context.config.auth.bearer_tokens_file = file.path() + ".missing";
        context.make_admission();
        CHECK(context.admission->load_tokens().error().code == ErrorCode::io);
    }
}

TEST_CASE("with client certificates the common name is the tenant") {
    ReceiveContext context;
    context.config.tls.client_ca_file = "ca.pem";
    context.make_admission();
    RequestHead head = head_of(1);
    head.certificate_name = "acme";
    CHECK(context.admission->admit(head)->tenant_id == "acme");
    head.certificate_name = "Acme, Inc.";
    CHECK(context.admission->admit(head).error().code == ErrorCode::permission_denied);
    head.certificate_name = "";
    CHECK(context.admission->admit(head).error().code == ErrorCode::permission_denied);
    CHECK(context.rejected("permission_denied") == 2);
}

TEST_CASE("requests are counted by transport and signal") {
    ReceiveContext context;
    RequestHead head = head_of(1);
    head.transport = Transport::grpc;
    (void)context.admission->admit(head);
    head.signal = Signal::logs;
    (void)context.admission->admit(head);
    (void)context.admission->admit(head);
    const auto counted = [&](std::string_view transport, std::string_view signal) {
        return context.metrics
            .counter("spangate_requests_total", "", {{"transport", transport}, {"signal", signal}})
            .value();
    };
    CHECK(counted("grpc", "traces") == 1);
    CHECK(counted("grpc", "logs") == 2);
    CHECK(counted("http", "traces") == 0);
}
