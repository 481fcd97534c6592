#include "tee/tee.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "receive/receive_context.h"
#include "support/eventually.h"

using namespace spangate;
using namespace spangate::testing;

namespace {

// What a sender was given, and what it shall answer; shared by the senders of a test.
struct Endpoint {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> sent;
    std::deque<TeeReply> replies;  // then: forwarded
    bool is_held = false;          // send() waits while true
    bool is_cancelled = false;
    bool speaks_json = true;

    [[nodiscard]] std::size_t sends() {
        const std::lock_guard lock(mutex);
        return sent.size();
    }

    void hold(bool holds) {
        const std::lock_guard lock(mutex);
        is_held = holds;
        changed.notify_all();
    }
};

class FakeSender final : public TeeSender {
  public:
    explicit FakeSender(Endpoint& endpoint) : endpoint_(endpoint) {}

    bool carries(BodyEncoding encoding) const override {
        return endpoint_.speaks_json || encoding == BodyEncoding::protobuf;
    }

    TeeReply send(const TeeRequest& request, SteadyTime deadline) override {
        std::unique_lock lock(endpoint_.mutex);
        endpoint_.sent.emplace_back(request.body->view());
        const bool is_free = endpoint_.changed.wait_until(lock, deadline, [this] {
            return !endpoint_.is_held || endpoint_.is_cancelled;
        });
        if (!is_free || endpoint_.is_cancelled) return {TeeVerdict::later, {}, "no answer"};
        if (endpoint_.replies.empty()) return {TeeVerdict::forwarded, {}, {}};
        TeeReply reply = endpoint_.replies.front();
        endpoint_.replies.pop_front();
        return reply;
    }

    void cancel() override {
        const std::lock_guard lock(endpoint_.mutex);
        endpoint_.is_cancelled = true;
        endpoint_.changed.notify_all();
    }

  private:
    Endpoint& endpoint_;
};

struct TeeContext {
    TeeLimits limits;
    MemoryBudget budget{64 * mib};
    Metrics metrics;
    FakeInbox inbox;
    Endpoint endpoint;
    std::unique_ptr<Tee> tee;
    std::vector<std::optional<Outcome>> heard = std::vector<std::optional<Outcome>>(32);
    std::size_t offered = 0;

    TeeContext() {
        limits.backoff_min = Millis(2);
        limits.backoff_max = Millis(10);
        inbox.settle_at_once();
    }

    ~TeeContext() { tee.reset(); }

    void start(std::size_t senders_count = 1) {
        std::vector<std::unique_ptr<TeeSender>> senders;
        for (std::size_t i = 0; i < senders_count; ++i)
            senders.push_back(std::make_unique<FakeSender>(endpoint));
        tee = std::make_unique<Tee>(inbox, std::move(senders), limits, budget, metrics);
    }

    bool offer(
        std::string_view body,
        Signal signal = Signal::traces,
        BodyEncoding encoding = BodyEncoding::protobuf
    ) {
        RawRequest request;
        request.signal = signal;
        request.encoding = encoding;
        request.body.append(body);
        Ticket* const ticket =
            new Ticket(std::make_unique<FakeResponder>(heard.at(offered++)), nullptr, Lease());
        request.ticket = ticket;
        const bool is_taken = tee->offer(std::move(request));
        if (!is_taken) ticket->settle(Settlement::retry_later);
        return is_taken;
    }

    [[nodiscard]] std::uint64_t requests(std::string_view signal, std::string_view result) {
        return metrics
            .counter("spangate_tee_requests_total", "", {{"signal", signal}, {"result", result}})
            .value();
    }

    [[nodiscard]] std::uint64_t drops(std::string_view reason) {
        return metrics.counter("spangate_tee_drops_total", "", {{"reason", reason}}).value();
    }

    [[nodiscard]] bool drain() {
        return tee->drain(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    }
};

}  // namespace

TEST_CASE("tee: what the lanes take is forwarded too, byte for byte") {
    TeeContext context;
    context.start();
    CHECK(context.offer("a"));
    CHECK(context.offer("b", Signal::logs, BodyEncoding::json));
    CHECK(context.drain());
    CHECK(context.inbox.offered() == 2);
    CHECK(context.endpoint.sent == std::vector<std::string>{"a", "b"});
    CHECK(context.requests("traces", "forwarded") == 1);
    CHECK(context.requests("logs", "forwarded") == 1);
    CHECK(context.budget.bytes_held() == 0);
}

TEST_CASE("tee: metrics are answered at once, go to no lane, and are forwarded") {
    TeeContext context;
    context.endpoint.hold(true);
    context.start();
    CHECK(context.offer("m", Signal::metrics));
    REQUIRE(context.heard[0]);
    CHECK(context.heard[0]->is_success);
    context.endpoint.hold(false);
    CHECK(context.drain());
    CHECK(context.inbox.offered() == 0);
    CHECK(context.requests("metrics", "forwarded") == 1);
}

TEST_CASE("tee: what the lanes refuse is not forwarded, because the client sends it again") {
    TeeContext context;
    context.inbox.hold_at_most(0);
    context.start();
    CHECK_FALSE(context.offer("a"));
    CHECK(context.drain());
    CHECK(context.endpoint.sends() == 0);
    CHECK(context.budget.bytes_held() == 0);
}

TEST_CASE("tee: a slow endpoint holds no client, and a full queue drops") {
    TeeContext context;
    context.limits.queue_requests_max = 3;
    context.endpoint.hold(true);
    context.start();
    for (int i = 0; i < 5; ++i)
        CHECK(context.offer("a"));
    CHECK(context.inbox.offered() == 5);
    CHECK(context.requests("traces", "dropped") == 2);
    CHECK(context.drops("queue") == 2);
    context.endpoint.hold(false);
    CHECK(context.drain());
    CHECK(context.requests("traces", "forwarded") == 3);
}

TEST_CASE("tee: the queue is bounded in bytes, by its own limit and by the program's memory") {
    TeeContext context;
    context.limits.queue_bytes_max = 1'000;
    context.endpoint.hold(true);
    context.start();
    CHECK(context.offer(std::string(1'001, 'x')));
    CHECK(context.offer(std::string(600, 'x')));
    CHECK(context.offer(std::string(401, 'x')));
    CHECK(context.drops("queue") == 2);
    CHECK(context.offer(std::string(400, 'x')));
    CHECK(context.drops("queue") == 2);
    CHECK(context.budget.bytes_held() == 1'000);
    context.endpoint.hold(false);
    REQUIRE(eventually([&] { return context.requests("traces", "forwarded") == 2; }));
    Lease most(context.budget);
    REQUIRE(eventually([&] { return most.grow_to(context.budget.bytes_max()); }));
    CHECK(context.offer("a"));
    CHECK(context.drops("memory") == 1);
}

TEST_CASE("tee: `later` is tried again, no sooner than the endpoint asked") {
    TeeContext context;
    context.endpoint.replies = {
        {TeeVerdict::later, {}, "busy"}, {TeeVerdict::later, std::chrono::seconds(1), "busy"}};
    context.start();
    const SteadyTime before = std::chrono::steady_clock::now();
    CHECK(context.offer("a"));
    CHECK(context.drain());
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::seconds(1));
    CHECK(context.endpoint.sends() == 3);
    CHECK(context.requests("traces", "forwarded") == 1);
    CHECK(context.metrics.counter("spangate_tee_retries_total", "").value() == 2);
}

TEST_CASE("tee: a rejected copy is not sent again") {
    TeeContext context;
    context.endpoint.replies = {{TeeVerdict::rejected, {}, "no"}};
    context.start();
    CHECK(context.offer("a"));
    CHECK(context.drain());
    CHECK(context.endpoint.sends() == 1);
    CHECK(context.requests("traces", "rejected") == 1);
}

TEST_CASE("tee: a copy is given up after its time") {
    TeeContext context;
    context.limits.give_up_after = Millis(50);
    context.endpoint.replies = std::deque<TeeReply>(100, {TeeVerdict::later, {}, "busy"});
    context.start();
    CHECK(context.offer("a"));
    REQUIRE(eventually([&] { return context.drops("gave_up") == 1; }));
    CHECK(context.requests("traces", "dropped") == 1);
    CHECK(context.endpoint.sends() > 1);
}

TEST_CASE("tee: an encoding that the protocol cannot carry is dropped, the events are not") {
    TeeContext context;
    context.endpoint.speaks_json = false;
    context.start();
    CHECK(context.offer("{}", Signal::traces, BodyEncoding::json));
    CHECK(context.inbox.offered() == 1);
    CHECK(context.drops("encoding") == 1);
}

TEST_CASE("tee: the drain ends at its deadline, and what is left is told") {
    TeeContext context;
    context.endpoint.hold(true);
    context.start(2);
    for (int i = 0; i < 5; ++i)
        CHECK(context.offer("a"));
    const SteadyTime before = std::chrono::steady_clock::now();
    CHECK_FALSE(context.tee->drain(before + std::chrono::milliseconds(100)));
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    CHECK(context.requests("traces", "dropped") == 5);
    CHECK(context.drops("shutdown") == 5);
    CHECK(context.budget.bytes_held() == 0);
    CHECK(context.offer("late"));
    CHECK(context.drops("shutdown") == 6);
}
