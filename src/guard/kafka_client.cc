#include "guard/kafka_client.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "observe/log.h"

namespace spangate {
namespace {

constexpr int metadata_timeout_ms = 10'000;
constexpr int create_timeout_ms = 15'000;

std::string security_protocol(const KafkaConfig& config) {
    const bool has_tls = config.tls_enabled || !config.tls.ca_file.empty() ||
                         !config.tls.cert_file.empty() || !config.tls.key_file.empty();
    if (config.sasl.mechanism.empty()) return has_tls ? "ssl" : "plaintext";
    return has_tls ? "sasl_ssl" : "sasl_plaintext";
}

KafkaProperties connection_of(const KafkaConfig& config) {
    KafkaProperties properties = {
        {"bootstrap.servers", fmt::format("{}", fmt::join(config.brokers, ","))},
        {"client.id", "spangate-guard"},
        {"log.connection.close", "false"},
        {"reconnect.backoff.max.ms", "1000"},
        {"socket.keepalive.enable", "true"},
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
    return properties;
}

void on_log(const rd_kafka_t* /*client*/, int /*level*/, const char* facility, const char* text) {
    log_debug("guard", "librdkafka {}: {}", facility, text);
}

// The first error of the topics in a CreateTopics result.
rd_kafka_resp_err_t result_of(rd_kafka_event_t* event) {
    if (const rd_kafka_resp_err_t error = rd_kafka_event_error(event)) return error;
    std::size_t count = 0;
    const rd_kafka_topic_result_t** const topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(topics[i]);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// Only the last record of a session counts. A record stays for an hour before compaction takes it:
// what a guard that was cut off writes late does not remove what its successor wrote.
constexpr std::array<std::pair<const char*, const char*>, 5> state_settings = {{
    {"cleanup.policy", "compact"},
    {"min.compaction.lag.ms", "3600000"},
    {"min.cleanable.dirty.ratio", "0.1"},
    {"segment.ms", "3600000"},
    {"compression.type", "producer"},
}};

}  // namespace

Result<GuardKafkaConf> guard_kafka_conf(const KafkaConfig& config, const KafkaProperties& more) {
    if (!config.sasl.token_file.empty()) {
        return fail(
            ErrorCode::unsupported, "the guard does not read sasl.token_file; use SCRAM or TLS"
        );
    }
    GuardKafkaConf conf(rd_kafka_conf_new());
    std::array<char, 512> text{};
    KafkaProperties properties = connection_of(config);
    properties.insert(properties.end(), more.begin(), more.end());
    for (const auto& [name, value] : properties) {
        if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) !=
            RD_KAFKA_CONF_OK) {
            // Its text may repeat a secret value.
            return fail(
                ErrorCode::invalid_argument, fmt::format("librdkafka refuses the value of {}", name)
            );
        }
    }
    rd_kafka_conf_set_log_cb(conf.get(), on_log);
    return conf;
}

Result<GuardKafkaClient> open_guard_client(GuardKafkaConf conf, rd_kafka_type_t type) {
    std::array<char, 512> text{};
    rd_kafka_t* client = rd_kafka_new(type, conf.get(), text.data(), text.size());
    if (client == nullptr) {
        return fail(ErrorCode::invalid_argument, fmt::format("no Kafka client: {}", text.data()));
    }
    (void)conf.release();  // the client owns it now
    if (type == RD_KAFKA_CONSUMER) (void)rd_kafka_poll_set_consumer(client);
    return GuardKafkaClient(client);
}

Result<GuardKafkaClient> open_topic_reader(
    const KafkaConfig& config, const std::string& topic, std::int32_t first, std::int32_t count
) {
    Result<GuardKafkaConf> conf = guard_kafka_conf(
        config,
        {{"group.id", "spangate-guard-state"},  // librdkafka wants one; it never joins it
         {"enable.auto.commit", "false"},
         {"enable.partition.eof", "true"},
         {"auto.offset.reset", "earliest"},
         {"isolation.level", "read_committed"}}
    );
    if (!conf) return tl::unexpected(std::move(conf.error()));
    Result<GuardKafkaClient> client = open_guard_client(std::move(*conf), RD_KAFKA_CONSUMER);
    if (!client) return client;
    const GuardPartitions list(rd_kafka_topic_partition_list_new(count));
    for (std::int32_t i = first; i < first + count; ++i) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    }
    const rd_kafka_resp_err_t error = rd_kafka_assign(client->get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return guard_kafka_failure("read " + topic, error);
    return client;
}

Result<TopicSize> topic_size(rd_kafka_t* client, const std::string& topic) {
    rd_kafka_topic_t* const handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
    if (handle == nullptr) return guard_kafka_failure("look at " + topic, rd_kafka_last_error());
    const struct rd_kafka_metadata* metadata = nullptr;  // a function has the same name
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(client, 0, handle, &metadata, metadata_timeout_ms);
    rd_kafka_topic_destroy(handle);
    TopicSize size;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_metadata_topic& facts = metadata->topics[0];
        error = facts.err;
        size.partitions = facts.partition_cnt;
        if (facts.partition_cnt > 0) size.replicas = facts.partitions[0].replica_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return guard_kafka_failure("look at " + topic, error);
    return size;
}

Status create_state_topic(rd_kafka_t* client, const std::string& topic, TopicSize size) {
    std::array<char, 512> text{};
    rd_kafka_NewTopic_t* made = rd_kafka_NewTopic_new(
        topic.c_str(), size.partitions, std::max(1, size.replicas), text.data(), text.size()
    );
    if (made == nullptr) return fail(ErrorCode::invalid_argument, text.data());
    for (const auto& [name, value] : state_settings)
        (void)rd_kafka_NewTopic_set_config(made, name, value);
    rd_kafka_AdminOptions_t* options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(
        options, create_timeout_ms, text.data(), text.size()
    );
    rd_kafka_queue_t* const queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &made, 1, options, queue);
    rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, create_timeout_ms);
    const rd_kafka_resp_err_t error =
        event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : result_of(event);
    if (event != nullptr) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(made);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return {};
    }
    return guard_kafka_failure("create " + topic, error);
}

std::vector<std::string> operational_topics(const KafkaConfig& config) {
    constexpr std::string_view placeholder = "{tenant}";
    const std::string& name = config.topics.operational;
    const std::size_t at = name.find(placeholder);
    if (at == std::string::npos) return {name};
    std::vector<std::string> topics;
    for (const std::string& tenant : config.tenants)
        topics.push_back(std::string(name).replace(at, placeholder.size(), tenant));
    return topics;
}

ErrorCode error_code_of(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
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

tl::unexpected<Error> guard_kafka_failure(const std::string& tried, rd_kafka_resp_err_t error) {
    return fail(error_code_of(error), fmt::format("cannot {}: {}", tried, rd_kafka_err2str(error)));
}

WallNanos record_time(const rd_kafka_message_t& message) {
    constexpr WallNanos nanos_per_ms = 1'000'000;
    const std::int64_t at_ms = rd_kafka_message_timestamp(&message, nullptr);
    return at_ms < 0 ? 0 : at_ms * nanos_per_ms;
}

}  // namespace spangate
