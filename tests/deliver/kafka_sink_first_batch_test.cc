// The mock broker looks at no sequence number of an idempotent producer, as a real one does of a
// producer it has not met on the partition.
#include <numeric>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "deliver/delivery.h"
#include "support/kafka_context.h"

using namespace spangate;              // NOLINT: a test
using namespace spangate::testing;     // NOLINT: a test
using namespace std::chrono_literals;  // NOLINT: a test

namespace {

constexpr std::int16_t produce_api = 0;

std::int32_t partition_of(const std::string& key) {
    return rd_kafka_msg_partitioner_murmur2_random(
        nullptr,
        key.data(),
        key.size(),
        static_cast<std::int32_t>(DevBroker::partitions_default),
        nullptr,
        nullptr
    );
}

// A session of another partition than s1's.
std::string other_session() {
    for (int i = 2;; ++i) {
        const std::string key = "s" + std::to_string(i);
        if (partition_of(key) != partition_of("s1")) return key;
    }
}

// The numbers of s1 as they first appear.
std::vector<std::uint64_t> appearances(const std::vector<ReadRecord>& records) {
    const std::string mark = "\"seq\":";
    std::vector<std::uint64_t> seqs;
    std::set<std::uint64_t> seen;
    for (const ReadRecord& record : records) {
        if (record.key != "s1") continue;
        const std::uint64_t seq =
            std::stoull(record.value.substr(record.value.find(mark) + mark.size()));
        if (seen.insert(seq).second) seqs.push_back(seq);
    }
    return seqs;
}

}  // namespace

TEST_CASE(
    "what is refused first on a partition is not overtaken by what came behind it", "[mock]"
) {
    KafkaContext kafka;
    kafka.has_spool = GENERATE(true, false);
    kafka.open_ready();
    if (kafka.has_spool) {
        REQUIRE(eventually([&] {
            return kafka.metrics.gauge(
                                    "spangate_deliver_state", "", {{"class", "operational"}}
                   ).value() == static_cast<std::int64_t>(LineState::direct);
        }));
    }
    Delivery delivery({}, {kafka.sink.get()}, kafka.gaps, nullptr, kafka.clock, kafka.metrics);
    // So that the client knows topic and partitions, and has its producer id.
    const auto [first, first_answer] = make_ticket();
    std::vector<OutboundRecord*> other = {kafka.builder.make(other_session(), "x", first)};
    delivery.deliver({other});
    first->settle(Settlement::stored);
    REQUIRE(eventually([&] { return first_answer->answers() == 1; }));
    rd_kafka_mock_broker_set_rtt(kafka.broker->cluster(), KafkaContext::broker_id, 200);
    rd_kafka_mock_push_request_errors(
        kafka.broker->cluster(), produce_api, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
    );
    const auto [ticket, answer] = make_ticket();
    for (int burst = 0; burst < 3; ++burst) {  // each a request, all in flight together
        std::vector<OutboundRecord*> batch;
        for (int i = 0; i < 10; ++i)
            batch.push_back(kafka.builder.make("s1", "x", ticket));
        delivery.deliver({batch});
        std::this_thread::sleep_for(30ms);
    }
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }, 15s));
    CHECK(answer->outcome.is_success);
    std::vector<std::uint64_t> expected(30);
    std::iota(expected.begin(), expected.end(), 1);
    CHECK(appearances(kafka.read_all()) == expected);
}
