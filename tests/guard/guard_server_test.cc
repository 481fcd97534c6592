#include "guard/guard_server.h"

#include <catch2/catch.hpp>

#include "guard/verdict.h"
#include "support/raw_http.h"

namespace spangate {
namespace {

struct Served {
    Served() {
        auto started = GuardServer::start(
            "127.0.0.1:0",
            {metrics,
             health,
             clock,
             [this](const SessionKey& key) {
                 asked = {std::string(key.tenant_id), std::string(key.session_id)};
                 return unknown_verdict(key);
             },
             "acme"}
        );
        REQUIRE(started);
        server = std::move(*started);
    }

    testing::RawResponse get(const std::string& target, const std::string& method = "GET") {
        testing::RawHttp http(server->port());
        return http.exchange(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    Metrics metrics;
    Health health;
    SystemClock clock;
    std::pair<std::string, std::string> asked;
    std::unique_ptr<GuardServer> server;
};

}  // namespace

TEST_CASE("a session that nobody holds is answered ok, and that nothing is known") {
    Served served;
    const testing::RawResponse answer = served.get("/guard/sess-1");
    CHECK(answer.status == 200);
    CHECK(answer.field("Content-Type") == "application/json");
    CHECK(answer.body.find(R"("verdict":"ok","known":false)") != std::string::npos);
    CHECK(served.asked == std::pair<std::string, std::string>("acme", "sess-1"));
}

TEST_CASE("session and tenant are percent-decoded, once") {
    Served served;
    CHECK(served.get("/guard/a%2Fb%20c%2541?x=1&tenant=%C3%BC%26").status == 200);
    CHECK(served.asked == std::pair<std::string, std::string>("\xc3\xbc&", "a/b c%41"));
    CHECK(served.get("/guard/a/b").status == 200);
    CHECK(served.asked.second == "a/b");
}

TEST_CASE("what is no question is refused") {
    Served served;
    CHECK(served.get("/guard/").status == 400);
    CHECK(served.get("/guard/a%2").status == 400);
    CHECK(served.get("/guard/a%zz").status == 400);
    CHECK(served.get("/guard/a", "POST").status == 405);
    CHECK(served.get("/else").status == 404);
}

TEST_CASE("health, readiness and metrics are answered beside it") {
    Served served;
    CHECK(served.get("/healthz").status == 200);
    CHECK(served.get("/readyz").status == 200);
    served.health.set_not_ready("guard", "the brokers are away");
    CHECK(served.get("/readyz").status == 503);
    CHECK(served.get("/metrics").body.find("spangate_http_requests_total") != std::string::npos);
}

}  // namespace spangate
