#include "app/gateway.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "admin/admin_server.h"
#include "app/hash_key_source.h"
#include "app/make_rules.h"
#include "app/watch_erased_keys.h"
#include "base/cores.h"
#include "config/load_config.h"
#include "deliver/delivery.h"
#include "deliver/dev_broker.h"
#include "deliver/gap_book.h"
#include "deliver/jsonl_sink.h"
#include "deliver/kafka_sink.h"
#include "observe/log.h"
#include "pipeline/ack_watch.h"
#include "pipeline/lane_pool.h"
#include "pipeline/ledger.h"
#include "pipeline/pipeline.h"
#include "receive/admission.h"
#include "receive/grpc_receiver.h"
#include "receive/http_receiver.h"
#include "route/gap_event.h"
#include "tee/open_tee.h"

namespace spangate {
namespace {

constexpr std::string_view room = "gateway";

// The table of src/README.md.
std::uint32_t lanes_count(const Config& config) {
    return config.lanes > 0 ? config.lanes : std::clamp(usable_cores() * 5 / 8, 1U, 40U);
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

EventEncoding encoding_of(const KafkaConfig& config) {
    return config.encoding == "protobuf" ? EventEncoding::protobuf : EventEncoding::json;
}

}  // namespace

struct Gateway::Rooms {
    explicit Rooms(GatewayOptions given)
        : options(std::move(given)),
          config(with_dev_broker(options)),
          budget(config.memory_bytes_max),
          gaps(metrics),
          sessions(config.interpret.session_memory),
          usage(config.interpret.usage_memory),
          ledger(metrics) {}

    [[nodiscard]] Status open_sinks();
    [[nodiscard]] Status open_kafka();
    [[nodiscard]] Status open_jsonl();
    [[nodiscard]] Status build();
    [[nodiscard]] Status open_receivers();
    void register_gauges();

    GatewayOptions options;
    Config config;  // in force; processors change on reload, under reload_mutex
    std::mutex reload_mutex;

    SystemClock clock;
    PosixFileSystem files;
    Metrics metrics;
    Health health;
    MemoryBudget budget;
    SlabPool slabs;
    RecordLimits record_limits;
    std::unique_ptr<HashKey> hash_key;
    GatewayIdentity identity;  // of the rules at start; gaps are told under it
    CurrentRules rules;

    GapBook gaps;
    std::unique_ptr<GapEventWriter> gap_writer;
    std::unique_ptr<DevBroker> dev_broker;
    std::string dev_address;
    std::unique_ptr<KafkaSink> kafka;
    std::unique_ptr<JsonlSink> jsonl;
    std::unique_ptr<Delivery> delivery;

    SessionMemory sessions;
    UsageMemory usage;
    Ledger ledger;
    std::unique_ptr<AckWatch> ack_watch;
    std::unique_ptr<LanePool> lanes;
    std::unique_ptr<Tee> tee;  // null without exporters.otlp
    std::unique_ptr<Admission> admission;
    std::unique_ptr<GrpcReceiver> grpc;
    std::unique_ptr<HttpReceiver> http;
    std::unique_ptr<AdminServer> admin;
    ErasedKeyWatches erased_keys;
};

Status Gateway::Rooms::open_sinks() {
    if (options.has_dev_broker) {
        const KafkaTopics& topics = config.exporters.kafka.topics;
        std::vector<std::string> names{topics.operational, topics.detail, topics.evidence};
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

Status Gateway::Rooms::open_kafka() {
    KafkaSinkSettings settings;
    settings.kafka = config.exporters.kafka;
    settings.limits = {config.ack_timeout, config.memory_bytes_max};
    settings.is_required = config.exporters.kafka.required;
    settings.client_id = identity.gateway_id;
    settings.has_evidence_keys = has_evidence_keys(config.route.evidence);
    if (!options.has_dev_broker) settings.record_limits = &record_limits;  // a toy knows none
    Result<std::unique_ptr<KafkaSink>> sink =
        KafkaSink::open(settings, gaps, health, clock, metrics);
    if (!sink) return tl::unexpected(std::move(sink.error()));
    kafka = std::move(*sink);
    return {};
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

Status Gateway::Rooms::build() {
    Result<HashKeyText> key = find_hash_key(config, options.has_dev_broker);
    if (!key) return tl::unexpected(std::move(key.error()));
    hash_key = std::make_unique<HashKey>(key->text);
    const std::string gateway_id = make_gateway_id(config.interpret);
    Result<std::shared_ptr<const Rules>> made = make_rules(config, *hash_key, gateway_id);
    if (!made) return tl::unexpected(std::move(made.error()));
    identity = (*made)->identity;
    rules = std::move(*made);
    if (Status opened = open_sinks(); !opened) return opened;

    const EventEncoding encoding = encoding_of(config.exporters.kafka);
    gap_writer = std::make_unique<GapEventWriter>(encoding, identity, slabs, clock);
    DeliverySettings settings;
    settings.slots = encoding == EventEncoding::json ? SlotForm::decimal : SlotForm::fixed64;
    std::vector<RecordSink*> sinks;
    if (kafka != nullptr) sinks.push_back(kafka.get());
    if (jsonl != nullptr) sinks.push_back(jsonl.get());
    delivery = std::make_unique<Delivery>(settings, sinks, gaps, gap_writer.get(), clock, metrics);

    ack_watch = std::make_unique<AckWatch>(config.ack_timeout, clock, metrics);
    const PipelineShared shared{
        config.receivers.limits,
        encoding,
        rules,
        *hash_key,
        sessions,
        usage,
        slabs,
        *delivery,
        ledger,
        metrics,
        &record_limits,
    };
    std::vector<std::unique_ptr<Pipeline>> pipelines;
    for (std::uint32_t i = 0; i < lanes_count(config); ++i) {
        pipelines.push_back(std::make_unique<Pipeline>(shared));
    }
    lanes = std::make_unique<LanePool>(
        config.batch,
        config.receivers.limits.requests_waiting_max,
        std::move(pipelines),
        *ack_watch,
        metrics
    );
    register_gauges();
    erased_keys = watch_erased_keys(config, rules, metrics);
    return open_receivers();
}

Status Gateway::Rooms::open_receivers() {
    RequestInbox* inbox = lanes.get();
    if (!config.exporters.otlp.endpoint.empty()) {
        auto opened = open_tee(config.exporters.otlp, *lanes, budget, metrics);
        if (!opened) return tl::unexpected(std::move(opened.error()));
        tee = std::move(*opened);
        inbox = tee.get();
    }
    admission = std::make_unique<Admission>(
        config.receivers,
        budget,
        *inbox,
        &ledger,
        clock,
        metrics,
        [this] { return delivery->refusal(); }
    );
    if (tee != nullptr) admission->send_metrics_to(*tee);
    if (!config.receivers.auth.bearer_tokens_file.empty()) {
        if (Status loaded = admission->load_tokens(); !loaded) return loaded;
    }
    if (!config.receivers.grpc_endpoint.empty()) {
        auto receiver = GrpcReceiver::start(config.receivers, *admission, metrics);
        if (!receiver) return tl::unexpected(std::move(receiver.error()));
        grpc = std::move(*receiver);
    }
    if (!config.receivers.http_endpoint.empty()) {
        auto receiver = HttpReceiver::start(config.receivers, *admission, clock, metrics);
        if (!receiver) return tl::unexpected(std::move(receiver.error()));
        http = std::move(*receiver);
    }
    return {};
}

void Gateway::Rooms::register_gauges() {
    metrics.gauge_from(
        "spangate_memory_leased_bytes",
        "Bytes leased by requests from admission to the last acknowledgement.",
        [this] { return static_cast<double>(budget.bytes_held()); }
    );
    metrics.gauge_from("spangate_memory_limit_bytes", "memory_bytes_max.", [this] {
        return static_cast<double>(budget.bytes_max());
    });
    metrics.gauge_from(
        "spangate_slab_bytes",
        "Bytes of slabs that hold records not yet settled.",
        [this] { return static_cast<double>(slabs.bytes_out()); }
    );
    metrics
        .gauge(
            "spangate_build_info",
            "1; the labels say what runs.",
            {{"version", SPANGATE_VERSION},
             {"gateway_id", identity.gateway_id},
             {"rules", identity.rules}}
        )
        .set(1);
}

Gateway::Gateway(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}

Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::start(GatewayOptions options) {
    std::unique_ptr<Gateway> gateway(new Gateway(std::make_unique<Rooms>(std::move(options))));
    Rooms& rooms = *gateway->rooms_;
    if (Status built = rooms.build(); !built) return tl::unexpected(std::move(built.error()));
    if (!rooms.config.admin.endpoint.empty()) {
        Gateway* self = gateway.get();
        auto admin = AdminServer::start(
            rooms.config.admin,
            {rooms.metrics,
             rooms.health,
             rooms.clock,
             [self] {
                 const std::lock_guard lock(self->rooms_->reload_mutex);
                 return print_config(self->rooms_->config);
             },
             [self] {
                 return self->reload();
             }}
        );
        if (!admin) return tl::unexpected(std::move(admin.error()));
        rooms.admin = std::move(*admin);
    }
    return gateway;
}

void Gateway::tick() {
    rooms_->delivery->tick();
}

Status Gateway::reload() {
    Rooms& rooms = *rooms_;
    const std::lock_guard lock(rooms.reload_mutex);
    if (rooms.options.config_path.empty()) {
        return fail(ErrorCode::unsupported, "there is no configuration file to read again");
    }
    auto loaded = load_config(rooms.options.config_path);
    if (!loaded) {
        std::string faults;
        for (const ConfigFault& fault : loaded.error()) {
            faults += (faults.empty() ? "" : "; ") + fault.place + ": " + fault.message;
        }
        return fail(ErrorCode::invalid_argument, std::move(faults));
    }
    const Config& old = rooms.options.config;
    if (loaded->redact.hash_key.reveal() != old.redact.hash_key.reveal() ||
        loaded->exporters.kafka.sasl.password.reveal() !=
            old.exporters.kafka.sasl.password.reveal()) {
        return fail(ErrorCode::conflict, "a secret changed: restart to use it");
    }
    Config fixed = *loaded;  // the new file with the old processors: must equal the old file
    fixed.enrich = old.enrich;
    fixed.interpret = old.interpret;
    fixed.interpret.session_memory = loaded->interpret.session_memory;  // made once, at start
    fixed.interpret.usage_memory = loaded->interpret.usage_memory;
    fixed.interpret.gateway_name = loaded->interpret.gateway_name;
    fixed.redact = old.redact;
    fixed.route = old.route;
    // The sinks know from the start whether there is a topic of keys.
    if (has_evidence_keys(loaded->route.evidence) != has_evidence_keys(old.route.evidence)) {
        fixed.route.evidence.encrypt_key_file = loaded->route.evidence.encrypt_key_file;
        fixed.route.evidence.enabled = loaded->route.evidence.enabled;
    }
    fixed.log = old.log;
    if (print_config(fixed) != print_config(old)) {
        return fail(
            ErrorCode::conflict,
            "only processors.enrich, interpret (but its memories and gateway_name), redact and "
            "route, and log, change while running (not whether evidence is encrypted): restart for "
            "the rest"
        );
    }
    Result<std::shared_ptr<const Rules>> made =
        make_rules(*loaded, *rooms.hash_key, rooms.identity.gateway_id);
    if (!made) return tl::unexpected(std::move(made.error()));
    if (!loaded->receivers.auth.bearer_tokens_file.empty()) {
        if (Status tokens = rooms.admission->load_tokens(); !tokens) return tokens;
    }
    rooms.rules = std::move(*made);
    set_up_log(loaded->log.level, loaded->log.format);
    rooms.options.config = *loaded;
    rooms.config.enrich = loaded->enrich;
    rooms.config.interpret = loaded->interpret;
    rooms.config.redact = loaded->redact;
    rooms.config.route = loaded->route;
    rooms.config.log = loaded->log;
    log_info(room, "configuration reloaded");
    return {};
}

void Gateway::announce_shutdown() {
    rooms_->health.set_not_ready(room, "shutting down; still accepting the agents' last flush");
}

bool Gateway::drain(SteadyTime deadline) {
    Rooms& rooms = *rooms_;
    rooms.health.set_not_ready(room, "shutting down");
    rooms.admission->close_intake();
    if (rooms.http != nullptr) rooms.http->close_intake();
    rooms.lanes->drain();
    rooms.delivery->drain(deadline);
    bool is_clean = true;
    if (rooms.http != nullptr) is_clean = rooms.http->drain(deadline);
    if (rooms.grpc != nullptr) rooms.grpc->drain(deadline);
    if (rooms.tee != nullptr) rooms.tee->drain(deadline);  // tells itself of copies left behind
    return is_clean;
}

std::uint16_t Gateway::grpc_port() const {
    return rooms_->grpc != nullptr ? rooms_->grpc->port() : std::uint16_t{0};
}

std::uint16_t Gateway::http_port() const {
    return rooms_->http != nullptr ? rooms_->http->port() : std::uint16_t{0};
}

std::uint16_t Gateway::admin_port() const {
    return rooms_->admin != nullptr ? rooms_->admin->port() : std::uint16_t{0};
}

const std::string& Gateway::dev_broker_address() const {
    return rooms_->dev_address;
}

const Config& Gateway::config() const {
    return rooms_->config;
}

}  // namespace spangate
