// librdkafka consumers for reading: no group is joined, nothing is committed. Included by this
// room's .cc files alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <librdkafka/rdkafka.h>

#include "base/clock.h"
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

// Reads all partitions of a topic from `offset` on; how many there are. Waits for the brokers'
// metadata.
[[nodiscard]] Result<std::int32_t> assign_topic(
    rd_kafka_t* handle, const std::string& name, std::int64_t offset
);

// A key's or value's bytes; none is empty.
[[nodiscard]] inline std::string_view kafka_text(const void* bytes, std::size_t size) {
    return bytes == nullptr ? std::string_view()
                            : std::string_view(static_cast<const char*>(bytes), size);
}

// 0: the record has none.
[[nodiscard]] inline WallNanos kafka_timestamp(const rd_kafka_message_t& message) {
    constexpr WallNanos nanos_per_ms = 1'000'000;
    const std::int64_t at_ms = rd_kafka_message_timestamp(&message, nullptr);
    return at_ms < 0 ? 0 : at_ms * nanos_per_ms;
}

// «cannot <tried>: …», with the code that tells whether it may succeed later.
[[nodiscard]] tl::unexpected<Error> kafka_failure(
    const std::string& tried, rd_kafka_resp_err_t error
);

}  // namespace spangate
