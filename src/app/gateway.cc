#include "app/gateway.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/gateway_rooms.h"
#include "app/hash_key_source.h"
#include "app/make_rules.h"
#include "base/cores.h"
#include "config/load_config.h"
#include "observe/log.h"
#include "tee/open_tee.h"

namespace spangate {
namespace {

constexpr std::string_view room = "gateway";
constexpr std::uint32_t files_watched_every_ticks = 5;

// The table of src/README.md.
std::uint32_t lanes_count(const Config& config) {
    return config.lanes > 0 ? config.lanes : std::clamp(usable_cores() * 5 / 8, 1U, 40U);
}

}  // namespace

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

    // With a spool the records go there at four fifths of ack_timeout; the reply may need a little
    // longer, and a refusal of what is stored in the end would only make repeats.
    const Millis wait = spool != nullptr ? config.ack_timeout * 8 / 5 : config.ack_timeout;
    ack_watch = std::make_unique<AckWatch>(wait, clock, metrics);
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
    watch_files();
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
    if (rooms_->ticks_to_watch-- > 0) return;
    rooms_->ticks_to_watch = files_watched_every_ticks;
    const std::lock_guard lock(rooms_->reload_mutex);
    rooms_->take_renewed_files();
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
