// A line over a fake Kafka, a real log on a file system that can fail, and a clock that stands
// still, with the verbs that tests of it use. One thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "deliver/gap_book.h"
#include "deliver/line.h"
#include "support/fake_kafka.h"
#include "support/faulty_file_system.h"
#include "support/manual_clock.h"
#include "support/record_builder.h"
#include "support/temporary_directory.h"

namespace spangate::testing {

// Takes dead letters and answers as it is told.
class FakeDesk final : public DeadLetterDesk {
  public:
    bool stores = true;
    std::vector<std::pair<std::uint64_t, WithdrawalReason>> letters;  // seq, reason

    void take(
        const OutboundRecord& lost, WithdrawalReason reason, std::unique_ptr<Responder> receipt
    ) override {
        letters.emplace_back(lost.gateway_seq, reason);
        Outcome outcome;
        outcome.is_success = stores;
        receipt->respond(outcome);
    }
};

struct LineContext {
    static constexpr std::chrono::milliseconds ack_timeout{5'000};

    explicit LineContext(bool has_spool = true, std::uint64_t spool_bytes = 64 * 1024 * 1024)
        : space(spool_bytes),
          has_log(has_spool) {
        settings.ack_timeout = ack_timeout;
        settings.headroom_bytes = 64 * 1024;
    }

    ~LineContext() {
        if (line == nullptr || line->is_stopped()) return;
        stop(std::chrono::milliseconds(0));
    }

    Line& open() {
        std::unique_ptr<SpoolLog> log;
        if (has_log) {
            SpoolLogSettings made;
            made.directory = directory.path() + "/operational";
            made.seed = 1;
            auto opened = SpoolLog::open(made, files, space, metrics);
            REQUIRE(opened);
            log = std::move(*opened);
        }
        line = std::make_unique<Line>(
            settings,
            LineParts{
                LineTopics("agent.operational"),
                std::make_unique<FakeSource>(kafka),
                std::move(log),
                &space,
                has_desk ? &desk : nullptr,
                &gaps,
                nullptr,
                nullptr,
                pool,
                clock,
                metrics}
        );
        REQUIRE(line->open());
        return *line;
    }

    // Open, and Kafka has been found to take records.
    Line& open_direct() {
        open();
        run_until(LineState::direct);
        return *line;
    }

    // `count` steps, each of `each`.
    void run(int count = 10, std::chrono::milliseconds each = std::chrono::milliseconds(100)) {
        for (int i = 0; i < count; ++i) {
            line->step(Millis(0));
            clock.advance(each);
        }
    }

    void run_until(LineState state) {
        for (int i = 0; i < 2'000 && line->state() != state; ++i)
            run(1);
        INFO("state " << name_of(line->state()));
        REQUIRE(line->state() == state);
    }

    // Direct, and what the spool held is acknowledged.
    void run_until_drained() {
        for (int i = 0; i < 2'000; ++i) {
            run(1);
            if (line->state() == LineState::direct && line->ledger().spooled() == 0) return;
        }
        FAIL("not drained: " << name_of(line->state()));
    }

    // A record of `session` with the next number of it.
    OutboundRecord* make(
        const std::string& session = "s1", Ticket* ticket = nullptr, std::size_t padding = 0
    ) {
        builder.padding(padding);
        OutboundRecord* record = builder.make(session, "x", ticket);
        record->gateway_epoch = 1;
        record->gateway_seq = ++seqs[session];
        return record;
    }

    void send(int count, const std::string& session = "s1", Ticket* ticket = nullptr) {
        for (int i = 0; i < count; ++i) {
            OutboundRecord* record = make(session, ticket);
            line->send({&record, 1});
        }
    }

    void send_one(OutboundRecord* record) { line->send({&record, 1}); }

    void stop(std::chrono::milliseconds grace) {
        line->begin_stop(clock.steady() + grace);
        for (int i = 0; i < 2'000 && !line->is_stopped(); ++i)
            run(1);
        REQUIRE(line->is_stopped());
    }

    void break_producer() {
        line->with_producer([](Producer& producer) {
            static_cast<FakeProducer&>(producer).break_down();  // NOLINT: ours
        });
    }

    [[nodiscard]] std::uint64_t count(std::string_view name, Labels labels = {}) {
        return metrics.counter(name, "", labels).value();
    }

    [[nodiscard]] std::uint64_t entered(LineState state) {
        return count(
            "spangate_deliver_transitions_total", {{"class", "operational"}, {"to", name_of(state)}}
        );
    }

    // The ledger of the contract (§8), at rest.
    void check_ledger() {
        const Labels labels = {{"class", "operational"}, {"sink", "kafka"}};
        const auto in = count("spangate_records_accepted_total", labels) +
                        count("spangate_records_recovered_total", labels);
        const auto out = count("spangate_records_delivered_total", labels) +
                         count("spangate_records_dead_lettered_total", labels) +
                         count("spangate_records_withdrawn_total", labels) +
                         static_cast<std::uint64_t>(line->ledger().spooled());
        CHECK(line->ledger().in_flight() == 0);
        CHECK(in == out);
    }

    void check_order(const std::string& session, std::uint64_t last, std::uint64_t first = 1) {
        const std::vector<std::uint64_t> found = kafka.first_appearances(session);
        REQUIRE(found.size() == last - first + 1);
        for (std::size_t i = 0; i < found.size(); ++i)
            REQUIRE(found[i] == first + i);
    }

    TemporaryDirectory directory;
    FaultyFileSystem files;
    SpoolSpace space;
    SlabPool pool;
    ManualClock clock;
    Metrics metrics;
    GapBook gaps{metrics};
    FakeKafka kafka;
    FakeDesk desk;
    LineSettings settings;
    bool has_log;
    bool has_desk = true;
    std::map<std::string, std::uint64_t> seqs;
    RecordBuilder builder{pool};
    std::unique_ptr<Line> line;
};

}  // namespace spangate::testing
