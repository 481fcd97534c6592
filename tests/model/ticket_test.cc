#include "model/ticket.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>

using namespace spangate;

namespace {

struct Heard {
    std::vector<Outcome> outcomes;
    std::vector<ItemCounts> counts;
};

class RecordingResponder final : public Responder {
  public:
    explicit RecordingResponder(Heard& heard) : heard_(heard) {}

    void respond(const Outcome& outcome) override { heard_.outcomes.push_back(outcome); }

  private:
    Heard& heard_;
};

class RecordingObserver final : public TicketObserver {
  public:
    explicit RecordingObserver(Heard& heard) : heard_(heard) {}

    void answered(const Outcome&, const ItemCounts& items) override {
        heard_.counts.push_back(items);
    }

  private:
    Heard& heard_;
};

}  // namespace

TEST_CASE("a client hears success only when every hold is stored") {
    Heard heard;
    auto* ticket = new Ticket(std::make_unique<RecordingResponder>(heard), nullptr, {});
    ticket->hold(2);
    ticket->settle(Settlement::stored);
    ticket->settle(Settlement::stored);
    CHECK(heard.outcomes.empty());
    ticket->settle(Settlement::stored);
    REQUIRE(heard.outcomes.size() == 1);
    CHECK(heard.outcomes[0].is_success);
}

TEST_CASE("the worst settlement decides and its first reason is told") {
    Heard heard;
    auto* ticket = new Ticket(std::make_unique<RecordingResponder>(heard), nullptr, {});
    ticket->hold(3);
    ticket->settle(Settlement::retry_later, "first");
    ticket->settle(Settlement::retry_later, "second");
    ticket->settle(Settlement::stored);
    ticket->settle(Settlement::stored);
    REQUIRE(heard.outcomes.size() == 1);
    CHECK_FALSE(heard.outcomes[0].is_success);
    CHECK(heard.outcomes[0].code == ErrorCode::unavailable);
    CHECK(heard.outcomes[0].message == "first");
}

TEST_CASE("an early failure is told once and keeps memory leased until the last hold") {
    Heard heard;
    RecordingObserver observer(heard);
    MemoryBudget budget(1000);
    Lease lease(budget);
    REQUIRE(lease.grow_to(100));
    auto* ticket =
        new Ticket(std::make_unique<RecordingResponder>(heard), &observer, std::move(lease));
    REQUIRE(ticket->set_counts({.received = 7}));
    ticket->fail({ErrorCode::unavailable, "late"}, 1);
    CHECK(budget.bytes_held() == 100);
    CHECK_FALSE(ticket->set_counts({.received = 7}));
    ticket->settle(Settlement::stored);
    CHECK(budget.bytes_held() == 0);
    REQUIRE(heard.outcomes.size() == 1);
    CHECK(heard.outcomes[0].message == "late");
    REQUIRE(heard.counts.size() == 1);
    CHECK(heard.counts[0].received == 7);
}

TEST_CASE("a reference outlives the request without its memory") {
    Heard heard;
    MemoryBudget budget(1000);
    Lease lease(budget);
    REQUIRE(lease.grow_to(100));
    auto* ticket =
        new Ticket(std::make_unique<RecordingResponder>(heard), nullptr, std::move(lease));
    ticket->ref();
    ticket->settle(Settlement::stored);
    CHECK(ticket->is_answered());
    CHECK(budget.bytes_held() == 0);
    ticket->unref();
}

TEST_CASE("holds may be settled from many threads and one answer is given") {
    for (int round = 0; round < 200; ++round) {
        Heard heard;
        auto* ticket = new Ticket(std::make_unique<RecordingResponder>(heard), nullptr, {});
        ticket->hold(4);
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([ticket, i] {
                ticket->settle(i == 2 ? Settlement::retry_later : Settlement::stored, "one");
            });
        }
        ticket->settle(Settlement::stored);
        for (std::thread& thread : threads)
            thread.join();
        REQUIRE(heard.outcomes.size() == 1);
        CHECK_FALSE(heard.outcomes[0].is_success);
    }
}
