// KafkaConfig → librdkafka's configuration. What the guarantees rest on is set here and cannot be
// undone by the pass-through map; every refusal by librdkafka is reported with the property's name,
// never with a secret's value.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "deliver/producer.h"

struct rd_kafka_conf_s;
struct rd_kafka_s;

namespace spangate {

struct KafkaConfDeleter {
    void operator()(rd_kafka_conf_s* conf) const;
};

using KafkaConf = std::unique_ptr<rd_kafka_conf_s, KafkaConfDeleter>;

struct ProducerLimits {
    Millis ack_timeout{5'000};           // a record not acknowledged by then is given up …
    bool has_spool = false;              // … by the line, which spools it; else by the client
    Bytes memory_bytes_max = 128 * mib;  // what admission may lease in all
};

// Kafka's own limit of a topic, max.message.bytes, is 1,048,588 by default with the batch's header.
inline constexpr Bytes record_bytes_max = 1'048'000;

// Brokers, TLS, SASL, client.id, logging: enough for the admin client.
[[nodiscard]] Result<KafkaConf> client_settings(
    const KafkaConfig& config, std::string_view client_id
);

// The same and what producing needs: acks=all, idempotence, murmur2_random, limits; reports and
// errors come as events. After a record that fails for good the client sends nothing of what is
// behind it. The pass-through map is applied last, but for what is wished for.
[[nodiscard]] Result<KafkaConf> producer_settings(
    const KafkaConfig& config,
    const ProducerLimits& limits,
    std::string_view client_id,
    const ProducerWish& wish = {}
);

// A client with the rights of a producer, which the caller destroys; `conf` is used up.
// invalid_argument: librdkafka refuses the settings together, and says why.
[[nodiscard]] Result<rd_kafka_s*> open_client(KafkaConf conf);

// Why a pass-through property is refused and what to set instead; nothing when it may pass.
[[nodiscard]] std::optional<std::string_view> refused_property(std::string_view property);

}  // namespace spangate
