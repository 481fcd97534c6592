// A Kafka sink over the mock cluster, with everything it needs.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/slab.h"
#include "deliver/dev_broker.h"
#include "deliver/gap_book.h"
#include "deliver/kafka_sink.h"
#include "observe/health.h"
#include "observe/metrics.h"
#include "support/eventually.h"
#include "support/record_builder.h"
#include "support/temporary_directory.h"
#include "support/topic_reader.h"

namespace spangate::testing {

struct KafkaContext {
    static constexpr std::int32_t broker_id = 1;

    explicit KafkaContext(
        std::chrono::milliseconds ack_timeout = std::chrono::seconds(10), KafkaConfig config = {}
    ) {
        const std::vector<std::string> topics = {
            "agent.operational", "agent.detail", "agent.evidence"};
        auto started = DevBroker::start(topics);
        REQUIRE(started);
        broker = std::move(*started);
        settings.kafka = std::move(config);
        settings.kafka.brokers = {broker->bootstrap()};
        settings.kafka.linger = Millis(5);
        settings.limits.ack_timeout = ack_timeout;
    }

    KafkaSink& open() {
        settings.asks_for_limits = false;  // the mock knows none
        SpoolLogs logs;
        KafkaSinkParts parts{pool, gaps, health, clock, metrics};
        parts.dead_letters = dead_letters;
        if (has_spool) {
            parts.space = &space;
            for (std::size_t i = 0; i < logs.size(); ++i)
                logs[i] = open_log(static_cast<SpoolLine>(i));
        }
        auto opened = KafkaSink::open(settings, std::move(logs), parts);
        REQUIRE(opened);
        sink = std::move(*opened);
        return *sink;
    }

    [[nodiscard]] std::unique_ptr<SpoolLog> open_log(SpoolLine line) {
        SpoolLogSettings made;
        made.line = line;
        made.directory = directory.path() + "/" + std::string(name_of(line));
        auto log = SpoolLog::open(made, files, space, metrics);
        REQUIRE(log);
        return std::move(*log);
    }

    // Open, and the first probe has passed.
    KafkaSink& open_ready() {
        open();
        REQUIRE(eventually([this] { return sink->refusal().reason.empty(); }));
        return *sink;
    }

    void set_down() { rd_kafka_mock_broker_set_down(broker->cluster(), broker_id); }

    void set_up() { rd_kafka_mock_broker_set_up(broker->cluster(), broker_id); }

    void send(const std::vector<OutboundRecord*>& records) const { sink->send(records); }

    [[nodiscard]] std::vector<ReadRecord> read(
        std::size_t count, const std::string& topic = "agent.operational"
    ) const {
        TopicReader reader(broker->bootstrap(), topic);
        return reader.read(count);
    }

    // With repeats, so that nobody knows how many.
    [[nodiscard]] std::vector<ReadRecord> read_all() const {
        TopicReader reader(broker->bootstrap(), "agent.operational");
        (void)reader.read(1);
        return reader.read(SIZE_MAX, std::chrono::milliseconds(1'000));
    }

    [[nodiscard]] std::uint64_t count(std::string_view name, Labels labels = {}) {
        return metrics.counter(name, "", labels).value();
    }

    TemporaryDirectory directory;
    PosixFileSystem files;
    SpoolSpace space{64 * mib};
    bool has_spool = false;
    DeadLetterWriter* dead_letters = nullptr;
    SlabPool pool;
    SystemClock clock;
    Metrics metrics;
    Health health;
    GapBook gaps{metrics};
    std::unique_ptr<DevBroker> broker;
    KafkaSinkSettings settings;
    std::unique_ptr<KafkaSink> sink;
    RecordBuilder builder{pool};
};

}  // namespace spangate::testing
