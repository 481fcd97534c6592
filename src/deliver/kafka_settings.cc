#include "deliver/kafka_settings.h"

#include <algorithm>
#include <array>
#include <climits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <librdkafka/rdkafka.h>

#include "deliver/oauth_token.h"

namespace spangate {
namespace {

struct RefusedProperty {
    std::string_view name;  // a trailing * stands for the rest
    std::string_view why;
};

constexpr auto refused_properties = std::to_array<RefusedProperty>({
    {"acks", "records are acknowledged by all in-sync replicas, always"},
    {"request.required.acks", "records are acknowledged by all in-sync replicas, always"},
    {"enable.idempotence", "the producer is idempotent, always"},
    {"max.in.flight*", "order needs the idempotent producer's 5"},
    {"partitioner*", "a session's partition is murmur2 of its id in every client"},
    {"message.timeout.ms", "set ack_timeout instead"},
    {"delivery.timeout.ms", "set ack_timeout instead"},
    {"queue.buffering.max.ms", "set exporters.kafka.linger instead"},
    {"queue.buffering.max.*", "set memory_bytes_max instead"},
    {"delivery.report.only.error", "acknowledgements answer the clients"},
    {"enable.gapless.guarantee", "spangate rebuilds the producer and resends by itself"},
    {"queuing.strategy", "a session's order needs fifo"},
    {"transactional.id", "delivery is at least once, with equal event_id on repeats"},
    {"test.mock.*", "use serve --dev-broker instead"},
    {"bootstrap.servers", "set exporters.kafka.brokers instead"},
    {"metadata.broker.list", "set exporters.kafka.brokers instead"},
    {"allow.auto.create.topics", "use spangate topics create instead"},
    {"sasl.username", "set exporters.kafka.auth.sasl.username instead"},
    {"sasl.password", "set exporters.kafka.auth.sasl.password instead"},
    {"sasl.oauthbearer.client.secret", "set exporters.kafka.auth.sasl.oauth.client_secret instead"},
    {"ssl.key.password", "use a key file without a password that only spangate can read"},
    {"ssl.keystore.password", "set exporters.kafka.auth.tls.key_file instead"},
    {"ssl.key.pem", "set exporters.kafka.auth.tls.key_file instead"},
});

bool is_secret(std::string_view property) {
    return property.find("password") != std::string_view::npos ||
           property.find("secret") != std::string_view::npos ||
           property.find("pem") != std::string_view::npos;
}

// Sets properties until one is refused; then keeps that fault.
class Properties {
  public:
    Properties() : conf_(rd_kafka_conf_new()) {}

    void set(const std::string& name, const std::string& value) {
        if (!fault_.empty()) return;
        std::array<char, 512> text{};
        const rd_kafka_conf_res_t result =
            rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), text.data(), text.size());
        if (result == RD_KAFKA_CONF_OK) return;
        // librdkafka's text repeats the value.
        fault_ = is_secret(name)
                     ? fmt::format("librdkafka refuses the value of {}", name)
                     : fmt::format("librdkafka refuses {} = {}: {}", name, value, text.data());
    }

    void set(const std::string& name, std::int64_t value) { set(name, std::to_string(value)); }

    void set_if(const std::string& name, const std::string& value) {
        if (!value.empty()) set(name, value);
    }

    void fail_with(std::string fault) {
        if (fault_.empty()) fault_ = std::move(fault);
    }

    [[nodiscard]] rd_kafka_conf_t* conf() { return conf_.get(); }

    [[nodiscard]] Result<KafkaConf> finish() {
        if (!fault_.empty()) return fail(ErrorCode::invalid_argument, fault_);
        return std::move(conf_);
    }

  private:
    KafkaConf conf_;
    std::string fault_;
};

std::string security_protocol(const KafkaConfig& config) {
    const bool has_tls = config.tls_enabled || !config.tls.ca_file.empty() ||
                         !config.tls.cert_file.empty() || !config.tls.key_file.empty();
    const bool has_sasl = !config.sasl.mechanism.empty();
    if (has_sasl) return has_tls ? "sasl_ssl" : "sasl_plaintext";
    return has_tls ? "ssl" : "plaintext";
}

void set_sasl(Properties& properties, const KafkaSasl& sasl) {
    if (sasl.mechanism.empty()) return;
    properties.set("sasl.mechanism", sasl.mechanism);
    properties.set_if("sasl.username", sasl.username);
    properties.set_if("sasl.password", sasl.password.reveal());
    for (const auto& [key, value] : sasl.oauth) {
        std::string name = "sasl.oauthbearer." + key;
        std::replace(name.begin(), name.end(), '_', '.');
        properties.set(name, value);
    }
    if (!sasl.token_file.empty()) {
        properties.set("sasl.oauthbearer.config", sasl.token_file);
        read_oauth_tokens_from_file(properties.conf());
    }
}

void set_client(Properties& properties, const KafkaConfig& config, std::string_view client_id) {
    if (config.brokers.empty()) properties.fail_with("exporters.kafka.brokers is empty");
    properties.set("bootstrap.servers", fmt::format("{}", fmt::join(config.brokers, ",")));
    properties.set("client.id", std::string(client_id));
    properties.set("security.protocol", security_protocol(config));
    properties.set_if("ssl.ca.location", config.tls.ca_file);
    properties.set_if("ssl.certificate.location", config.tls.cert_file);
    properties.set_if("ssl.key.location", config.tls.key_file);
    set_sasl(properties, config.sasl);
    // Brokers that come back are found within a second, dead ones are given up soon.
    properties.set("reconnect.backoff.max.ms", 1'000);
    properties.set("socket.connection.setup.timeout.ms", 5'000);
    properties.set("socket.keepalive.enable", "true");
    properties.set("log.connection.close", "false");
}

void set_producing(
    Properties& properties, const KafkaConfig& config, const ProducerLimits& limits
) {
    properties.set("acks", "all");
    properties.set("enable.idempotence", "true");
    properties.set("max.in.flight.requests.per.connection", 5);
    properties.set("partitioner", "murmur2_random");
    properties.set("allow.auto.create.topics", "false");
    properties.set("compression.codec", config.compression);
    properties.set("linger.ms", config.linger.count());
    // After a record that failed for good nothing of its partition follows: the line gathers all
    // and sends them again in order.
    properties.set("enable.gapless.guarantee", "true");
    properties.set("message.timeout.ms", limits.has_spool ? 0 : limits.ack_timeout.count());
    properties.set("message.max.bytes", static_cast<std::int64_t>(record_bytes_max));
    properties.set("retry.backoff.ms", 100);
    properties.set("retry.backoff.max.ms", 1'000);
    // The budget is ours: admission refuses long before these bite. Records are at most the whole
    // budget; the factor leaves room for keys and headers.
    const std::uint64_t kbytes = std::clamp<std::uint64_t>(
        2 * limits.memory_bytes_max / kib, 64 * kib, static_cast<std::uint64_t>(INT_MAX)
    );
    properties.set("queue.buffering.max.kbytes", static_cast<std::int64_t>(kbytes));
    properties.set("queue.buffering.max.messages", 0);
}

void pass_through(Properties& properties, const KafkaConfig& config) {
    for (const auto& [name, value] : config.librdkafka) {
        if (const std::optional<std::string_view> why = refused_property(name)) {
            properties.fail_with(
                fmt::format("exporters.kafka.librdkafka.{} is not passed through: {}", name, *why)
            );
        }
        properties.set(name, value);
    }
}

}  // namespace

void KafkaConfDeleter::operator()(rd_kafka_conf_s* conf) const {
    rd_kafka_conf_destroy(conf);
}

std::optional<std::string_view> refused_property(std::string_view property) {
    for (const RefusedProperty& refused : refused_properties) {
        const bool is_prefix = refused.name.ends_with('*');
        const std::string_view name = refused.name.substr(0, refused.name.size() - is_prefix);
        if (is_prefix ? property.starts_with(name) : property == name) return refused.why;
    }
    return std::nullopt;
}

Result<KafkaConf> client_settings(const KafkaConfig& config, std::string_view client_id) {
    Properties properties;
    set_client(properties, config, client_id);
    return properties.finish();
}

Result<KafkaConf> producer_settings(
    const KafkaConfig& config,
    const ProducerLimits& limits,
    std::string_view client_id,
    const ProducerWish& wish
) {
    Properties properties;
    set_client(properties, config, client_id);
    set_producing(properties, config, limits);
    pass_through(properties, config);
    if (wish.is_one_by_one) properties.set("batch.num.messages", 1);
    if (wish.batch_bytes_max > 0) {
        properties.set("batch.size", static_cast<std::int64_t>(wish.batch_bytes_max));
    }
    rd_kafka_conf_set_events(properties.conf(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    return properties.finish();
}

Result<rd_kafka_s*> open_client(KafkaConf conf) {
    std::array<char, 512> fault{};
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), fault.data(), fault.size());
    if (client == nullptr) {
        return fail(
            ErrorCode::invalid_argument, fmt::format("librdkafka makes no client: {}", fault.data())
        );
    }
    (void)conf.release();  // the client's now
    return client;
}

}  // namespace spangate
