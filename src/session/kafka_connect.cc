#include "session/kafka_connect.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace spangate {
namespace {

struct DestroyConf {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};

std::string security_protocol(const KafkaConfig& config) {
    const bool has_tls = config.tls_enabled || !config.tls.ca_file.empty() ||
                         !config.tls.cert_file.empty() || !config.tls.key_file.empty();
    if (config.sasl.mechanism.empty()) return has_tls ? "ssl" : "plaintext";
    return has_tls ? "sasl_ssl" : "sasl_plaintext";
}

// Name and value of each property, in the order in which they are set.
std::vector<std::pair<std::string, std::string>> properties_of(const KafkaConfig& config) {
    std::vector<std::pair<std::string, std::string>> properties = {
        {"bootstrap.servers", fmt::format("{}", fmt::join(config.brokers, ","))},
        {"client.id", "spangate-reader"},
        {"group.id", "spangate-reader"},  // librdkafka wants one; it never joins it
        {"enable.auto.commit", "false"},
        {"enable.partition.eof", "true"},
        {"auto.offset.reset", "earliest"},
        {"isolation.level", "read_committed"},
        // The end of a partition is told this soon; new records come at once all the same.
        {"fetch.wait.max.ms", "100"},
        // Large fetches, and few of them waiting: a replay's memory is for the session.
        {"max.partition.fetch.bytes", "4194304"},
        {"queued.max.messages.kbytes", "16384"},
        {"fetch.queue.backoff.ms", "5"},
        {"log.connection.close", "false"},
        {"reconnect.backoff.max.ms", "1000"},
        {"security.protocol", security_protocol(config)},
    };
    const auto add = [&properties](const char* name, const std::string& value) {
        if (!value.empty()) properties.emplace_back(name, value);
    };
    add("ssl.ca.location", config.tls.ca_file);
    add("ssl.certificate.location", config.tls.cert_file);
    add("ssl.key.location", config.tls.key_file);
    add("sasl.mechanism", config.sasl.mechanism);
    add("sasl.username", config.sasl.username);
    add("sasl.password", config.sasl.password.reveal());
    for (const auto& [key, value] : config.sasl.oauth) {
        std::string name = "sasl.oauthbearer." + key;
        std::replace(name.begin(), name.end(), '_', '.');
        properties.emplace_back(name, value);
    }
    return properties;
}

ErrorCode code_of(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
            return ErrorCode::not_found;
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            return ErrorCode::permission_denied;
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            return ErrorCode::unauthenticated;
        default:
            return ErrorCode::unavailable;
    }
}

}  // namespace

Result<KafkaHandle> connect_reader(const KafkaConfig& config) {
    if (!config.sasl.token_file.empty()) {
        return fail(
            ErrorCode::unsupported,
            "reading with sasl.token_file is not supported; use sasl.oauth or a JSONL directory"
        );
    }
    std::unique_ptr<rd_kafka_conf_t, DestroyConf> conf(rd_kafka_conf_new());
    std::array<char, 512> text{};
    for (const auto& [name, value] : properties_of(config)) {
        if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) !=
            RD_KAFKA_CONF_OK) {
            // Its text may repeat a secret value.
            return fail(
                ErrorCode::invalid_argument, fmt::format("librdkafka refuses the value of {}", name)
            );
        }
    }
    rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), text.data(), text.size());
    if (handle == nullptr) {
        return fail(ErrorCode::invalid_argument, fmt::format("no Kafka consumer: {}", text.data()));
    }
    (void)conf.release();  // the handle owns it now
    (void)rd_kafka_poll_set_consumer(handle);
    return KafkaHandle(handle);
}

Result<std::int32_t> assign_topic(
    rd_kafka_t* handle, const std::string& name, std::int64_t offset
) {
    constexpr int metadata_timeout_ms = 10'000;
    rd_kafka_topic_t* const topic = rd_kafka_topic_new(handle, name.c_str(), nullptr);
    if (topic == nullptr) return kafka_failure("read " + name, rd_kafka_last_error());
    const struct rd_kafka_metadata* metadata = nullptr;  // a function has the same name
    rd_kafka_resp_err_t error = rd_kafka_metadata(handle, 0, topic, &metadata, metadata_timeout_ms);
    rd_kafka_topic_destroy(topic);
    std::int32_t count = 0;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        error = metadata->topics[0].err;
        count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_failure("read " + name, error);
    const KafkaPartitions partitions(rd_kafka_topic_partition_list_new(count));
    for (std::int32_t i = 0; i < count; ++i)
        rd_kafka_topic_partition_list_add(partitions.get(), name.c_str(), i)->offset = offset;
    error = rd_kafka_assign(handle, partitions.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_failure("read " + name, error);
    return count;
}

tl::unexpected<Error> kafka_failure(const std::string& tried, rd_kafka_resp_err_t error) {
    return fail(code_of(error), fmt::format("cannot {}: {}", tried, rd_kafka_err2str(error)));
}

}  // namespace spangate
