#include <array>
#include <fstream>

#include <fmt/format.h>

#include "config/load_config.h"
#include "config/units.h"
#include "config/validate.h"

namespace spangate {
namespace {

constexpr Millis client_export_timeout{10'000};  // OTEL_EXPORTER_OTLP_TIMEOUT's default

using Warnings = std::vector<ConfigFault>;

bool is_beyond_loopback(const std::string& endpoint) {
    const std::optional<HostPort> parts = split_host_port(endpoint);
    return parts && !is_loopback(parts->host);
}

void warn_of_clear_text(const Config& config, Warnings& warnings) {
    const EvidenceConfig& evidence = config.route.evidence;
    const KafkaConfig& kafka = config.exporters.kafka;
    const bool has_tls =
        kafka.tls_enabled || !kafka.tls.ca_file.empty() || !kafka.tls.cert_file.empty();
    if (evidence.enabled && evidence.encrypt_key_file.empty()) {
        warnings.push_back(
            {"processors.route.evidence",
             "evidence is on and in clear: prompts and answers are stored unredacted; restrict who "
             "reads its topic, set encrypt.key_file, or write enabled: false"}
        );
    }
    if (kafka.sasl.mechanism == "PLAIN" && !has_tls) {
        warnings.push_back(
            {"exporters.kafka.auth.sasl.mechanism",
             "PLAIN without TLS shows the password to the network; set auth.tls.enabled: true"}
        );
    }
}

void warn_of_openness(const ReceiversConfig& receivers, Warnings& warnings) {
    const bool is_open =
        is_beyond_loopback(receivers.grpc_endpoint) || is_beyond_loopback(receivers.http_endpoint);
    const bool has_tls = !receivers.tls.cert_file.empty();
    const bool has_tokens = !receivers.auth.bearer_tokens_file.empty();
    const bool has_mtls = has_tls && !receivers.tls.client_ca_file.empty();
    if (is_open && has_tokens && !has_tls) {
        warnings.push_back(
            {"receivers.otlp.auth.bearer_tokens_file",
             "without receivers.otlp.tls the tokens travel in clear"}
        );
    }
    if (is_open && !has_tokens && !has_mtls) {
        warnings.push_back(
            {"receivers.otlp.auth.allow_insecure", "whoever reaches the receivers may send"}
        );
    }
}

void warn_of_files(const Config& config, Warnings& warnings) {
    const TlsServerConfig& tls = config.receivers.tls;
    const KafkaTls& kafka = config.exporters.kafka.tls;
    const std::array<std::pair<std::string_view, std::string_view>, 10> files = {{
        {"receivers.otlp.tls.cert_file", tls.cert_file},
        {"receivers.otlp.tls.key_file", tls.key_file},
        {"receivers.otlp.tls.client_ca_file", tls.client_ca_file},
        {"receivers.otlp.auth.bearer_tokens_file", config.receivers.auth.bearer_tokens_file},
        {"processors.interpret.conventions_file", config.interpret.conventions_file},
        {"processors.interpret.prices_file", config.interpret.prices_file},
        {"processors.route.evidence.encrypt.key_file", config.route.evidence.encrypt_key_file},
        {"exporters.kafka.auth.tls.ca_file", kafka.ca_file},
        {"exporters.kafka.auth.tls.cert_file", kafka.cert_file},
        {"exporters.kafka.auth.tls.key_file", kafka.key_file},
    }};
    for (const auto& [path, file] : files) {
        if (file.empty() || std::ifstream(std::string(file))) continue;
        warnings.push_back({std::string(path), fmt::format("{} cannot be read here", file)});
    }
}

void warn_of_promises(const Config& config, Warnings& warnings) {
    if (config.ack_timeout >= client_export_timeout) {
        warnings.push_back(
            {"ack_timeout",
             fmt::format(
                 "{} is not below the SDKs' export timeout of {}: clients give up first and send "
                 "again",
                 duration_text(config.ack_timeout),
                 duration_text(client_export_timeout)
             )}
        );
    }
    if (config.ack == "memory") {
        warnings.push_back(
            {"ack", "a client's OK promises nothing with memory: what is queued is lost in a crash"}
        );
    }
    if (has_spool(config) && !config.spool.fsync) {
        warnings.push_back(
            {"spool.fsync", "without it a power cut loses records whose clients heard OK"}
        );
    }
    if (has_spool(config) && config.spool.allow_volatile) {
        warnings.push_back(
            {"spool.allow_volatile",
             "on a file system in memory a restart of the machine loses records whose clients "
             "heard OK"}
        );
    }
    const RouteConfig& route = config.route;
    const std::array<std::pair<std::string_view, bool>, 3> classes = {{
        {"operational", route.operational_required},
        {"detail", route.detail_required},
        {"evidence", route.evidence_required || !route.evidence.enabled},
    }};
    for (const auto& [name, is_required] : classes) {
        if (is_required) continue;
        warnings.push_back(
            {fmt::format("processors.route.classes.{}.required", name),
             "a client's OK does not promise these records"}
        );
    }
}

void warn_of_tenants(const KafkaConfig& kafka, Warnings& warnings) {
    if (kafka.tenants.empty()) return;
    const KafkaTopics& topics = kafka.topics;
    for (const std::string* topic :
         {&topics.operational,
          &topics.detail,
          &topics.evidence,
          &topics.dead_letter,
          &topics.audit}) {
        if (topic->find("{tenant}") != std::string::npos) return;
    }
    warnings.push_back({"exporters.kafka.tenants", "no topic's name has {tenant} in it"});
}

}  // namespace

Warnings config_warnings(const Config& config) {
    Warnings warnings;
    warn_of_openness(config.receivers, warnings);
    warn_of_clear_text(config, warnings);
    warn_of_promises(config, warnings);
    warn_of_tenants(config.exporters.kafka, warnings);
    warn_of_files(config, warnings);
    return warnings;
}

}  // namespace spangate
