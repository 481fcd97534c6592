// Every setting as plain structs, one per room: the default in the struct, the unit in the type or
// the name, one comment each. Names follow the configuration file (YAML), which uses the
// OpenTelemetry Collector's words where the thing is the same. A room sees its own struct only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spangate {

using Millis = std::chrono::milliseconds;
using Bytes = std::uint64_t;

inline constexpr Bytes kib = 1024;
inline constexpr Bytes mib = 1024 * kib;
inline constexpr Bytes gib = 1024 * mib;

// Prints as ***; read it with reveal() at the one place that needs it.
class Secret {
  public:
    Secret() = default;

    explicit Secret(std::string value) : value_(std::move(value)) {}

    [[nodiscard]] const std::string& reveal() const { return value_; }

    [[nodiscard]] bool empty() const { return value_.empty(); }

  private:
    std::string value_;
};

// receivers ─────────────────────────────────────────────────────────────────────────────────────

struct TlsServerConfig {
    std::string cert_file;       // PEM chain; set = TLS on both receivers
    std::string key_file;        // PEM key
    std::string client_ca_file;  // set = mTLS: clients must show a certificate of this CA
};

struct ReceiverAuthConfig {
    std::string bearer_tokens_file;  // lines «token tenant»; set = every request needs one of them
    std::string tenant_from = "token";
    bool allow_insecure = false;  // without authentication, listen beyond loopback all the same
};

struct ReceiverLimits {
    Bytes request_bytes_max = 20 * mib;    // on the wire and inflated
    std::uint32_t connections_max = 1024;  // HTTP; per listener
    std::uint32_t connections_per_address_max = 256;
    std::uint32_t spans_per_request_max = 50'000;
    std::uint32_t attributes_per_span_max = 1'024;
    std::uint32_t nesting_depth_max = 64;        // AnyValue in AnyValue, JSON in JSON
    std::uint32_t requests_waiting_max = 1'024;  // admitted and not yet taken by a lane
    Bytes header_bytes_max = 32 * kib;
    Millis header_timeout{10'000};
    Millis body_timeout{30'000};   // whole body
    Millis idle_timeout{120'000};  // keep-alive
};

struct ReceiversConfig {
    std::string grpc_endpoint = "127.0.0.1:4317";  // empty: off
    std::string http_endpoint = "127.0.0.1:4318";  // empty: off
    std::vector<std::string> http_path_prefixes;   // also accept PREFIX/v1/traces
    TlsServerConfig tls;
    ReceiverAuthConfig auth;
    ReceiverLimits limits;
};

// processors ────────────────────────────────────────────────────────────────────────────────────

struct BatchConfig {
    Millis timeout{0};               // how long a lane waits for more; 0: takes what waits
    std::uint32_t spans_max = 4096;  // a walk takes no further request above this
    Bytes bytes_max = 8 * mib;
};

struct EnrichConfig {
    std::string env;
    std::string tenant_id;
    std::map<std::string, std::string> attributes;  // added to detail
    std::vector<std::string> resource_detection = {"env", "k8s"};
};

struct SessionMemoryConfig {
    std::uint32_t traces_max = 200'000;
    Millis ttl{3'600'000};
    Millis bind_wait{0};
};

struct UsageMemoryConfig {
    std::uint32_t calls_max = 200'000;
    Millis ttl{3'600'000};
};

struct InterpretConfig {
    std::string conventions_file;           // empty: the built-in table
    std::vector<std::string> session_keys;  // tried before the table's
    SessionMemoryConfig session_memory;
    UsageMemoryConfig usage_memory;
    std::string gateway_name;  // part of gateway_id; empty: POD_NAME or the host name
    std::string prices_file;
    bool keep_other = false;
};

struct RedactPattern {
    std::string name;
    std::string regex;            // RE2
    std::string action = "mask";  // mask | hash | drop | keep_last4
};

struct RedactConfig {
    Secret hash_key;  // HMAC key of digests and ids; the same on every gateway of a cluster
    std::vector<std::string> detectors = {"all"};
    std::string content_in_detail = "redacted";  // redacted | none
    std::vector<RedactPattern> patterns;
    std::vector<std::string> keys_drop;  // attribute keys whose value leaves no class but evidence
    std::vector<std::string> keys_hash;
    std::vector<std::string> keys_allow;  // not content, although no table names them
    Bytes content_bytes_max = 2 * kib;
};

struct EvidenceConfig {
    bool enabled = true;
    std::string encrypt_key_file;        // the tenants' keys; empty: evidence lies in clear
    std::string encrypt_per = "tenant";  // tenant | session | user: whose data one data key covers
    Millis encrypt_rotate_after{86'400'000};  // age at which a data key gets a successor
    Bytes chunk_bytes_max =
        384 * kib;  // payload bytes per record; base64 and the decoded parts fit 1 MiB
};

struct MirrorConfig {
    bool enabled = false;
    std::string topic = "otel-spans";
    std::string encoding = "otlp_proto";
};

struct RouteConfig {
    EvidenceConfig evidence;
    bool operational_required = true;  // the reply waits for the required classes
    bool detail_required = true;
    bool evidence_required = true;
    MirrorConfig mirror;
};

// exporters ─────────────────────────────────────────────────────────────────────────────────────

struct KafkaTopics {
    std::string operational = "agent.operational";
    std::string detail = "agent.detail";
    std::string evidence = "agent.evidence";
    std::string dead_letter = "agent.dead-letter";
    std::string audit = "agent.audit";
    std::string evidence_keys = "agent.evidence-keys";  // wrapped data keys; compacted
};

struct KafkaTls {
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
};

struct KafkaSasl {
    std::string mechanism;
    std::string username;
    Secret password;
    std::string token_file;
    std::map<std::string, std::string> oauth;
};

struct KafkaConfig {
    std::vector<std::string> brokers;  // host:port; empty: no Kafka sink
    KafkaTopics topics;
    std::vector<std::string> tenants;  // what {tenant} in a topic name may become
    std::string encoding = "json";     // json | protobuf
    std::string compression = "lz4";   // none | lz4 | zstd | snappy | gzip
    std::string headers = "minimal";   // minimal | full | none
    bool tls_enabled = false;          // also on when any tls file is set
    KafkaTls tls;
    KafkaSasl sasl;
    bool required = true;
    Millis linger{20};
    std::uint32_t partitions = 6;          // topics create
    std::uint32_t replication_factor = 3;  // topics create
    std::uint32_t operational_retention_days = 90;
    std::uint32_t detail_retention_days = 30;
    std::uint32_t evidence_retention_days = 30;
    std::map<std::string, std::string>
        librdkafka;  // passed through, except what would undo a guarantee
};

struct JsonlConfig {
    std::string directory;  // empty: no jsonl sink, unless there is no broker at all
    Bytes rotate_bytes = 256 * mib;
    std::string compress = "zstd";  // zstd | none; of rotated files
    bool required = true;
};

struct OtlpTeeConfig {
    std::string endpoint;
    std::string protocol = "grpc";
};

struct ExportersConfig {
    KafkaConfig kafka;
    JsonlConfig jsonl;
    OtlpTeeConfig otlp;
};

// the rest ──────────────────────────────────────────────────────────────────────────────────────

struct SpoolConfig {
    std::string directory = "/var/lib/spangate/spool";  // empty: none
    Bytes bytes_max = gib;
    bool fsync = true;
    bool allow_volatile = false;  // on a file system in memory, all the same
};

struct ShutdownConfig {
    Millis grace{20'000};
    Millis accept_for{5'000};
};

struct AdminConfig {
    std::string endpoint = "127.0.0.1:9464";  // empty: off
};

struct LogConfig {
    std::string level = "info";   // debug | info | warn | error
    std::string format = "auto";  // auto | text | json; auto: text on a TTY
};

// Thresholds of the loop detector (timeline/loop_detector.h), for `spangate guard` and replay
// alike.
struct LoopThresholds {
    std::uint32_t repeats_warn = 3;  // L1 no progress
    std::uint32_t repeats_critical = 6;
    std::uint32_t polls_max = 50;  // L2 changing results
    double polls_per_second_max = 1.0;
    double polls_cost_usd = 0.10;
    std::uint32_t cycle_period_max = 8;  // L3
    std::uint32_t cycles_warn = 3;
    std::uint32_t cycles_critical = 5;
    std::uint32_t failures_warn = 3;            // L4
    std::uint32_t permanent_failures_warn = 2;  // of errors that a repeat does not mend
    std::uint32_t frozen_steps_warn = 5;        // L5
    std::uint32_t frozen_steps_critical = 10;
    std::uint32_t retries_warn = 2;  // L6
    std::uint32_t retries_critical = 4;
    std::uint32_t variations_warn = 4;     // L7
    std::uint32_t handoff_turns_warn = 3;  // L8
    std::uint32_t delegation_depth_max = 8;
    double cost_slope_factor = 3.0;  // L9
    double cost_slope_usd_per_minute_min = 0.10;
    double context_growth_min = 0.20;  // L10, a call
    std::uint32_t context_calls = 5;
    std::uint32_t context_window_tokens = 0;  // 0: not judged
    Millis budget_horizon{300'000};           // L11
    Millis silence{600'000};                  // L12
};

struct GuardConfig {
    bool enabled = true;  // signals; off: replay and guard tell none
    std::string group = "spangate-guard";
    std::string endpoint = "127.0.0.1:9465";  // GET /guard/SESSION, /metrics; empty: off
    Secret webhook;  // URL that signals are posted to, which may hold a token; empty: none
    std::string state_topic = "agent.guard-state";  // compacted
    Millis state_interval{10'000};                  // how often changed sessions are saved
    std::uint32_t sessions_max = 100'000;
    Millis session_ttl{86'400'000};  // a session without an event for so long is forgotten
    double budget_usd = 0;           // of a session that tells none; 0: none
    LoopThresholds loops;
};

struct Config {
    ReceiversConfig receivers;
    BatchConfig batch;
    EnrichConfig enrich;
    InterpretConfig interpret;
    RedactConfig redact;
    RouteConfig route;
    ExportersConfig exporters;
    std::string ack = "kafka";  // kafka | spool | memory
    Millis ack_timeout{5'000};
    SpoolConfig spool;
    Bytes memory_bytes_max = 128 * mib;
    ShutdownConfig shutdown;
    AdminConfig admin;
    GuardConfig guard;
    LogConfig log;
    std::uint32_t lanes = 0;  // 0: from the cores
};

// Whether records may wait on disk for Kafka.
[[nodiscard]] inline bool has_spool(const Config& config) {
    const KafkaConfig& kafka = config.exporters.kafka;
    return !config.spool.directory.empty() && !kafka.brokers.empty() && kafka.required;
}

}  // namespace spangate
