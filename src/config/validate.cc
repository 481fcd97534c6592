#include "config/validate.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "config/units.h"

namespace spangate {
namespace {

constexpr std::size_t hash_key_bytes_min = 16;
constexpr Bytes request_copies = 5;  // body, inflated, decoded, encoded, in flight

using Faults = std::vector<RuleFault>;

bool is_tls(const TlsServerConfig& tls) {
    return !tls.cert_file.empty();
}

bool knows_its_clients(const ReceiversConfig& receivers) {
    const bool has_mtls = is_tls(receivers.tls) && !receivers.tls.client_ca_file.empty();
    return has_mtls || !receivers.auth.bearer_tokens_file.empty();
}

// Empty endpoints are off, and right.
void check_endpoint(const std::string& path, const std::string& endpoint, Faults& faults) {
    if (endpoint.empty() || split_host_port(endpoint)) return;
    faults.push_back(
        {path,
         fmt::format(
             "`{}` is not host:port; write 127.0.0.1:4318, or 0.0.0.0:4318 for every address, or "
             "[::1]:4318",
             endpoint
         )}
    );
}

void check_openness(
    const std::string& path,
    const std::string& endpoint,
    const ReceiversConfig& receivers,
    Faults& faults
) {
    const std::optional<HostPort> parts = split_host_port(endpoint);
    if (!parts || is_loopback(parts->host)) return;
    if (knows_its_clients(receivers) || receivers.auth.allow_insecure) return;
    faults.push_back(
        {path,
         fmt::format(
             "`{}` is reachable beyond loopback and anyone there may send; set "
             "receivers.otlp.auth.bearer_tokens_file, or receivers.otlp.tls.client_ca_file, or "
             "receivers.otlp.auth.allow_insecure: true",
             endpoint
         )}
    );
}

void check_distinct_endpoints(const Config& config, Faults& faults) {
    const std::array<std::pair<std::string, std::string>, 4> endpoints = {{
        {"receivers.otlp.protocols.grpc.endpoint", config.receivers.grpc_endpoint},
        {"receivers.otlp.protocols.http.endpoint", config.receivers.http_endpoint},
        {"admin.endpoint", config.admin.endpoint},
        {"guard.endpoint", config.guard.endpoint},
    }};
    for (std::size_t i = 1; i < endpoints.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto& [path, endpoint] = endpoints.at(i);
            const bool is_any_port = endpoint.ends_with(":0");
            if (endpoint.empty() || is_any_port || endpoint != endpoints.at(j).second) continue;
            faults.push_back(
                {path, fmt::format("`{}` is taken by {}", endpoint, endpoints.at(j).first)}
            );
        }
    }
}

void check_receiver_tls(const TlsServerConfig& tls, Faults& faults) {
    if (tls.cert_file.empty() != tls.key_file.empty()) {
        faults.push_back(
            {"receivers.otlp.tls", "cert_file and key_file belong together; set both or none"}
        );
    }
    if (!tls.client_ca_file.empty() && tls.cert_file.empty()) {
        faults.push_back(
            {"receivers.otlp.tls.client_ca_file",
             "mTLS needs the server's own cert_file and key_file too"}
        );
    }
}

void check_memory(const Config& config, Faults& faults) {
    const Bytes request = config.receivers.limits.request_bytes_max;
    if (request * request_copies <= config.memory_bytes_max) return;
    faults.push_back(
        {"memory_bytes_max",
         fmt::format(
             "request_bytes_max {} × {} = {} does not fit {}; raise memory_bytes_max or lower "
             "receivers.otlp.limits.request_bytes_max",
             size_text(request),
             request_copies,
             size_text(request * request_copies),
             size_text(config.memory_bytes_max)
         )}
    );
}

void check_times(const Config& config, Faults& faults) {
    if (config.batch.timeout >= config.ack_timeout) {
        faults.push_back(
            {"processors.batch.timeout",
             fmt::format(
                 "{} is not below ack_timeout {}; requests would expire while they wait for a "
                 "batch",
                 duration_text(config.batch.timeout),
                 duration_text(config.ack_timeout)
             )}
        );
    }
    if (config.exporters.kafka.linger >= config.ack_timeout) {
        faults.push_back({"exporters.kafka.linger", "must be below ack_timeout"});
    }
    if (config.shutdown.accept_for > config.shutdown.grace) {
        faults.push_back(
            {"shutdown.accept_for",
             fmt::format(
                 "{} does not fit shutdown.grace {}",
                 duration_text(config.shutdown.accept_for),
                 duration_text(config.shutdown.grace)
             )}
        );
    }
}

void check_promises(const Config& config, Faults& faults) {
    const KafkaConfig& kafka = config.exporters.kafka;
    const JsonlConfig& jsonl = config.exporters.jsonl;
    const bool kafka_holds = !kafka.brokers.empty() && kafka.required;
    const bool jsonl_holds = !jsonl.directory.empty() && jsonl.required;
    if (!kafka_holds && !jsonl_holds) {
        faults.push_back(
            {"exporters",
             "no sink is required, so a client's OK would promise nothing; set required: true for "
             "kafka (with brokers) or for jsonl (with a directory)"}
        );
    }
    if (config.ack == "spool" && !has_spool(config)) {
        faults.push_back(
            {"ack",
             "is spool, but there is none: set spool.directory and a required Kafka, or write ack: "
             "kafka"}
        );
    }
    const RouteConfig& route = config.route;
    if (!route.operational_required && !route.detail_required && !route.evidence_required) {
        faults.push_back(
            {"processors.route.classes",
             "no class is required, so a client's OK would promise nothing; set required: true for "
             "at least one"}
        );
    }
}

void check_hash_key(const Config& config, ConfigUse use, Faults& faults) {
    const Secret& key = config.redact.hash_key;
    constexpr std::string_view advice =
        "make one with `openssl rand -hex 32` and give every gateway of the cluster the same, for "
        "example as ${env:SPANGATE_HASH_KEY}";
    const bool is_needed = use == ConfigUse::gateway && !config.exporters.kafka.brokers.empty();
    if (key.empty() && is_needed) {
        faults.push_back(
            {"processors.redact.hash_key", fmt::format("is needed with Kafka; {}", advice)}
        );
    }
    if (!key.empty() && key.reveal().size() < hash_key_bytes_min) {
        faults.push_back(
            {"processors.redact.hash_key",
             fmt::format("is shorter than {} bytes; {}", hash_key_bytes_min, advice)}
        );
    }
}

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

void check_patterns(const RedactConfig& redact, Faults& faults) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < redact.patterns.size(); ++i) {
        const RedactPattern& pattern = redact.patterns[i];
        const std::string path = fmt::format("processors.redact.patterns[{}]", i);
        if (!is_plain_name(pattern.name)) {
            faults.push_back(
                {path + ".name", "a name of 1 to 64 letters, digits, _ and - is needed"}
            );
        } else if (!names.insert(pattern.name).second) {
            faults.push_back({path + ".name", fmt::format("`{}` stands twice", pattern.name)});
        }
        if (pattern.regex.empty()) {
            faults.push_back({path + ".regex", "is empty; write a pattern in RE2's syntax"});
        }
    }
}

void check_keys(const RedactConfig& redact, Faults& faults) {
    const std::array<std::pair<std::string, const std::vector<std::string>*>, 3> lists = {{
        {"drop", &redact.keys_drop},
        {"hash", &redact.keys_hash},
        {"allow", &redact.keys_allow},
    }};
    std::map<std::string, std::string> treatments;
    for (const auto& [treatment, keys] : lists) {
        for (const std::string& key : *keys) {
            const std::string path = "processors.redact.keys." + treatment;
            if (key.empty()) faults.push_back({path, "an attribute key is empty"});
            const auto [known, is_new] = treatments.emplace(key, treatment);
            if (is_new || known->second == treatment) continue;
            faults.push_back(
                {path, fmt::format("`{}` stands under {} too; keep one", key, known->second)}
            );
        }
    }
    const std::vector<std::string>& detectors = redact.detectors;
    for (std::size_t i = 1; i < detectors.size(); ++i) {
        const std::string_view name =
            std::string_view(detectors[i]).substr(0, detectors[i].find(':'));
        if (name != "all") continue;
        faults.push_back(
            {"processors.redact.detectors", "`all` stands first; what follows changes single ones"}
        );
    }
}

}  // namespace

void validate_receivers(const Config& config, Faults& faults) {
    const ReceiversConfig& receivers = config.receivers;
    const std::string grpc = "receivers.otlp.protocols.grpc.endpoint";
    const std::string http = "receivers.otlp.protocols.http.endpoint";
    check_endpoint(grpc, receivers.grpc_endpoint, faults);
    check_endpoint(http, receivers.http_endpoint, faults);
    check_endpoint("admin.endpoint", config.admin.endpoint, faults);
    check_openness(grpc, receivers.grpc_endpoint, receivers, faults);
    check_openness(http, receivers.http_endpoint, receivers, faults);
    check_distinct_endpoints(config, faults);
    check_receiver_tls(receivers.tls, faults);
    if (receivers.grpc_endpoint.empty() && receivers.http_endpoint.empty()) {
        faults.push_back(
            {"receivers.otlp.protocols",
             "both are off, so nothing could come in; give one an "
             "endpoint"}
        );
    }
    for (const std::string& prefix : receivers.http_path_prefixes) {
        if (prefix.starts_with('/') && !prefix.ends_with('/')) continue;
        faults.push_back(
            {"receivers.otlp.protocols.http.path_prefixes",
             fmt::format("`{}` must start with / and not end with it, as in /langfuse", prefix)}
        );
    }
}

void validate_processors(const Config& config, ConfigUse use, Faults& faults) {
    check_hash_key(config, use, faults);
    check_patterns(config.redact, faults);
    check_keys(config.redact, faults);
    for (const std::string& key : config.interpret.session_keys) {
        if (!key.empty()) continue;
        faults.push_back({"processors.interpret.session_keys", "an attribute key is empty"});
    }
}

std::vector<RuleFault> validate(const Config& config, ConfigUse use) {
    std::vector<RuleFault> faults;
    validate_receivers(config, faults);
    validate_processors(config, use, faults);
    validate_kafka(config.exporters.kafka, faults);
    validate_topics(config, faults);
    validate_tee(config, faults);
    validate_guard(config, faults);
    validate_not_yet(config, faults);
    check_memory(config, faults);
    check_times(config, faults);
    check_promises(config, faults);
    return faults;
}

}  // namespace spangate
