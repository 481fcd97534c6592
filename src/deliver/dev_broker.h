// A toy for trying things out: librdkafka's mock cluster in this process. It speaks Kafka's
// protocol on a loopback port of its own choice, keeps only the newest data (some MiB a partition)
// in memory, and forgets all at the end. No admin requests, no time offsets. Whoever starts it says
// so.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

struct rd_kafka_s;
struct rd_kafka_mock_cluster_s;

namespace spangate {

class DevBroker {
  public:
    static constexpr std::uint32_t partitions_default = 6;

    // One broker with `topics`, each of `partitions` partitions.
    [[nodiscard]] static Result<std::unique_ptr<DevBroker>> start(
        std::span<const std::string> topics, std::uint32_t partitions = partitions_default
    );

    ~DevBroker();
    DevBroker(const DevBroker&) = delete;
    DevBroker& operator=(const DevBroker&) = delete;

    // host:port, for exporters.kafka.brokers and for any Kafka client.
    [[nodiscard]] std::string bootstrap() const;

    // librdkafka's own handle, for tests that inject faults.
    [[nodiscard]] rd_kafka_mock_cluster_s* cluster() const { return cluster_; }

  private:
    DevBroker(rd_kafka_s* client, rd_kafka_mock_cluster_s* cluster)
        : client_(client),
          cluster_(cluster) {}

    rd_kafka_s* client_;  // owns the cluster
    rd_kafka_mock_cluster_s* cluster_;
};

}  // namespace spangate
