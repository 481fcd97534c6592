#include "deliver/delivery.h"

#include <thread>

#include <catch2/catch.hpp>

#include "support/fake_sink.h"
#include "support/manual_clock.h"
#include "support/record_builder.h"

using namespace spangate;           // NOLINT: a test
using namespace spangate::testing;  // NOLINT: a test

namespace {

// Writes a gap as a record whose body tells it.
class TellingGapWriter final : public GapWriter {
  public:
    explicit TellingGapWriter(SlabPool& pool) : builder_(pool) {}

    OutboundRecord* make_gap(const GapNotice& notice) override {
        if (!is_able) return nullptr;
        builder_.tenant(std::string(notice.session.tenant_id)).type(EventType::gateway_gap);
        const std::string body = "gap " + std::to_string(notice.seq_from) + "-" +
                                 std::to_string(notice.seq_to) + " " + std::string(notice.reason);
        return builder_.make(notice.session.session_id, body);
    }

    bool is_able = true;

  private:
    RecordBuilder builder_;
};

// One delivery room with one required fake sink.
struct Door {
    explicit Door(const DeliverySettings& settings = {}) : settings_(settings) {}

    void deliver(const std::vector<OutboundRecord*>& records) { delivery.deliver({records}); }

    [[nodiscard]] std::vector<std::string> gaps_told() {
        std::vector<std::string> told;
        for (const SentRecord& record : sink.sent()) {
            if (record.type != EventType::gateway_gap) continue;
            const std::size_t from = record.value.find("gap ");
            told.push_back(
                record.session + ": " +
                record.value.substr(from, record.value.find('"', from) - from)
            );
        }
        return told;
    }

    DeliverySettings settings_;
    SlabPool pool;
    ManualClock clock;
    Metrics metrics;
    GapBook gaps{metrics};
    TellingGapWriter gap_writer{pool};
    FakeSink sink{metrics, gaps};
    Delivery delivery{settings_, {&sink}, gaps, &gap_writer, clock, metrics};
    RecordBuilder builder{pool};
};

}  // namespace

TEST_CASE("each event of a session gets the next number and all its records the same") {
    Door door;
    auto* operational = door.builder.make("s1", "a");
    auto* detail = door.builder.event_class(EventClass::detail).starts_event(false).make("s1", "a");
    auto* next =
        door.builder.event_class(EventClass::operational).starts_event(true).make("s1", "b");
    auto* other = door.builder.make("s2", "c");

    door.deliver({operational, detail, next, other});

    const auto seqs = seqs_by_session(door.sink.sent());
    CHECK(seqs.at("s1") == std::vector<std::uint64_t>{1, 1, 2});
    CHECK(seqs.at("s2") == std::vector<std::uint64_t>{1});
}

TEST_CASE("a data key stands among the records of its session and takes no number") {
    Door door;
    auto* first = door.builder.make("s1", "a");
    auto* key = door.builder.event_class(EventClass::evidence).starts_event(false).make("k1", "k");
    key->is_evidence_key = true;
    key->session_hash = first->session_hash;
    auto* evidence = door.builder.make("s1", "a");
    auto* next =
        door.builder.event_class(EventClass::operational).starts_event(true).make("s1", "b");

    door.deliver({first, key, evidence, next});

    const auto seqs = seqs_by_session(door.sink.sent());
    CHECK(seqs.at("s1") == std::vector<std::uint64_t>{1, 1, 2});
    CHECK(seqs.at("k1") == std::vector<std::uint64_t>{0});
}

TEST_CASE("decimal slots hold thirteen digits and a number after blanks") {
    Door door;
    door.deliver({door.builder.make("s1")});
    const std::string value = door.sink.sent().front().value;
    CHECK(value == "{\"body\":\"x\",\"epoch\":1790000000000,\"seq\":                   1}");
}

TEST_CASE("binary slots hold both numbers in little endian") {
    Door door(DeliverySettings{SlotForm::fixed64, 100, 10});
    door.deliver({door.builder.fixed64_slots(true).make("s1")});
    const std::string value = door.sink.sent().front().value;
    const std::size_t epoch_at = value.find("\"epoch\":") + 8;
    const std::uint64_t epoch = 1'790'000'000'000;
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(static_cast<std::uint8_t>(value[epoch_at + i]) == ((epoch >> (8 * i)) & 0xff));
    }
    CHECK(value.substr(epoch_at + 8) == std::string(",\"seq\":\x01\0\0\0\0\0\0\0}", 16));
}

TEST_CASE("a forgotten session starts a new and later epoch") {
    Door door(DeliverySettings{SlotForm::decimal, 64, 10});  // one counter a stripe
    door.deliver({door.builder.make("s1"), door.builder.make("s1")});
    for (int i = 0; i < 2'000; ++i)
        door.deliver({door.builder.make("other" + std::to_string(i))});
    door.deliver({door.builder.make("s1")});

    const auto sent = door.sink.sent();
    CHECK(sent[1].seq == 2);
    CHECK(sent.back().seq == 1);
    CHECK(sent.back().epoch > sent[1].epoch);
}

TEST_CASE("sessions of two tenants with one id are counted apart") {
    Door door;
    door.deliver({door.builder.tenant("a").make("s"), door.builder.tenant("b").make("s")});
    CHECK(door.sink.sent()[0].seq == 1);
    CHECK(door.sink.sent()[1].seq == 1);
}

TEST_CASE("a ticket is answered once, after every required sink") {
    Metrics metrics;
    SlabPool pool;
    ManualClock clock;
    GapBook gaps(metrics);
    FakeSink first(metrics, gaps, true, "first");
    FakeSink second(metrics, gaps, true, "second");
    FakeSink optional(metrics, gaps, false, "optional");
    Delivery delivery({}, {&first, &second, &optional}, gaps, nullptr, clock, metrics);
    RecordBuilder builder(pool);
    const auto [ticket, answer] = make_ticket();
    first.keep(true);
    second.keep(true);
    optional.keep(true);

    std::vector<OutboundRecord*> records = {
        builder.make("s1", "a", ticket), builder.make("s1", "b", ticket)};
    delivery.deliver({records});
    ticket->settle(Settlement::stored);
    optional.withdraw_held();
    first.store_held();
    CHECK(answer->answers() == 0);
    second.store_held();

    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    builder.finish();
    CHECK(pool.bytes_out() == 0);
    CHECK_FALSE(gaps.has_pending());
}

TEST_CASE("what one required sink withdraws is told as a failure to retry") {
    Door door;
    const auto [ticket, answer] = make_ticket();
    door.sink.keep(true);
    door.deliver({door.builder.make("s1", "a", ticket)});
    ticket->settle(Settlement::stored);

    door.sink.withdraw_held();

    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK(answer->outcome.message == "the test said so");
    CHECK(answer->outcome.retry_after_s == 3);
}

TEST_CASE("without a required sink the ticket is settled at hand-over") {
    Metrics metrics;
    SlabPool pool;
    ManualClock clock;
    GapBook gaps(metrics);
    FakeSink optional(metrics, gaps, false);
    optional.keep(true);
    Delivery delivery({}, {&optional}, gaps, nullptr, clock, metrics);
    RecordBuilder builder(pool);
    const auto [ticket, answer] = make_ticket();
    std::vector<OutboundRecord*> records = {builder.make("s1", "a", ticket)};
    delivery.deliver({records});
    ticket->settle(Settlement::stored);
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
}

TEST_CASE("the refusal is that of the first required sink that refuses") {
    Metrics metrics;
    ManualClock clock;
    GapBook gaps(metrics);
    FakeSink optional(metrics, gaps, false, "optional");
    FakeSink required(metrics, gaps, true, "required");
    Delivery delivery({}, {&optional, &required}, gaps, nullptr, clock, metrics);
    optional.refuse("nobody waits for me");
    CHECK(delivery.refusal().reason.empty());
    required.refuse("full");
    CHECK(delivery.refusal().reason == "full");
}

TEST_CASE("withdrawn numbers are told by one gap event per hole") {
    Door door;
    door.sink.keep(true);
    door.deliver({door.builder.make("s1"), door.builder.make("s1"), door.builder.make("s1")});
    door.sink.withdraw_held();
    door.sink.keep(false);
    door.deliver({door.builder.make("s1")});

    door.delivery.tick();

    CHECK(door.gaps_told() == std::vector<std::string>{"s1: gap 1-3 not_acknowledged"});
    CHECK(seqs_by_session(door.sink.sent()).at("s1").back() == 5);
    CHECK_FALSE(door.gaps.has_pending());
    door.delivery.tick();
    CHECK(door.gaps_told().size() == 1);
}

TEST_CASE("no gap is written while a required sink refuses") {
    Door door;
    door.sink.keep(true);
    door.deliver({door.builder.make("s1")});
    door.sink.withdraw_held();
    door.sink.refuse("away");
    door.delivery.tick();
    CHECK(door.gaps_told().empty());
    door.sink.refuse("");
    door.sink.keep(false);
    door.delivery.tick();
    CHECK(door.gaps_told().size() == 1);
}

TEST_CASE("a gap event that is itself withdrawn is told again with its own number") {
    Door door;
    door.sink.keep(true);
    door.deliver({door.builder.make("s1")});
    door.sink.withdraw_held();
    door.delivery.tick();  // number 2
    door.sink.withdraw_held();
    door.sink.keep(false);

    door.delivery.tick();

    CHECK(door.gaps_told().back() == "s1: gap 1-2 not_acknowledged");
    CHECK_FALSE(door.gaps.has_pending());
}

TEST_CASE("a gap that cannot be made now stays for the next tick") {
    Door door;
    door.sink.keep(true);
    door.deliver({door.builder.make("s1")});
    door.sink.withdraw_held();
    door.sink.keep(false);
    door.gap_writer.is_able = false;
    door.delivery.tick();
    CHECK(door.gaps.has_pending());
    door.gap_writer.is_able = true;
    door.delivery.tick();
    CHECK(door.gaps_told() == std::vector<std::string>{"s1: gap 1-1 not_acknowledged"});
}

TEST_CASE("a session with an untold gap keeps its counter") {
    Door door(DeliverySettings{SlotForm::decimal, 128, 10});
    door.sink.keep(true);
    door.deliver({door.builder.make("s1")});
    door.sink.withdraw_held();
    door.sink.keep(false);
    for (int i = 0; i < 2'000; ++i)
        door.deliver({door.builder.make("other" + std::to_string(i))});
    door.delivery.tick();
    CHECK(door.gaps_told() == std::vector<std::string>{"s1: gap 1-1 not_acknowledged"});
    CHECK(door.sink.sent().back().seq == 2);
}

TEST_CASE("gaps above the book's limit are counted as lost") {
    Metrics metrics;
    SlabPool pool;
    GapBook book(metrics, 2);
    RecordBuilder builder(pool);
    for (std::uint64_t seq : {1, 3, 5}) {
        OutboundRecord* record = builder.make("s1");
        record->gateway_seq = seq;
        book.withdrawn(*record, WithdrawalReason::too_large);
        record->done();
    }
    CHECK(book.take(10).size() == 2);
    CHECK(metrics.counter("spangate_deliver_gaps_lost_total", "").value() == 1);
}

TEST_CASE("lanes at once keep each session's order and leave no hole") {
    Door door;
    constexpr int lanes = 4;
    constexpr int rounds = 400;
    constexpr int sessions = 7;
    std::vector<std::thread> threads;
    for (int lane = 0; lane < lanes; ++lane) {
        threads.emplace_back([&door] {
            RecordBuilder builder(door.pool);
            for (int round = 0; round < rounds; ++round) {
                std::vector<OutboundRecord*> batch;
                for (int s = 0; s < sessions; ++s) {
                    batch.push_back(builder.make("s" + std::to_string(s), "a"));
                    batch.push_back(builder.starts_event(false).make("s" + std::to_string(s), "d"));
                    builder.starts_event(true);
                }
                door.delivery.deliver({batch});
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();

    for (const auto& [session, seqs] : seqs_by_session(door.sink.sent())) {
        REQUIRE(seqs.size() == 2 * lanes * rounds);
        for (std::size_t i = 0; i < seqs.size(); ++i)
            REQUIRE(seqs[i] == i / 2 + 1);
    }
    door.builder.finish();
    CHECK(door.pool.bytes_out() == 0);
}

TEST_CASE("the ledger of a sink balances at rest") {
    Door door;
    door.sink.keep(true);
    door.deliver({door.builder.make("s1"), door.builder.make("s1")});
    door.sink.store_held();
    door.deliver({door.builder.make("s1")});
    CHECK(door.sink.ledger().in_flight() == 1);
    door.sink.withdraw_held();
    const Labels labels = {{"class", "operational"}, {"sink", "fake"}};
    CHECK(door.metrics.counter("spangate_records_accepted_total", "", labels).value() == 3);
    CHECK(door.metrics.counter("spangate_records_delivered_total", "", labels).value() == 2);
    CHECK(door.metrics.counter("spangate_records_withdrawn_total", "", labels).value() == 1);
    CHECK(door.sink.ledger().in_flight() == 0);
}
