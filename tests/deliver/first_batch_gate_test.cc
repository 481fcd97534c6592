#include "deliver/first_batch_gate.h"

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

#include "support/record_builder.h"

using namespace spangate;           // NOLINT: a test
using namespace spangate::testing;  // NOLINT: a test

namespace {

// What a gate gave to the client, by key; what the client answers.
struct GateContext {
    static constexpr std::int32_t partitions = 6;

    GateContext() = default;

    ~GateContext() {
        for (OutboundRecord* record : made)
            record->done();
    }

    GateContext(const GateContext&) = delete;
    GateContext& operator=(const GateContext&) = delete;

    [[nodiscard]] int produce(const std::string& key, std::uint64_t seq) {
        auto* record = builder.make(key);
        made.push_back(record);
        record->gateway_seq = seq;
        return gate.produce(*record);
    }

    void settle(const std::string& key, int code) {
        gate.settle(*sent_records.at(key), code, told);
    }

    [[nodiscard]] std::vector<std::uint64_t> told_seqs(int code) const {
        std::vector<std::uint64_t> seqs;
        for (const DeliveryReport& report : told) {
            if (report.code == code) seqs.push_back(report.record->gateway_seq);
        }
        return seqs;
    }

    using Seqs = std::vector<std::uint64_t>;

    SlabPool pool;
    RecordBuilder builder{pool};
    std::vector<OutboundRecord*> made;
    std::map<std::string, Seqs> sent;
    std::map<std::string, const OutboundRecord*> sent_records;
    std::vector<DeliveryReport> told;
    int answer = 0;
    std::int32_t count = partitions;  // as the partitioner hears; 0: it is not asked yet
    FirstBatchGate gate{[this](OutboundRecord& record) {
        if (answer != 0) return answer;
        if (count > 0) gate.meet(count);
        const std::string key(record.key);
        sent[key].push_back(record.gateway_seq);
        sent_records[key] = &record;
        return 0;
    }};
};

using Seqs = GateContext::Seqs;

}  // namespace

TEST_CASE("one record of a partition goes ahead; the others follow its acknowledgement in order") {
    GateContext context;
    for (std::uint64_t seq = 1; seq <= 3; ++seq)
        CHECK(context.produce("s1", seq) == 0);
    CHECK(context.sent["s1"] == Seqs{1});
    context.settle("s1", 0);
    CHECK(context.sent["s1"] == Seqs{1, 2, 3});
    CHECK(context.produce("s1", 4) == 0);
    CHECK(context.sent["s1"] == Seqs{1, 2, 3, 4});
    CHECK(context.told.empty());
}

TEST_CASE("partitions prove themselves each for itself") {
    GateContext context;
    for (int i = 0; i < 50; ++i) {
        for (std::uint64_t seq = 1; seq <= 2; ++seq)
            CHECK(context.produce("s" + std::to_string(i), seq) == 0);
    }
    std::size_t ahead = 0;
    for (const auto& [key, seqs] : context.sent)
        ahead += seqs.size();
    CHECK(ahead == GateContext::partitions);
    const auto first = context.sent;
    for (const auto& [key, seqs] : first)
        context.settle(key, 0);
    CHECK(context.sent.size() == 50);
    for (const auto& [key, seqs] : context.sent)
        CHECK(seqs == Seqs{1, 2});
}

TEST_CASE("while the number of partitions is unknown one record goes ahead for all") {
    GateContext context;
    context.count = 0;
    for (int i = 0; i < 20; ++i)
        CHECK(context.produce("s" + std::to_string(i), 1) == 0);
    CHECK(context.sent.size() == 1);
    // Metadata has come: one of each partition goes, and the first one's still waits.
    context.gate.meet(GateContext::partitions);
    context.gate.move_on(context.told);
    CHECK(context.sent.size() == GateContext::partitions);
    const auto first = context.sent;
    for (const auto& [key, seqs] : first)
        context.settle(key, 0);
    CHECK(context.sent.size() == 20);
    CHECK(context.told.empty());
}

TEST_CASE("after a record that is refused for itself the next one goes ahead alone") {
    GateContext context;
    for (std::uint64_t seq = 1; seq <= 4; ++seq)
        CHECK(context.produce("s1", seq) == 0);
    context.settle("s1", RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    CHECK(context.produce("s1", 5) == 0);
    CHECK(context.sent["s1"] == Seqs{1});
    context.gate.move_on(context.told);
    CHECK(context.sent["s1"] == Seqs{1, 2});
    context.settle("s1", 0);
    CHECK(context.sent["s1"] == Seqs{1, 2, 3, 4, 5});
}

TEST_CASE("what is held shares the fate of the record ahead, and nothing younger overtakes it") {
    GateContext context;
    const int code = RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    for (std::uint64_t seq = 1; seq <= 3; ++seq)
        CHECK(context.produce("s1", seq) == 0);
    context.settle("s1", code);
    CHECK(context.told_seqs(code) == Seqs{2, 3});
    CHECK(context.produce("s1", 4) == code);
    // The line has heard; what it lets come now may go.
    context.gate.move_on(context.told);
    CHECK(context.produce("s1", 5) == 0);
    CHECK(context.sent["s1"] == Seqs{1, 5});
}

TEST_CASE("a full queue keeps what is held, and what comes, until there is room") {
    GateContext context;
    for (std::uint64_t seq = 1; seq <= 3; ++seq)
        CHECK(context.produce("s1", seq) == 0);
    context.answer = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    context.settle("s1", 0);
    CHECK(context.produce("s1", 4) == 0);
    CHECK(context.sent["s1"] == Seqs{1});
    context.answer = 0;
    context.gate.move_on(context.told);
    CHECK(context.sent["s1"] == Seqs{1, 2, 3, 4});
    CHECK(context.told.empty());
}

TEST_CASE("a handle that breaks while records are held gives them up with its fault") {
    GateContext context;
    for (std::uint64_t seq = 1; seq <= 3; ++seq)
        CHECK(context.produce("s1", seq) == 0);
    context.answer = RD_KAFKA_RESP_ERR__FATAL;
    context.settle("s1", 0);
    CHECK(context.told_seqs(RD_KAFKA_RESP_ERR__FATAL) == Seqs{2, 3});
    CHECK(context.produce("s1", 4) == RD_KAFKA_RESP_ERR__FATAL);
}

TEST_CASE("a purge gives up what is held, also what has no partition yet") {
    GateContext context;
    context.count = GENERATE(0, 6);
    for (std::uint64_t seq = 1; seq <= 3; ++seq)
        CHECK(context.produce("s1", seq) == 0);
    context.gate.purge(context.told);
    CHECK(context.told_seqs(RD_KAFKA_RESP_ERR__PURGE_QUEUE) == Seqs{2, 3});
}

TEST_CASE("a refusal at the door is the producer's answer, and the next record tries again") {
    GateContext context;
    context.answer = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    CHECK(context.produce("s1", 1) == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    context.answer = 0;
    CHECK(context.produce("s1", 2) == 0);
    CHECK(context.sent["s1"] == Seqs{2});
}

TEST_CASE("added partitions have to prove themselves, the others stay proven") {
    GateContext context;
    CHECK(context.produce("s1", 1) == 0);
    context.settle("s1", 0);
    context.count = 64;
    context.gate.meet(context.count);
    std::size_t held = 0;
    for (int i = 0; i < 200; ++i) {
        const std::string key = "t" + std::to_string(i);
        CHECK(context.produce(key, 1) == 0);
        held += context.sent.contains(key) ? 0 : 1;
    }
    CHECK(held > 0);
    for (int round = 0; round < 200; ++round) {
        const auto sent = context.sent;
        for (const auto& [key, seqs] : sent)
            context.settle(key, 0);
        context.gate.move_on(context.told);
    }
    CHECK(context.sent.size() == 201);
    CHECK(context.told.empty());
}
