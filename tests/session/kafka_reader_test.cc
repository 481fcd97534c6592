// Over librdkafka's own mock cluster.
#include "session/kafka_reader.h"

#include <map>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace spangate {
namespace {

constexpr int partitions_count = 3;

class Cluster {
  public:
    Cluster() {
        std::array<char, 256> fault{};
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", fault.data(), fault.size());
        rd_kafka_conf_set(conf, "partitioner", "murmur2_random", fault.data(), fault.size());
        rd_kafka_conf_set(conf, "log_level", "0", fault.data(), fault.size());
        producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, fault.data(), fault.size());
        REQUIRE(producer_ != nullptr);
        rd_kafka_mock_cluster_t* cluster = rd_kafka_handle_mock_cluster(producer_);
        config.brokers = {rd_kafka_mock_cluster_bootstraps(cluster)};
        for (const std::string& topic : {config.topics.operational, config.topics.detail})
            rd_kafka_mock_topic_create(cluster, topic.c_str(), partitions_count, 1);
    }

    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    ~Cluster() { rd_kafka_destroy(producer_); }

    void produce(const std::string& topic, const std::string& key, const std::string& value) {
        rd_kafka_topic_t* handle = rd_kafka_topic_new(producer_, topic.c_str(), nullptr);
        std::string copied = value;  // the interface takes bytes that it could own
        const int failed = rd_kafka_produce(
            handle,
            RD_KAFKA_PARTITION_UA,
            RD_KAFKA_MSG_F_COPY,
            copied.data(),
            copied.size(),
            key.data(),
            key.size(),
            nullptr
        );
        rd_kafka_topic_destroy(handle);
        REQUIRE(failed == 0);
        REQUIRE(rd_kafka_flush(producer_, 10'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    }

    // Every event, by value.
    [[nodiscard]] std::map<std::string, EventClass> read(EventQuery query) const {
        auto reader = KafkaReader::open(config, std::move(query));
        if (!reader) FAIL(reader.error().message);
        std::map<std::string, EventClass> events;
        StoredEvent event;
        while (true) {
            const Result<ReadState> state = (*reader)->next(event);
            if (!state) FAIL(state.error().message);
            if (*state == ReadState::end) return events;
            if (*state == ReadState::event) events.emplace(event.value, event.event_class);
        }
    }

    KafkaConfig config;

  private:
    rd_kafka_t* producer_ = nullptr;
};

}  // namespace

TEST_CASE("all partitions are read to the end, each class from its topic", "[mock]") {
    Cluster cluster;
    for (int i = 0; i < 9; ++i) {
        const std::string n = std::to_string(i);
        cluster.produce(cluster.config.topics.operational, "s-" + n, "{\"n\":" + n + "}");
    }
    cluster.produce(cluster.config.topics.detail, "s-0", "{\"detail\":1}");
    EventQuery query;
    query.classes = {EventClass::operational, EventClass::detail};
    const auto events = cluster.read(query);
    CHECK(events.size() == 10);
    CHECK(events.at("{\"n\":3}") == EventClass::operational);
    CHECK(events.at("{\"detail\":1}") == EventClass::detail);
}

TEST_CASE("one session is read from the partition where its producer put it", "[mock]") {
    Cluster cluster;
    for (int i = 0; i < 9; ++i) {
        const std::string n = std::to_string(i);
        cluster.produce(cluster.config.topics.operational, "s-" + n, "{\"n\":" + n + "}");
    }
    for (int i = 0; i < 9; ++i) {
        EventQuery query;
        query.session_id = "s-" + std::to_string(i);
        const auto events = cluster.read(query);
        REQUIRE(events.size() == 1);
        CHECK(events.begin()->first == "{\"n\":" + std::to_string(i) + "}");
    }
}

TEST_CASE(
    "since passes over older records, whether or not the broker can search by time", "[mock]"
) {
    Cluster cluster;
    cluster.produce(cluster.config.topics.operational, "s", "{\"old\":1}");
    EventQuery query;
    query.since = SystemClock().wall_nanos() + 3'600'000'000'000;
    CHECK(cluster.read(query).empty());
    query.since = 0;
    CHECK(cluster.read(query).size() == 1);
}

TEST_CASE("a follower gets what is produced after it began", "[mock]") {
    Cluster cluster;
    cluster.produce(cluster.config.topics.operational, "s", "{\"old\":1}");
    EventQuery query;
    query.follows = true;
    auto reader = KafkaReader::open(cluster.config, query);
    REQUIRE(reader.has_value());
    StoredEvent event;
    for (int i = 0; i < 20; ++i)
        REQUIRE((*reader)->next(event).value() == ReadState::nothing_yet);
    cluster.produce(cluster.config.topics.operational, "s", "{\"new\":1}");
    ReadState state = ReadState::nothing_yet;
    for (int i = 0; i < 100 && state == ReadState::nothing_yet; ++i)
        state = (*reader)->next(event).value();
    REQUIRE(state == ReadState::event);
    CHECK(event.value == "{\"new\":1}");
}

TEST_CASE("protobuf values are told apart from JSON", "[mock]") {
    Cluster cluster;
    cluster.produce(cluster.config.topics.operational, "s", "\x08\x01");
    EventQuery query;
    auto reader = KafkaReader::open(cluster.config, query);
    REQUIRE(reader.has_value());
    StoredEvent event;
    while ((*reader)->next(event).value() == ReadState::nothing_yet) {
    }
    CHECK_FALSE(event.is_json);
}

TEST_CASE("what librdkafka refuses is an error, and so is a missing topic", "[mock]") {
    KafkaConfig config;
    config.brokers = {"127.0.0.1:1"};
    config.sasl.mechanism = "NONSENSE";
    const auto refused = KafkaReader::open(config, {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::invalid_argument);

    Cluster cluster;
    EventQuery query;
    query.classes = {EventClass::evidence};
    const auto missing = KafkaReader::open(cluster.config, query);
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().message.find("agent.evidence") != std::string::npos);
}

}  // namespace spangate
