// librdkafka clients of the guard, and what they share. Included by this room's .cc files alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"

namespace spangate {

struct DestroyGuardConf {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};

struct DestroyGuardClient {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};

struct DestroyGuardPartitions {
    void operator()(rd_kafka_topic_partition_list_t* list) const {
        rd_kafka_topic_partition_list_destroy(list);
    }
};

struct DestroyGuardMessage {
    void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};

using GuardKafkaConf = std::unique_ptr<rd_kafka_conf_t, DestroyGuardConf>;
using GuardKafkaClient = std::unique_ptr<rd_kafka_t, DestroyGuardClient>;
using GuardPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyGuardPartitions>;
using GuardMessage = std::unique_ptr<rd_kafka_message_t, DestroyGuardMessage>;

using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// Brokers, TLS and SASL of `config`, and `more` on top.
[[nodiscard]] Result<GuardKafkaConf> guard_kafka_conf(
    const KafkaConfig& config, const KafkaProperties& more
);

// `conf` is used up.
[[nodiscard]] Result<GuardKafkaClient> open_guard_client(GuardKafkaConf conf, rd_kafka_type_t type);

// A consumer that joins no group, of `count` partitions of a topic, from their beginnings.
[[nodiscard]] Result<GuardKafkaClient> open_topic_reader(
    const KafkaConfig& config, const std::string& topic, std::int32_t first, std::int32_t count
);

struct TopicSize {
    std::int32_t partitions = 0;
    std::int32_t replicas = 0;  // of the first partition
};

// Waits for the brokers' metadata. not_found: there is no such topic.
[[nodiscard]] Result<TopicSize> topic_size(rd_kafka_t* client, const std::string& topic);

// Compacted, for the state of the guards. Says nothing when it exists meanwhile.
[[nodiscard]] Status create_state_topic(
    rd_kafka_t* client, const std::string& topic, TopicSize size
);

// The operational topics of all tenants.
[[nodiscard]] std::vector<std::string> operational_topics(const KafkaConfig& config);

[[nodiscard]] ErrorCode error_code_of(rd_kafka_resp_err_t error);

// «cannot <tried>: …».
[[nodiscard]] tl::unexpected<Error> guard_kafka_failure(
    const std::string& tried, rd_kafka_resp_err_t error
);

// 0: the record has none.
[[nodiscard]] WallNanos record_time(const rd_kafka_message_t& message);

}  // namespace spangate
