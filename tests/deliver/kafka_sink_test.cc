#include "deliver/kafka_sink.h"

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

std::uint64_t seq_in(const std::string& value) {
    const std::string mark = "\"seq\":";
    return std::stoull(value.substr(value.find(mark) + mark.size()));
}

// Session → its numbers as they first appear in the log; repeats are left out.
std::map<std::string, std::vector<std::uint64_t>> first_appearances(
    const std::vector<ReadRecord>& records
) {
    std::map<std::string, std::vector<std::uint64_t>> order;
    std::set<std::pair<std::string, std::uint64_t>> seen;
    for (const ReadRecord& record : records) {
        const std::uint64_t seq = seq_in(record.value);
        if (seen.emplace(record.key, seq).second) order[record.key].push_back(seq);
    }
    return order;
}

void check_unbroken(const std::vector<std::uint64_t>& seqs, std::size_t count) {
    REQUIRE(seqs.size() == count);
    for (std::size_t i = 0; i < count; ++i)
        REQUIRE(seqs[i] == i + 1);
}

SteadyTime in(std::chrono::milliseconds wait) {
    return std::chrono::steady_clock::now() + wait;
}

}  // namespace

TEST_CASE(
    "a session's records stand in one partition number of each topic, whole and stamped", "[mock]"
) {
    KafkaContext kafka;
    kafka.open_ready();
    const auto [ticket, answer] = make_ticket();
    for (const EventClass event_class :
         {EventClass::operational, EventClass::detail, EventClass::evidence}) {
        auto* record = kafka.builder.event_class(event_class).make("session-1", "hello", ticket);
        kafka.send({record});
    }
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }));
    CHECK(answer->outcome.is_success);

    std::set<std::int32_t> partitions;
    for (const char* topic : {"agent.operational", "agent.detail", "agent.evidence"}) {
        const auto records = kafka.read(1, topic);
        REQUIRE(records.size() == 1);
        partitions.insert(records[0].partition);
        CHECK(records[0].key == "session-1");
        CHECK(records[0].value.starts_with("{\"body\":\"hello\""));
        CHECK(records[0].timestamp_ms == 1'790'000'000'000);
        CHECK(records[0].headers.size() == 2);
        CHECK(records[0].headers.at("event_type") == "inference");
        CHECK(records[0].headers.at("event_id").size() == 32);
    }
    CHECK(partitions.size() == 1);
}

TEST_CASE("headers are none or full as configured", "[mock]") {
    KafkaConfig config;
    config.headers = GENERATE("none", "full");
    KafkaContext kafka(10s, config);
    kafka.open_ready();
    const std::string traceparent = "00-0123-4567-01";
    kafka.send({kafka.builder.tenant("acme").traceparent(traceparent).make("s")});
    const auto records = kafka.read(1);
    REQUIRE(records.size() == 1);
    const auto& headers = records[0].headers;
    if (config.headers == "none") {
        CHECK(headers.empty());
        return;
    }
    CHECK(headers.size() == 7);
    CHECK(headers.at("event_class") == "operational");
    CHECK(headers.at("schema_version") == "1");
    CHECK(headers.at("tenant_id") == "acme");
    CHECK(headers.at("content_type") == "application/json");
    CHECK(headers.at("traceparent") == traceparent);
}

TEST_CASE("a sink that never reached Kafka refuses and says so", "[mock]") {
    KafkaContext kafka;
    kafka.set_down();
    kafka.open();
    CHECK(kafka.sink->refusal().reason == "Kafka has not been reached yet");
    CHECK(kafka.health.not_ready().at("kafka") == "Kafka has not been reached yet");
    kafka.set_up();
    CHECK(eventually([&] { return kafka.sink->refusal().reason.empty(); }));
    CHECK(eventually([&] { return kafka.health.not_ready().empty(); }));
}

TEST_CASE("a missing topic is named in the refusal", "[mock]") {
    KafkaConfig config;
    config.topics.detail = "not.there";
    KafkaContext kafka(10s, config);
    kafka.open();
    CHECK(eventually([&] {
        return kafka.sink->refusal().reason.find("no topic not.there") != std::string_view::npos;
    }));
}

TEST_CASE("a record that is too large is rejected and the limit is named", "[mock]") {
    KafkaContext kafka;
    kafka.open_ready();
    const auto [ticket, answer] = make_ticket();
    auto* record = kafka.builder.padding(record_bytes_max).make("s1", "big", ticket);
    record->gateway_seq = 1;
    kafka.send({record});
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }));
    CHECK(answer->outcome.code == ErrorCode::invalid_argument);
    CHECK(answer->outcome.message.find("1048000") != std::string::npos);
    CHECK(kafka.gaps.has_pending());
}

TEST_CASE("a tenant without a topic is rejected, never sent to another's", "[mock]") {
    KafkaConfig config;
    config.topics.operational = "agent.{tenant}";
    config.tenants = {"operational"};  // so that the mock has the topic
    KafkaContext kafka(10s, config);
    kafka.open_ready();
    const auto [ticket, answer] = make_ticket();
    kafka.send({kafka.builder.tenant("stranger").make("s1", "x", ticket)});
    ticket->settle(Settlement::stored);
    CHECK(answer->outcome.code == ErrorCode::invalid_argument);
    CHECK(
        kafka.count(
            "spangate_deliver_withdrawals_total", {{"sink", "kafka"}, {"reason", "no_topic"}}
        ) == 1
    );
}

TEST_CASE(
    "after the first expiry new records are refused at once, until a probe passes", "[mock]"
) {
    KafkaContext kafka(500ms);
    kafka.open_ready();
    kafka.set_down();
    const auto [first, first_answer] = make_ticket();
    auto* expiring = kafka.builder.make("s1", "a", first);
    expiring->gateway_seq = 1;
    kafka.send({expiring});
    first->settle(Settlement::stored);
    REQUIRE(eventually([&] { return first_answer->answers() == 1; }));
    CHECK(first_answer->outcome.code == ErrorCode::unavailable);
    CHECK(first_answer->outcome.message == "Kafka did not acknowledge in time");
    CHECK(first_answer->outcome.retry_after_s >= 1);
    CHECK(kafka.sink->refusal().reason.starts_with("Kafka has not acknowledged for"));
    CHECK_FALSE(kafka.health.not_ready().empty());
    CHECK(kafka.gaps.has_pending());

    const auto [second, second_answer] = make_ticket();
    kafka.send({kafka.builder.make("s1", "b", second)});
    second->settle(Settlement::stored);
    CHECK(second_answer->answers() == 1);
    CHECK(second_answer->outcome.code == ErrorCode::unavailable);

    kafka.set_up();
    REQUIRE(eventually([&] { return kafka.sink->refusal().reason.empty(); }));
    const auto [third, third_answer] = make_ticket();
    kafka.send({kafka.builder.make("s1", "c", third)});
    third->settle(Settlement::stored);
    REQUIRE(eventually([&] { return third_answer->answers() == 1; }));
    CHECK(third_answer->outcome.is_success);
    CHECK(kafka.count("spangate_deliver_circuit_opened_total") == 1);
}

TEST_CASE("a fatal producer error loses nothing and reorders nothing", "[mock]") {
    KafkaContext kafka;
    kafka.open_ready();
    Delivery delivery({}, {kafka.sink.get()}, kafka.gaps, nullptr, kafka.clock, kafka.metrics);
    constexpr int sessions = 5;
    const auto [ticket, answer] = make_ticket();
    std::atomic<bool> drilled{false};
    std::vector<std::thread> threads;
    for (int lane = 0; lane < 4; ++lane) {
        threads.emplace_back([&, held = ticket] {
            RecordBuilder builder(kafka.pool);
            for (int round = 0; round < 2'000 && !drilled; ++round) {
                std::vector<OutboundRecord*> batch;
                for (int s = 0; s < sessions; ++s)
                    batch.push_back(builder.make("s" + std::to_string(s), "x", held));
                delivery.deliver({batch});
                std::this_thread::yield();
            }
        });
    }
    bool is_rebuilt = true;
    const auto events_sent = [&] {
        return kafka.count("spangate_deliver_events_total");
    };
    CHECK(eventually([&] { return events_sent() > 100; }));  // so that something is open
    for (std::uint64_t drills = 1; drills <= 3; ++drills) {
        is_rebuilt =
            is_rebuilt && eventually([&] {
                kafka.sink->break_producer();  // nothing while the last one is being healed
                return kafka.count("spangate_deliver_producer_rebuilds_total") >= drills;
            });
    }
    drilled = true;
    for (std::thread& thread : threads)
        thread.join();
    CHECK(is_rebuilt);
    const std::uint64_t events = events_sent();
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }));
    CHECK(answer->outcome.is_success);

    CHECK(kafka.count("spangate_deliver_records_resent_total") > 0);
    const auto order = first_appearances(kafka.read_all());
    CHECK(order.size() == sessions);
    for (const auto& [session, seqs] : order)
        check_unbroken(seqs, events / sessions);
    CHECK_FALSE(kafka.gaps.has_pending());
}

TEST_CASE("records that wait for a dead broker survive a fatal error in order", "[mock]") {
    KafkaContext kafka(20s);
    kafka.open_ready();
    Delivery delivery({}, {kafka.sink.get()}, kafka.gaps, nullptr, kafka.clock, kafka.metrics);
    const auto [ticket, answer] = make_ticket();
    const auto deliver = [&, held = ticket](int count) {
        for (int i = 0; i < count; ++i) {
            std::vector<OutboundRecord*> batch = {kafka.builder.make("s1", "x", held)};
            delivery.deliver({batch});
        }
    };
    deliver(10);
    kafka.set_down();
    deliver(1'000);  // a part in flight, a part queued: purge reports them in two heaps
    kafka.sink->break_producer();
    deliver(200);
    REQUIRE(eventually([&] { return kafka.count("spangate_deliver_records_resent_total") > 0; }));
    deliver(10);
    kafka.set_up();
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }, 25s));
    CHECK(answer->outcome.is_success);
    check_unbroken(first_appearances(kafka.read_all()).at("s1"), 1'220);
}

TEST_CASE("a broker's sequence error breaks the producer and is healed", "[mock]") {
    KafkaContext kafka;
    kafka.open_ready();
    Delivery delivery({}, {kafka.sink.get()}, kafka.gaps, nullptr, kafka.clock, kafka.metrics);
    rd_kafka_mock_push_request_errors(
        kafka.broker->cluster(), produce_api, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER
    );
    const auto [ticket, answer] = make_ticket();
    std::vector<OutboundRecord*> batch;
    for (int i = 0; i < 20; ++i)
        batch.push_back(kafka.builder.make("s1", "x", ticket));
    delivery.deliver({batch});
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }));
    CHECK(answer->outcome.is_success);
    CHECK(kafka.count("spangate_deliver_producer_rebuilds_total") == 1);
    check_unbroken(first_appearances(kafka.read(20)).at("s1"), 20);
}

TEST_CASE("a producer that breaks again and again gives up and refuses", "[mock]") {
    KafkaContext kafka(60s);
    kafka.open_ready();
    kafka.set_down();
    const auto [ticket, answer] = make_ticket();
    kafka.send({kafka.builder.make("s1", "x", ticket)});
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] {
        kafka.sink->break_producer();
        return answer->answers() == 1;
    }));
    CHECK(kafka.count("spangate_deliver_producer_rebuilds_total") > Line::rebuilds_max);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK_FALSE(kafka.sink->refusal().reason.empty());
}

TEST_CASE("drain waits for what is under way", "[mock]") {
    KafkaContext kafka;
    kafka.open_ready();
    const auto [ticket, answer] = make_ticket();
    for (int i = 0; i < 500; ++i)
        kafka.send({kafka.builder.make("s" + std::to_string(i % 9), "x", ticket)});
    ticket->settle(Settlement::stored);
    kafka.sink->drain(in(10s));
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    kafka.builder.finish();
    CHECK(kafka.pool.bytes_out() == 0);
}

TEST_CASE("at the drain's deadline what is left is given back to its client", "[mock]") {
    KafkaContext kafka(60s);
    kafka.open_ready();
    kafka.set_down();
    const auto [ticket, answer] = make_ticket();
    for (int i = 0; i < 100; ++i)
        kafka.send({kafka.builder.make("s1", "x", ticket)});
    ticket->settle(Settlement::stored);
    kafka.sink->drain(in(300ms));
    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.code == ErrorCode::unavailable);
    CHECK(answer->outcome.message == "the gateway stopped before Kafka acknowledged");
    kafka.builder.finish();
    CHECK(kafka.pool.bytes_out() == 0);
    CHECK(
        kafka.count(
            "spangate_deliver_withdrawals_total", {{"sink", "kafka"}, {"reason", "shutdown"}}
        ) == 100
    );
}

TEST_CASE(
    "with a spool a dead broker costs no refusal, and the drained records stand in order", "[mock]"
) {
    KafkaContext kafka(1s);
    kafka.has_spool = true;
    kafka.open_ready();
    Delivery delivery({}, {kafka.sink.get()}, kafka.gaps, nullptr, kafka.clock, kafka.metrics);
    const auto [ticket, answer] = make_ticket();
    const auto deliver = [&, held = ticket](int count) {
        for (int i = 0; i < count; ++i) {
            std::vector<OutboundRecord*> batch = {kafka.builder.make("s1", "x", held)};
            delivery.deliver({batch});
        }
    };
    deliver(100);
    const Labels operational = {{"class", "operational"}, {"sink", "kafka"}};
    REQUIRE(eventually([&] {
        return kafka.count("spangate_records_delivered_total", operational) == 100;
    }));
    kafka.set_down();
    deliver(300);
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }, 5s));
    CHECK(answer->outcome.is_success);
    CHECK(kafka.sink->refusal().reason.empty());
    CHECK(kafka.health.not_ready().empty());
    const auto [second, second_answer] = make_ticket();
    std::vector<OutboundRecord*> batch = {kafka.builder.make("s1", "x", second)};
    delivery.deliver({batch});
    second->settle(Settlement::stored);
    REQUIRE(eventually([&] { return second_answer->answers() == 1; }, 2s));
    CHECK(second_answer->outcome.is_success);
    kafka.set_up();
    kafka.sink->drain(in(20s));
    check_unbroken(first_appearances(kafka.read_all()).at("s1"), 401);
    kafka.builder.finish();
    CHECK(kafka.pool.bytes_out() == 0);
}

TEST_CASE("a rotation under load loses and repeats nothing", "[mock]") {
    KafkaContext kafka;
    kafka.has_spool = GENERATE(true, false);
    kafka.open_ready();
    Delivery delivery({}, {kafka.sink.get()}, kafka.gaps, nullptr, kafka.clock, kafka.metrics);
    const auto [ticket, answer] = make_ticket();
    std::atomic<bool> is_done{false};
    std::thread lane([&, held = ticket] {
        RecordBuilder builder(kafka.pool);
        // The mock broker keeps 100,000 records of a partition.
        for (int sent = 0; !is_done && sent < 80'000; ++sent) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
            std::vector<OutboundRecord*> batch = {builder.make("s1", "x", held)};
            delivery.deliver({batch});
        }
    });
    const Labels back = {{"class", "operational"}, {"to", "direct"}};
    for (std::uint64_t i = 0; i < 3; ++i) {
        const std::uint64_t before = kafka.count("spangate_deliver_transitions_total", back);
        CHECK(kafka.sink->rotate(kafka.settings.kafka));
        CHECK(eventually([&] {
            return kafka.count("spangate_deliver_transitions_total", back) > before;
        }));
    }
    KafkaConfig refused = kafka.settings.kafka;
    refused.tls.ca_file = "/nowhere";
    CHECK_FALSE(kafka.sink->rotate(refused));
    is_done = true;
    lane.join();
    const std::uint64_t events = kafka.count("spangate_deliver_events_total");
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }));
    CHECK(answer->outcome.is_success);
    const auto records = kafka.read_all();
    CHECK(records.size() == events);
    check_unbroken(first_appearances(records).at("s1"), events);
}
