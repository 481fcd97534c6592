// What a gateway owns, in the order of birth; of the gateway's own source files only.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "admin/admin_server.h"
#include "app/file_watch.h"
#include "app/gateway.h"
#include "app/open_spool.h"
#include "app/watch_erased_keys.h"
#include "deliver/delivery.h"
#include "deliver/dev_broker.h"
#include "deliver/gap_book.h"
#include "deliver/jsonl_sink.h"
#include "deliver/kafka_sink.h"
#include "pipeline/ack_watch.h"
#include "pipeline/lane_pool.h"
#include "pipeline/ledger.h"
#include "pipeline/pipeline.h"
#include "receive/admission.h"
#include "receive/grpc_receiver.h"
#include "receive/http_receiver.h"
#include "route/dead_letter.h"
#include "route/gap_event.h"
#include "tee/tee.h"

namespace spangate {

// The configuration in force: with the toy broker other sinks are required.
[[nodiscard]] Config with_dev_broker(const GatewayOptions& options);

// By which new requests are refused; follows the classes that replies wait for.
[[nodiscard]] AdmissionRules admission_rules(const Config& config);

[[nodiscard]] inline EventEncoding encoding_of(const KafkaConfig& config) {
    return config.encoding == "protobuf" ? EventEncoding::protobuf : EventEncoding::json;
}

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
    [[nodiscard]] Status open_spool_place();
    [[nodiscard]] Status open_kafka();
    void wait_for_dev_broker() const;
    [[nodiscard]] Status open_jsonl();
    [[nodiscard]] Status build();
    [[nodiscard]] Status open_receivers();
    void watch_files();
    void take_renewed_files();
    void take_rules(std::shared_ptr<const Rules> made, const Config& loaded);
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
    std::unique_ptr<SpoolPlace> spool;  // null without one
    std::unique_ptr<DeadLetters> dead_letters;
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

    // Looked at by tick(): certificates and keys that others replace.
    std::unique_ptr<FileWatch> receiver_files;
    std::unique_ptr<FileWatch> kafka_files;
    std::uint32_t ticks_to_watch = 0;
};

}  // namespace spangate
