#include "admin/admin_server.h"

#include <string>

#include <catch2/catch.hpp>

#include "support/raw_http.h"

using namespace spangate;
using namespace spangate::testing;

namespace {

struct AdminContext {
    AdminContext() {
        AdminConfig config;
        config.endpoint = "127.0.0.1:0";
        auto started = AdminServer::start(
            config,
            {metrics,
             health,
             clock,
             [] { return std::string("redact:\n  hash_key: '***'\n"); },
             [this] {
                 return reload_result;
             }}
        );
        REQUIRE(started);
        server = std::move(*started);
    }

    [[nodiscard]] RawResponse ask(const std::string& request) const {
        return RawHttp(server->port()).exchange(request);
    }

    Metrics metrics;
    Health health;
    SystemClock clock;
    Status reload_result;
    std::unique_ptr<AdminServer> server;
};

}  // namespace

TEST_CASE("metrics are told in Prometheus' text format") {
    AdminContext context;
    context.metrics.counter("spangate_test_total", "A test.").add(7);
    const RawResponse response = context.ask(get("/metrics"));
    CHECK(response.status == 200);
    CHECK(response.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(response.body.find("\nspangate_test_total 7\n") != std::string::npos);
}

TEST_CASE("health depends on nothing, readiness says which room cannot work and why") {
    AdminContext context;
    CHECK(context.ask(get("/readyz")).status == 200);
    context.health.set_not_ready("deliver", "no broker answers");
    context.health.set_not_ready("spool", "disk full");
    const RawResponse response = context.ask(get("/readyz?verbose"));
    CHECK(response.status == 503);
    CHECK(response.body == "deliver: no broker answers\nspool: disk full\n");
    CHECK(context.ask(get("/healthz")).status == 200);
    context.health.set_ready("deliver");
    context.health.set_ready("spool");
    CHECK(context.ask(get("/readyz")).status == 200);
}

TEST_CASE("the configuration is shown as it was given, which is masked") {
    AdminContext context;
    CHECK(context.ask(get("/config")).body == "redact:\n  hash_key: '***'\n");
}

TEST_CASE("a reload is POST only, and a refused one says why") {
    AdminContext context;
    CHECK(context.ask(post("/-/reload", "")).status == 200);
    context.reload_result = fail(ErrorCode::invalid_argument, "spangate.yaml:3:5: unknown key");
    const RawResponse refused = context.ask(post("/-/reload", ""));
    CHECK(refused.status == 400);
    CHECK(refused.body == "not reloaded: spangate.yaml:3:5: unknown key\n");
    const RawResponse wrong = context.ask(get("/-/reload"));
    CHECK(wrong.status == 405);
    CHECK(wrong.field("Allow") == "POST");
}

TEST_CASE("HEAD is allowed, other methods and paths are not") {
    AdminContext context;
    RawHttp client(context.server->port());
    client.send(get("/metrics", "HEAD"));
    const RawResponse head = client.receive(false);
    CHECK(head.status == 200);
    CHECK(head.field("Content-Length") != "0");
    const RawResponse wrong = client.exchange(post("/metrics", "x"));
    CHECK(wrong.status == 405);
    CHECK(wrong.field("Allow") == "GET, HEAD");
    CHECK(client.exchange(get("/")).status == 404);
}

TEST_CASE("an endpoint that cannot be bound is an error") {
    Metrics metrics;
    Health health;
    SystemClock clock;
    AdminConfig config;
    config.endpoint = "256.0.0.1:1";
    CHECK_FALSE(AdminServer::start(config, {metrics, health, clock, nullptr, nullptr}));
}
