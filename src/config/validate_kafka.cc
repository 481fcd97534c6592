#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/setting.h"
#include "config/validate.h"

namespace spangate {
namespace {

// A librdkafka property, or a family of them (`is_prefix`), that the gateway sets itself.
struct ReservedProperty {
    std::string_view name;
    bool is_prefix;
    std::string_view instead;
};

constexpr std::string_view delivery = "it is what makes a client's OK true";
constexpr std::string_view order = "it keeps a session's records in order";
constexpr std::string_view timeout = "use ack_timeout";
constexpr std::string_view queue = "use memory_bytes_max";
constexpr std::string_view linger = "use exporters.kafka.linger";
constexpr std::string_view brokers = "use exporters.kafka.brokers";
constexpr std::string_view tls = "use exporters.kafka.auth.tls";
constexpr std::string_view sasl = "use exporters.kafka.auth.sasl";
constexpr std::string_view compression = "use exporters.kafka.compression";

constexpr std::array<ReservedProperty, 43> reserved_properties{{
    {"acks", false, delivery},
    {"request.required.acks", false, delivery},
    {"enable.idempotence", false, delivery},
    {"enable.gapless.guarantee", false, delivery},
    {"delivery.report.only.error", false, delivery},
    {"produce.offset.report", false, delivery},
    {"dr_cb", false, delivery},
    {"dr_msg_cb", false, delivery},
    {"enabled_events", false, delivery},
    {"transactional.id", false, "the gateway delivers at least once; readers drop equal event_ids"},
    {"transaction.timeout.ms", false, "the gateway uses no transactions"},
    {"max.in.flight", true, order},
    {"queuing.strategy", false, order},
    {"partitioner", true, "the session decides the partition"},
    {"msg_order_cmp", false, order},
    {"sticky.partitioning.linger.ms", false, "the session decides the partition"},
    {"message.timeout.ms", false, timeout},
    {"delivery.timeout.ms", false, timeout},
    {"queue.buffering.max.ms", false, linger},
    {"linger.ms", false, linger},
    {"queue.buffering.max.", true, queue},
    {"queue.buffering.backpressure.threshold", false, queue},
    {"compression.codec", false, compression},
    {"compression.type", false, compression},
    {"allow.auto.create.topics", false, "use `spangate topics create`"},
    {"test.mock.", true, "use `spangate serve --dev-broker`"},
    {"bootstrap.servers", false, brokers},
    {"metadata.broker.list", false, brokers},
    {"security.protocol", false, "use exporters.kafka.auth.tls.enabled and auth.sasl.mechanism"},
    {"ssl.ca.", true, "use exporters.kafka.auth.tls.ca_file"},
    {"ssl_ca", true, "use exporters.kafka.auth.tls.ca_file"},
    {"ssl.certificate.", true, "use exporters.kafka.auth.tls.cert_file"},
    {"ssl_certificate", true, "use exporters.kafka.auth.tls.cert_file"},
    {"ssl.key.", true, "use exporters.kafka.auth.tls.key_file"},
    {"ssl_key", true, "use exporters.kafka.auth.tls.key_file"},
    {"ssl.keystore.", true, tls},
    {"ssl.engine.", true, tls},
    {"ssl_engine", true, tls},
    {"enable.ssl.certificate.verification", false, "use exporters.kafka.auth.tls.ca_file"},
    {"sasl.", true, sasl},
    {"enable.sasl.", true, sasl},
    {"oauthbearer_token_refresh_cb", false, sasl},
    {"plugin.library.paths", false, "code is not loaded by configuration"},
}};

const ReservedProperty* find_reserved(std::string_view name) {
    const auto* const found = std::find_if(
        reserved_properties.begin(),
        reserved_properties.end(),
        [&](const ReservedProperty& reserved) {
            return reserved.is_prefix ? name.starts_with(reserved.name) : name == reserved.name;
        }
    );
    return found == reserved_properties.end() ? nullptr : found;
}

void check_properties(const KafkaConfig& kafka, std::vector<RuleFault>& faults) {
    for (const auto& [name, value] : kafka.librdkafka) {
        const std::string path = "exporters.kafka.librdkafka." + name;
        if (const ReservedProperty* reserved = find_reserved(name)) {
            faults.push_back({path, fmt::format("is the gateway's to set; {}", reserved->instead)});
        } else if (names_a_secret(name)) {
            faults.push_back({path, "secrets are not passed through; use exporters.kafka.auth"});
        }
    }
}

void check_sasl(const KafkaSasl& sasl_config, std::vector<RuleFault>& faults) {
    const std::string path = "exporters.kafka.auth.sasl";
    const bool has_name = !sasl_config.username.empty();
    const bool has_password = !sasl_config.password.empty();
    if (sasl_config.mechanism.empty()) {
        if (!has_name && !has_password) return;
        faults.push_back(
            {path, "username and password need mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"}
        );
        return;
    }
    if (sasl_config.mechanism == "OAUTHBEARER") {
        if (sasl_config.token_file.empty())
            faults.push_back({path, "OAUTHBEARER needs token_file"});
        return;
    }
    if (has_name && has_password) return;
    faults.push_back({path, fmt::format("{} needs username and password", sasl_config.mechanism)});
}

}  // namespace

void validate_kafka(const KafkaConfig& kafka, std::vector<RuleFault>& faults) {
    for (const std::string& broker : kafka.brokers) {
        const std::optional<HostPort> parts = split_host_port(broker);
        if (parts && parts->port != 0) continue;
        faults.push_back(
            {"exporters.kafka.brokers",
             fmt::format("`{}` is not host:port; write 127.0.0.1:9092", broker)}
        );
    }
    if (kafka.tls.cert_file.empty() != kafka.tls.key_file.empty()) {
        faults.push_back(
            {"exporters.kafka.auth.tls", "cert_file and key_file belong together; set both or none"}
        );
    }
    check_sasl(kafka.sasl, faults);
    check_properties(kafka, faults);
}

}  // namespace spangate
