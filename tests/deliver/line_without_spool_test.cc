// The line without a spool: it refuses instead, and gives back what Kafka does not take.
#include <catch2/catch.hpp>

#include "support/line_context.h"

using namespace spangate;              // NOLINT: a test
using namespace spangate::testing;     // NOLINT: a test
using namespace std::chrono_literals;  // NOLINT: a test

TEST_CASE("without a spool a line refuses until Kafka is reached") {
    LineContext context(false);
    context.kafka.is_down = true;
    context.open();
    CHECK(context.line->refusal().reason == "Kafka has not been reached yet");
    const auto [ticket, answer] = make_ticket();
    context.send(3, "s1", ticket);
    ticket->settle(Settlement::stored);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK(context.gaps.has_pending());
    context.kafka.is_down = false;
    context.run_until(LineState::direct);
    CHECK(context.line->refusal().reason.empty());
    context.check_ledger();
}

TEST_CASE("without a spool a silent Kafka makes the line refuse before ack_timeout") {
    LineContext context(false);
    context.open_direct();
    context.kafka.is_down = true;
    context.send(3);
    context.run(46);
    CHECK(context.line->state() == LineState::direct);
    context.run(5);
    CHECK(context.line->state() == LineState::refusing);
    CHECK(context.line->refusal().reason.starts_with("Kafka has not acknowledged for"));
    context.kafka.is_down = false;  // and the client had not given up on them yet
    context.run_until(LineState::direct);
    context.run(1);
    context.check_order("s1", 3);
    context.check_ledger();
}

TEST_CASE("without a spool what a topic refuses goes back to its client, and the rest waits") {
    LineContext context(false);
    context.open_direct();
    context.kafka.refuses = [](const KeptRecord&) {
        return RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    };
    const auto [ticket, answer] = make_ticket();
    context.send(25, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(200);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    context.kafka.refuses = nullptr;
    context.run_until(LineState::direct);
    context.run();
    context.check_ledger();
}

TEST_CASE("without a spool a broken client is replaced, at most a few times in a row") {
    LineContext context(false);
    context.open_direct();
    context.kafka.is_down = true;
    const auto [ticket, answer] = make_ticket();
    context.send(20, "s1", ticket);
    ticket->settle(Settlement::stored);
    for (std::uint32_t i = 0; i <= Line::rebuilds_max; ++i) {
        CHECK(answer->answers() == 0);
        context.break_producer();
        context.run(3, 10ms);
    }
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK(context.line->state() == LineState::refusing);
    context.kafka.is_down = false;
    context.run_until(LineState::direct);
    context.send(5);
    context.run();
    context.check_order("s1", 25, 21);
    context.check_ledger();
}

TEST_CASE("without a spool a poison record is split off just the same") {
    LineContext context(false);
    context.has_desk = GENERATE(true, false);
    context.open_direct();
    context.kafka.refuses = [](const KeptRecord& record) {
        return record.seq == 15 || record.seq == 18 ? RD_KAFKA_RESP_ERR_INVALID_RECORD : 0;
    };
    const auto [ticket, answer] = make_ticket();
    context.send(40, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(9);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::invalid_argument);
    CHECK(context.desk.letters.size() == (context.has_desk ? 2 : 0));
    const auto found = context.kafka.first_appearances("s1");
    CHECK(found.size() == 38);
    CHECK(std::is_sorted(found.begin(), found.end()));
    CHECK(context.line->state() == LineState::direct);
    context.check_ledger();
}

TEST_CASE("without a spool a full client queue is told and nothing is kept") {
    LineContext context(false);
    context.open_direct();
    context.kafka.queue_max = 20;
    const auto [ticket, answer] = make_ticket();
    context.send(50, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(2);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK(answer->outcome.message == "the Kafka producer's queue is full");
    context.check_ledger();
}

TEST_CASE("without a spool a stopping line gives back what Kafka does not take in time") {
    LineContext context(false);
    context.open_direct();
    context.kafka.is_down = true;
    const auto [ticket, answer] = make_ticket();
    context.send(20, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.stop(300ms);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.message == "the gateway stopped before Kafka acknowledged");
    context.check_ledger();
}

TEST_CASE("a line that opens late makes its producer with the first record") {
    LineContext context(GENERATE(true, false));
    context.settings.opens_late = true;
    context.open();
    context.run(20);
    CHECK(context.kafka.opened == 0);
    const auto [ticket, answer] = make_ticket();
    context.send(2, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(20);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    context.check_order("s1", 2);
    context.check_ledger();
}
