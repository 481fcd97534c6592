// The part of the gateway that takes a changed configuration.
#include <utility>

#include "app/gateway_rooms.h"
#include "app/make_rules.h"
#include "config/load_config.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view room = "gateway";

// What new producers may take over while running.
void keep_access(KafkaConfig& kafka, const KafkaConfig& old) {
    kafka.brokers = old.brokers;
    kafka.tls_enabled = old.tls_enabled;
    kafka.tls = old.tls;
    kafka.sasl = old.sasl;
}

// Files may hold something new under the same name, so every reload reads them again.
bool wants_rotation(const KafkaConfig& kafka, const KafkaConfig& old) {
    const KafkaTls& tls = kafka.tls;
    const bool has_files = !tls.ca_file.empty() || !tls.cert_file.empty() || !tls.key_file.empty();
    return has_files || !kafka.sasl.mechanism.empty() || !old.sasl.mechanism.empty() ||
           kafka.brokers != old.brokers || kafka.tls_enabled != old.tls_enabled;
}

}  // namespace

void Gateway::Rooms::watch_files() {
    const TlsServerConfig& own = config.receivers.tls;
    const KafkaTls& tls = config.exporters.kafka.tls;
    receiver_files = std::make_unique<FileWatch>(
        files, std::vector<std::string>{own.cert_file, own.key_file, own.client_ca_file}
    );
    kafka_files = std::make_unique<FileWatch>(
        files, std::vector<std::string>{tls.ca_file, tls.cert_file, tls.key_file}
    );
}

// A certificate and its key change one after the other: a pair that does not fit is told, and taken
// when the second file changes. gRPC looks at its files itself.
void Gateway::Rooms::take_renewed_files() {
    if (http != nullptr && receiver_files->changed()) {
        const Status taken = http->reload_tls(config.receivers.tls);
        if (taken) log_info(room, "renewed TLS files of the receivers are in use");
        if (!taken) log_error(room, "TLS files stay as they were: {}", taken.error().message);
    }
    if (kafka != nullptr && kafka_files->changed()) {
        const Status taken = kafka->rotate(config.exporters.kafka);
        if (taken) log_info(room, "renewed TLS files for Kafka are in use");
        if (!taken) log_error(room, "TLS for Kafka stays as it was: {}", taken.error().message);
    }
}

// A request that the old rules admit and the new ones route, or the other way round, meets the
// stricter of both; what was routed keeps its tickets.
void Gateway::Rooms::take_rules(std::shared_ptr<const Rules> made, const Config& loaded) {
    const AdmissionRules next = admission_rules(loaded);
    if (kafka != nullptr) kafka->admit_by(next.stricter(admission_rules(config)));
    rules = std::move(made);
    if (kafka != nullptr) kafka->admit_by(next);
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
    if (loaded->redact.hash_key.reveal() != old.redact.hash_key.reveal()) {
        return fail(ErrorCode::conflict, "hash_key changed: restart to use it");
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
    if (rooms.kafka != nullptr && !rooms.options.has_dev_broker) {
        keep_access(fixed.exporters.kafka, old.exporters.kafka);
    }
    if (print_config(fixed) != print_config(old)) {
        return fail(
            ErrorCode::conflict,
            "only processors.enrich, interpret (but its memories and gateway_name), redact and "
            "route, exporters.kafka's brokers and auth, and log, change while running (not whether "
            "evidence is encrypted): restart for the rest"
        );
    }
    Result<std::shared_ptr<const Rules>> made =
        make_rules(*loaded, *rooms.hash_key, rooms.identity.gateway_id);
    if (!made) return tl::unexpected(std::move(made.error()));
    if (!loaded->receivers.auth.bearer_tokens_file.empty()) {
        if (Status tokens = rooms.admission->load_tokens(); !tokens) return tokens;
    }
    if (rooms.http != nullptr && !rooms.config.receivers.tls.cert_file.empty()) {
        if (Status taken = rooms.http->reload_tls(rooms.config.receivers.tls); !taken) return taken;
    }
    const KafkaConfig& kafka = loaded->exporters.kafka;
    if (rooms.kafka != nullptr && !rooms.options.has_dev_broker &&
        wants_rotation(kafka, old.exporters.kafka)) {
        if (Status rotated = rooms.kafka->rotate(kafka); !rotated) return rotated;
        keep_access(rooms.config.exporters.kafka, kafka);
    }
    rooms.watch_files();
    rooms.take_rules(std::move(*made), *loaded);
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

}  // namespace spangate
