#include "guard/webhook.h"

#include <catch2/catch.hpp>

#include "guard/hook.h"
#include "support/eventually.h"

namespace spangate {
namespace {

using testing::eventually;
using testing::Hook;

WebhookLimits quick() {
    WebhookLimits limits;
    limits.first_pause = Millis(5);
    limits.tries_max = 4;
    limits.drain_timeout = Millis(2'000);
    return limits;
}

struct Counted {
    Metrics metrics;
    GuardCounters counters{metrics};

    [[nodiscard]] std::uint64_t of(std::string_view outcome) {
        return metrics.counter("spangate_guard_webhook_total", "", {{"outcome", outcome}}).value();
    }
};

}  // namespace

TEST_CASE("a message is posted to the path of the URL") {
    Hook hook;
    Counted counted;
    {
        auto webhook = Webhook::open(Secret(hook.url()), counted.counters, quick());
        REQUIRE(webhook);
        (*webhook)->post("{\"a\":1}");
        CHECK(eventually([&] { return counted.of("delivered") == 1; }));
    }
    CHECK(hook.bodies() == std::vector<std::string>{"{\"a\":1}"});
    CHECK(hook.path() == "/hook");
}

TEST_CASE("what the other side cannot take just now is posted again, what it refuses is not") {
    Hook hook({503, 429, 204, 400, 204});
    Counted counted;
    auto webhook = Webhook::open(Secret(hook.url()), counted.counters, quick());
    REQUIRE(webhook);
    for (const char* message : {"one", "two", "three"})
        (*webhook)->post(message);
    CHECK(eventually([&] { return counted.of("delivered") == 2; }));
    CHECK(counted.of("refused") == 1);
    CHECK(hook.bodies() == std::vector<std::string>{"one", "one", "one", "two", "three"});
}

TEST_CASE("after the last try a message is given up and the next one has its turn") {
    Hook hook({500, 500, 500, 500});
    Counted counted;
    auto webhook = Webhook::open(Secret(hook.url()), counted.counters, quick());
    REQUIRE(webhook);
    (*webhook)->post("lost");
    (*webhook)->post("kept");
    CHECK(eventually([&] { return counted.of("delivered") == 1; }));
    CHECK(counted.of("given_up") == 1);
}

TEST_CASE("a full queue drops and counts, and nobody waits for a dead server") {
    Counted counted;
    WebhookLimits limits = quick();
    limits.messages_max = 10;
    limits.first_pause = Millis(60'000);
    limits.drain_timeout = Millis(10);
    {
        auto webhook = Webhook::open(Secret("http://127.0.0.1:1/"), counted.counters, limits);
        REQUIRE(webhook);
        for (int i = 0; i < 100; ++i)
            (*webhook)->post("x");
        CHECK(counted.of("dropped") >= 89);
    }
    CHECK(counted.of("dropped") + counted.of("given_up") == 100);
}

}  // namespace spangate
