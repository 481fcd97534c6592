// The line with a spool; without one: line_without_spool_test.cc.
#include "deliver/line.h"

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

#include "support/line_context.h"

using namespace spangate;              // NOLINT: a test
using namespace spangate::testing;     // NOLINT: a test
using namespace std::chrono_literals;  // NOLINT: a test

TEST_CASE("a line begins with the spool and goes direct when Kafka answers") {
    LineContext context;
    context.open();
    CHECK(context.line->state() == LineState::spooling);
    CHECK(context.line->refusal().reason.empty());
    context.run_until(LineState::direct);
    const auto [ticket, answer] = make_ticket();
    context.send(100, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(1);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    context.check_order("s1", 100);
    context.check_ledger();
}

TEST_CASE("before Kafka is reached records are stored in the spool, then delivered in order") {
    LineContext context;
    context.kafka.is_down = true;
    context.open();
    const auto [ticket, answer] = make_ticket();
    context.send(50, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(1);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    CHECK(context.line->ledger().spooled() == 50);
    context.kafka.is_down = false;
    context.run_until(LineState::direct);
    context.send(10);
    context.run();
    context.check_order("s1", 60);
    CHECK(context.line->ledger().spooled() == 0);
    context.check_ledger();
}

TEST_CASE("at four fifths of ack_timeout what is open goes to the spool, whatever a purge says") {
    LineContext context;
    context.open_direct();
    context.kafka.is_down = true;
    context.kafka.persisted_early = 7;  // in the log, and reported as purged
    const auto [ticket, answer] = make_ticket();
    context.send(30, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(39);
    CHECK(context.line->state() == LineState::direct);
    CHECK(answer->answers() == 0);
    context.run(4);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    CHECK(context.line->state() == LineState::spooling);
    context.send(5);
    context.kafka.is_down = false;
    context.kafka.persisted_early = 0;
    context.run_until(LineState::direct);
    context.send(5);
    context.run();
    context.check_order("s1", 40);
    CHECK(context.kafka.log.size() == 47);  // seven twice
    context.check_ledger();
}

TEST_CASE("one partition without a leader is seen while the others go on") {
    LineContext context;
    context.open_direct();
    context.kafka.stuck_keys = {"stuck"};
    context.send(1, "stuck");
    for (int i = 0; i < 60 && context.line->state() == LineState::direct; ++i) {
        context.send(1, "moving");
        context.run(1);
    }
    CHECK(context.entered(LineState::collecting) == 1);
    context.kafka.stuck_keys.clear();
    context.run_until(LineState::direct);
    context.send(1, "stuck");
    context.run();
    context.check_order("stuck", 2);
    context.check_order("moving", context.seqs["moving"]);
    context.check_ledger();
}

TEST_CASE("a fatal error of the client costs a new producer and no order") {
    LineContext context;
    context.open_direct();
    context.kafka.is_down = true;
    context.send(40);
    context.break_producer();
    context.send(40);
    context.kafka.is_down = false;
    context.run(1);
    context.send(40);
    context.run();
    CHECK(context.line->state() == LineState::direct);
    CHECK(context.count("spangate_deliver_producer_rebuilds_total") == 1);
    context.check_order("s1", 120);
    context.check_ledger();
}

TEST_CASE("a full client queue diverts to the spool without overtaking") {
    LineContext context;
    context.open_direct();
    context.kafka.queue_max = 20;
    context.send(100);
    context.run(50);
    context.check_order("s1", 100);
    context.check_ledger();
}

TEST_CASE("a refusal that an operator can heal is waited out in the spool") {
    LineContext context;
    context.open_direct();
    context.kafka.refuses = [](const KeptRecord&) {
        return RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    };
    const auto [ticket, answer] = make_ticket();
    context.send(25, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(3);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    CHECK(context.line->ledger().spooled() == 25);
    // Probes see the topic, records are refused all the same: the wait between two tries grows.
    const std::size_t before = context.kafka.produced;
    context.run(600);
    CHECK(context.kafka.produced - before < 25 * 10);
    context.kafka.refuses = nullptr;
    context.run_until_drained();
    context.check_order("s1", 25);
    context.check_ledger();
}

TEST_CASE("what came while our clock was ahead waits in the spool until the clock is right") {
    LineContext context;
    context.open_direct();
    const std::int64_t broker_ms = context.clock.wall_nanos() / 1'000'000;
    context.kafka.refuses = [&](const KeptRecord& record) {
        const bool is_future = record.timestamp_ms > broker_ms + 3'600'000;
        return is_future ? RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP : RD_KAFKA_RESP_ERR_NO_ERROR;
    };
    const auto [ticket, answer] = make_ticket();
    OutboundRecord* early = context.make("s1", ticket);
    early->timestamp_ms = broker_ms + 7'200'000;
    context.send_one(early);
    context.send(5, "s1", ticket);
    ticket->settle(Settlement::stored);
    // Our clock was put right before this: only the record remembers.
    context.run(100);
    CHECK(answer->outcome.is_success);
    context.run_until_drained();
    context.check_order("s1", 6);
    CHECK(context.desk.letters.empty());
    context.check_ledger();
}

TEST_CASE("one poison record of a batch is dead-lettered and the others pass in order") {
    LineContext context;
    context.open_direct();
    context.kafka.record_bytes_max = 200'000;
    context.kafka.refuses = [](const KeptRecord& record) {
        return record.seq == 15 ? RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE : 0;
    };
    const auto [ticket, answer] = make_ticket();
    context.send(40, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(9);  // within a second
    REQUIRE(context.desk.letters.size() == 1);
    CHECK(context.desk.letters[0] == std::pair(std::uint64_t{15}, WithdrawalReason::too_large));
    CHECK(context.line->state() == LineState::direct);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::invalid_argument);
    CHECK(context.gaps.has_pending());
    CHECK(context.kafka.last_wish.batch_bytes_max == 187'500);  // below what the topic takes
    CHECK_FALSE(context.kafka.last_wish.is_one_by_one);
    const auto seqs = context.kafka.first_appearances("s1");
    CHECK(seqs.size() == 39);
    CHECK(std::is_sorted(seqs.begin(), seqs.end()));
    context.check_ledger();
}

TEST_CASE("a poison record in the spool is acknowledged there only when its letter is stored") {
    LineContext context;
    context.kafka.is_down = true;
    context.desk.stores = false;
    context.kafka.refuses = [](const KeptRecord& record) {
        return record.seq == 15 ? RD_KAFKA_RESP_ERR_INVALID_RECORD : 0;
    };
    context.open();
    context.send(40);
    context.run(2);
    context.kafka.is_down = false;
    context.run(50);
    CHECK(context.line->ledger().spooled() == 1);
    CHECK(context.kafka.first_appearances("s1").size() == 39);
    context.desk.stores = true;
    context.run(30);
    CHECK(context.line->ledger().spooled() == 0);
    CHECK(context.desk.letters.size() > 1);
    CHECK(
        context.count(
            "spangate_deliver_dead_letters_total",
            {{"class", "operational"}, {"reason", "invalid_record"}}
        ) == 1
    );
    context.check_ledger();
}

TEST_CASE("a record above the client's own limit is dead-lettered alone") {
    LineContext context;
    context.open_direct();
    context.kafka.client_bytes_max = 1'000;
    const auto [ticket, answer] = make_ticket();
    context.send(3);
    context.send_one(context.make("s1", ticket, 2'000));
    context.send(3);
    ticket->settle(Settlement::stored);
    context.run(3);
    CHECK(answer->outcome.code == ErrorCode::invalid_argument);
    CHECK(context.desk.letters.size() == 1);
    CHECK(context.kafka.first_appearances("s1").size() == 6);
    CHECK(context.entered(LineState::collecting) == 0);
    context.check_ledger();
}

TEST_CASE("a direct record that fails while drained ones are open comes behind them") {
    LineContext context;
    context.kafka.is_down = true;
    context.open();
    context.send(20);
    context.run(2);
    context.send(1, "s2");
    context.run(2);
    context.kafka.is_down = false;
    context.kafka.stuck_keys = {"s1"};
    context.run_until(LineState::direct);  // handed over whole, of s1 nothing acknowledged
    context.send(20);
    context.run(45);
    CHECK(context.line->ledger().spooled() == 40);
    context.kafka.stuck_keys.clear();
    context.run_until_drained();
    context.check_order("s1", 40);
    context.check_ledger();
}

TEST_CASE("a full spool refuses, says when to come back, and drops nothing old") {
    LineContext context(true, 2 * 1024 * 1024);
    context.kafka.is_down = true;
    context.open();
    for (int i = 0; i < 3'000 && context.line->refusal().reason.empty(); ++i) {
        context.send_one(context.make("s1", nullptr, 2'000));
        context.run(1, 1ms);
    }
    CHECK(context.line->refusal().reason == "the spool is full");
    CHECK(context.line->refusal().retry_after_s >= 1);
    const std::int64_t kept = context.line->ledger().spooled();
    const auto [ticket, answer] = make_ticket();
    for (int i = 0; i < 200; ++i)
        context.send_one(context.make("s2", ticket, 2'000));
    ticket->settle(Settlement::stored);
    context.run(1);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK(context.line->ledger().spooled() >= kept);
    context.kafka.is_down = false;
    context.run_until_drained();
    CHECK(context.line->refusal().reason.empty());
    context.check_order("s1", static_cast<std::uint64_t>(kept));
    context.check_ledger();
}

TEST_CASE("after a failed fsync nothing of the round is acknowledged, and the next one may work") {
    LineContext context;
    context.kafka.is_down = true;
    context.open();
    context.send(5);
    context.run(1);
    context.files.break_operation("sync");
    const auto [ticket, answer] = make_ticket();
    context.send(5, "s2", ticket);
    ticket->settle(Settlement::stored);
    context.run(1);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK(context.line->refusal().reason == "the spool cannot be written");
    context.files.repair();
    context.run(11);
    CHECK(context.line->refusal().reason.empty());
    const auto [second, second_answer] = make_ticket();
    context.send(5, "s3", second);
    second->settle(Settlement::stored);
    context.run(1);
    CHECK(second_answer->outcome.is_success);
    context.kafka.is_down = false;
    context.run_until_drained();
    context.check_order("s1", 5);
    context.check_order("s3", 5);
    context.check_ledger();
}

TEST_CASE("a rotation waits for what is open and sends what came meanwhile in order") {
    LineContext context;
    context.open_direct();
    context.kafka.is_down = true;
    context.send(10);
    context.line->rotate(std::make_unique<FakeSource>(context.kafka));
    context.run(3);
    CHECK(context.line->state() == LineState::collecting);
    context.send(10);
    context.kafka.is_down = false;
    context.run(3);
    CHECK(context.line->state() == LineState::direct);
    CHECK(context.kafka.opened == 2);
    CHECK(context.kafka.log.size() == 20);  // none twice
    context.check_order("s1", 20);
    context.check_ledger();
}

TEST_CASE("ack: spool never sends directly and delivers all the same") {
    LineContext context;
    context.settings.is_always_spooled = true;
    context.open();
    context.run_until(LineState::draining);
    const auto [ticket, answer] = make_ticket();
    context.send(50, "s1", ticket);
    ticket->settle(Settlement::stored);
    context.run(1);
    CHECK(answer->outcome.is_success);
    context.run(5);
    CHECK(context.entered(LineState::direct) == 0);
    context.check_order("s1", 50);
    context.check_ledger();
}

TEST_CASE("a line that stops leaves on disk what Kafka did not take, and the next one delivers it"
) {
    const auto state = GENERATE(
        LineState::direct, LineState::collecting, LineState::spooling, LineState::draining
    );
    LineContext context;
    context.kafka.is_down = state == LineState::spooling;
    context.open();
    if (state == LineState::draining) {
        context.settings.is_always_spooled = true;
        context.open();
    }
    if (state != LineState::spooling) {
        context.run_until(state == LineState::draining ? state : LineState::direct);
    }
    context.kafka.is_down = true;
    const auto [ticket, answer] = make_ticket();
    context.send(60, "s1", ticket);
    ticket->settle(Settlement::stored);
    if (state == LineState::collecting) {
        context.line->rotate(std::make_unique<FakeSource>(context.kafka));
        context.run(2);
    }
    CHECK(context.line->state() == state);
    context.stop(10s);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    CHECK(context.line->ledger().spooled() == 60);
    context.check_ledger();

    context.line.reset();
    context.kafka.is_down = false;
    context.settings.is_always_spooled = false;
    context.open_direct();
    context.run();
    context.check_order("s1", 60);
    CHECK(context.line->ledger().spooled() == 0);
}
