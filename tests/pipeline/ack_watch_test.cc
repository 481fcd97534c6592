#include "pipeline/ack_watch.h"

#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "support/manual_clock.h"
#include "support/recording_responder.h"

using namespace spangate;
using namespace std::chrono_literals;

namespace {

struct Context {
    testing::ManualClock clock;
    Metrics metrics;
    AckWatch watch{1h, clock, metrics};  // its own thread never finds anything due
    std::vector<Outcome> heard;

    Ticket* ticket() {
        return new Ticket(std::make_unique<testing::RecordingResponder>(heard), nullptr, {});
    }
};

}  // namespace

TEST_CASE("a request that waits too long hears when to come back") {
    Context context;
    Ticket* ticket = context.ticket();
    context.watch.add(*ticket, context.clock.steady());
    context.watch.tick(context.clock.steady() + 59min);
    CHECK(context.heard.empty());
    context.watch.tick(context.clock.steady() + 61min);
    REQUIRE(context.heard.size() == 1);
    CHECK(context.heard[0].code == ErrorCode::unavailable);
    CHECK(context.heard[0].retry_after_s >= 1);
    ticket->settle(Settlement::stored);
    CHECK(context.heard.size() == 1);
}

TEST_CASE("an answered request is let go and hears nothing more") {
    Context context;
    Ticket* ticket = context.ticket();
    context.watch.add(*ticket, context.clock.steady());
    ticket->settle(Settlement::stored);
    context.watch.tick(context.clock.steady());
    context.watch.tick(context.clock.steady() + 2h);
    REQUIRE(context.heard.size() == 1);
    CHECK(context.heard[0].is_success);
}
