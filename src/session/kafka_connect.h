// librdkafka consumers for reading: no group is joined, nothing is committed. Included by this
// room's .cc files alone.
#pragma once

#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>

#include "base/result.h"
#include "config/config.h"

namespace spangate {

struct DestroyKafkaHandle {
    void operator()(rd_kafka_t* handle) const {
        (void)rd_kafka_consumer_close(handle);
        rd_kafka_destroy(handle);
    }
};

struct DestroyKafkaPartitions {
    void operator()(rd_kafka_topic_partition_list_t* list) const {
        rd_kafka_topic_partition_list_destroy(list);
    }
};

struct DestroyKafkaMessage {
    void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};

using KafkaHandle = std::unique_ptr<rd_kafka_t, DestroyKafkaHandle>;
using KafkaPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyKafkaPartitions>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, DestroyKafkaMessage>;

// Does not wait for a broker.
[[nodiscard]] Result<KafkaHandle> connect_reader(const KafkaConfig& config);

// «cannot <tried>: …», with the code that tells whether it may succeed later.
[[nodiscard]] tl::unexpected<Error> kafka_failure(
    const std::string& tried, rd_kafka_resp_err_t error
);

}  // namespace spangate
