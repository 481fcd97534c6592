// The part of the gateway that opens its sinks.
#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "app/gateway_rooms.h"
#include "app/make_rules.h"

namespace spangate {
namespace {

constexpr Millis dev_broker_wait{2'000};

}  // namespace

// What nobody waits for is not leased, so that its bytes have a bound of their own.
AdmissionRules admission_rules(const Config& config) {
    const RouteConfig& route = config.route;
    AdmissionRules rules;
    rules.is_class_required = {
        route.operational_required,
        route.detail_required,
        route.evidence_required && route.evidence.enabled};
    const bool waits_for_all =
        route.operational_required && route.detail_required && route.evidence_required;
    if (config.ack == "memory" || !waits_for_all) rules.slab_bytes_max = config.memory_bytes_max;
    return rules;
}

// The toy broker acknowledges and then forgets, so the files are what success waits for.
Config with_dev_broker(const GatewayOptions& options) {
    Config config = options.config;
    if (!options.has_dev_broker) return config;
    config.exporters.kafka.required = false;
    config.exporters.jsonl.required = true;
    if (!options.dev_directory.empty()) config.exporters.jsonl.directory = options.dev_directory;
    if (config.exporters.jsonl.directory.empty()) {
        config.exporters.jsonl.directory = "spangate-data";
    }
    return config;
}

Status Gateway::Rooms::open_sinks() {
    if (options.has_dev_broker) {
        const KafkaTopics& topics = config.exporters.kafka.topics;
        std::vector<std::string> names{
            topics.operational, topics.detail, topics.evidence, config.guard.state_topic};
        if (has_evidence_keys(config.route.evidence)) names.push_back(topics.evidence_keys);
        Result<std::unique_ptr<DevBroker>> broker = DevBroker::start(names);
        if (!broker) return tl::unexpected(std::move(broker.error()));
        dev_broker = std::move(*broker);
        dev_address = dev_broker->bootstrap();
        config.exporters.kafka.brokers = {dev_address};
    }
    if (!config.exporters.kafka.brokers.empty()) {
        if (Status opened = open_kafka(); !opened) return opened;
    }
    if (!config.exporters.jsonl.directory.empty()) {
        if (Status opened = open_jsonl(); !opened) return opened;
    }
    if (kafka == nullptr && jsonl == nullptr) {
        return fail(ErrorCode::invalid_argument, "no sink: set exporters.kafka.brokers");
    }
    return {};
}

Status Gateway::Rooms::open_spool_place() {
    if (!has_spool(config)) return {};
    Result<std::unique_ptr<SpoolPlace>> opened = open_spool(config.spool, files, metrics);
    if (!opened) return tl::unexpected(std::move(opened.error()));
    spool = std::move(*opened);
    return {};
}

Status Gateway::Rooms::open_kafka() {
    if (Status opened = open_spool_place(); !opened) return opened;
    KafkaSinkSettings settings;
    settings.kafka = config.exporters.kafka;
    settings.limits.ack_timeout = config.ack_timeout;
    settings.limits.memory_bytes_max = config.memory_bytes_max;
    settings.is_required = config.exporters.kafka.required;
    settings.admission = admission_rules(config);
    settings.client_id = identity.gateway_id;
    settings.has_evidence_keys = has_evidence_keys(config.route.evidence);
    settings.asks_for_limits = !options.has_dev_broker;  // a toy knows none
    settings.is_always_spooled = config.ack == "spool";
    settings.headroom_bytes =
        std::min<Bytes>(config.receivers.limits.request_bytes_max, config.spool.bytes_max / 20);
    dead_letters = std::make_unique<DeadLetters>(slabs);
    KafkaSinkParts parts{slabs, gaps, health, clock, metrics};
    if (!options.has_dev_broker) parts.dead_letters = dead_letters.get();
    if (!options.has_dev_broker) parts.record_limits = &record_limits;
    if (spool != nullptr) parts.space = &spool->space;
    Result<std::unique_ptr<KafkaSink>> sink =
        KafkaSink::open(settings, spool != nullptr ? std::move(spool->logs) : SpoolLogs{}, parts);
    if (!sink) return tl::unexpected(std::move(sink.error()));
    kafka = std::move(*sink);
    if (options.has_dev_broker) wait_for_dev_broker();
    return {};
}

// It answers within milliseconds, but no reply waits for it: what came before would be missing.
void Gateway::Rooms::wait_for_dev_broker() const {
    const SteadyTime deadline = clock.steady() + dev_broker_wait;
    while (!kafka->takes_all_classes() && clock.steady() < deadline)
        std::this_thread::yield();
}

Status Gateway::Rooms::open_jsonl() {
    const JsonlSinkSettings settings{
        config.exporters.jsonl,
        {identity.gateway_id, SPANGATE_VERSION, host_name(), identity.rules},
        config.memory_bytes_max};
    auto sink = JsonlSink::open(settings, files, gaps, health, clock, metrics);
    if (!sink) return tl::unexpected(std::move(sink.error()));
    jsonl = std::move(*sink);
    return {};
}

}  // namespace spangate
