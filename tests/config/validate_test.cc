#include "config/validate.h"

#include <catch2/catch.hpp>

#include "config/load_config.h"

namespace spangate {
namespace {

// The least that is valid with Kafka.
Config kafka_config() {
    Config config;
    config.exporters.kafka.brokers = {"127.0.0.1:9092"};
    config.redact.hash_key = Secret("0123456789abcdef");
    return config;
}

bool has_fault(const Config& config, std::string_view path, std::string_view part) {
    for (const RuleFault& fault : validate(config)) {
        INFO(fault.path << ": " << fault.message);
        if (fault.path == path && fault.message.find(part) != std::string::npos) return true;
    }
    return false;
}

bool has_warning(const Config& config, std::string_view path) {
    for (const ConfigFault& warning : config_warnings(config)) {
        if (warning.place == path) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("brokers and a key are valid, and refuse nothing") {
    CHECK(validate(kafka_config()).empty());
}

TEST_CASE("host:port is told apart") {
    CHECK(split_host_port("a:1")->host == "a");
    CHECK(split_host_port("[::1]:80")->host == "::1");
    CHECK(split_host_port("[::1]:80")->port == 80);
    CHECK(split_host_port("0.0.0.0:0")->port == 0);
    for (const char* text :
         {"",
          "a",
          ":1",
          "a:",
          "a:x",
          "a:65536",
          "a:-1",
          "::1:80",
          "[a]:1",
          "[]:1",
          "http://a:1",
          "a:1:2",
          "a b:1",
          "u@a:1"}) {
        CAPTURE(text);
        CHECK_FALSE(split_host_port(text).has_value());
    }
}

TEST_CASE("loopback is 127/8, ::1 and localhost") {
    for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"}) {
        CHECK(is_loopback(host));
    }
    for (const char* host : {"0.0.0.0", "10.0.0.1", "::", "127.example.org", "localhost.org", ""}) {
        CHECK_FALSE(is_loopback(host));
    }
}

TEST_CASE("beyond loopback a receiver needs authentication or the word of the operator") {
    constexpr std::string_view path = "receivers.otlp.protocols.grpc.endpoint";
    Config config = kafka_config();
    config.receivers.grpc_endpoint = "0.0.0.0:4317";
    CHECK(has_fault(config, path, "allow_insecure: true"));

    Config insecure = config;
    insecure.receivers.auth.allow_insecure = true;
    CHECK(validate(insecure).empty());
    CHECK(has_warning(insecure, "receivers.otlp.auth.allow_insecure"));

    Config tokens = config;
    tokens.receivers.auth.bearer_tokens_file = "tokens";
    CHECK(validate(tokens).empty());
    CHECK(has_warning(tokens, "receivers.otlp.auth.bearer_tokens_file"));

    Config tls = config;
    tls.receivers.tls = {"cert", "key", ""};
    CHECK(has_fault(tls, path, "reachable beyond loopback"));
    tls.receivers.tls.client_ca_file = "ca";
    CHECK(validate(tls).empty());
}

TEST_CASE("endpoints are host:port, differ, and are not all off") {
    Config config = kafka_config();
    config.receivers.grpc_endpoint = "4317";
    config.admin.endpoint = config.receivers.http_endpoint;
    CHECK(has_fault(config, "receivers.otlp.protocols.grpc.endpoint", "is not host:port"));
    CHECK(has_fault(config, "admin.endpoint", "is taken by"));

    config.receivers.grpc_endpoint.clear();
    config.receivers.http_endpoint.clear();
    CHECK(has_fault(config, "receivers.otlp.protocols", "both are off"));

    Config any_port = kafka_config();
    any_port.receivers.grpc_endpoint = "127.0.0.1:0";
    any_port.receivers.http_endpoint = "127.0.0.1:0";
    CHECK(validate(any_port).empty());
}

TEST_CASE("certificate and key belong together") {
    Config config = kafka_config();
    config.receivers.tls.key_file = "key";
    config.exporters.kafka.tls.cert_file = "cert";
    CHECK(has_fault(config, "receivers.otlp.tls", "belong together"));
    CHECK(has_fault(config, "exporters.kafka.auth.tls", "belong together"));

    Config lonely = kafka_config();
    lonely.receivers.tls.client_ca_file = "ca";
    CHECK(has_fault(lonely, "receivers.otlp.tls.client_ca_file", "cert_file"));
}

TEST_CASE("five requests of the largest size fit the memory, and the sum is told") {
    Config config = kafka_config();
    config.receivers.limits.request_bytes_max = 30 * mib;
    CHECK(has_fault(config, "memory_bytes_max", "30MiB × 5 = 150MiB does not fit 128MiB"));
    config.memory_bytes_max = 150 * mib;
    CHECK(validate(config).empty());
}

TEST_CASE("waits fit into each other") {
    Config config = kafka_config();
    config.batch.timeout = config.ack_timeout;
    config.shutdown.accept_for = config.shutdown.grace + Millis{1};
    CHECK(has_fault(config, "processors.batch.timeout", "is not below ack_timeout"));
    CHECK(has_fault(config, "shutdown.accept_for", "does not fit"));
}

TEST_CASE("a reply must promise something") {
    Config sinks = kafka_config();
    sinks.exporters.kafka.required = false;
    CHECK(has_fault(sinks, "exporters", "no sink is required"));
    sinks.exporters.jsonl.directory = "out";
    CHECK(validate(sinks).empty());
    sinks.exporters.kafka.encoding = "protobuf";
    CHECK(has_fault(sinks, "exporters.kafka.encoding", "beside a jsonl sink"));

    Config classes = kafka_config();
    classes.route.operational_required = false;
    classes.route.detail_required = false;
    CHECK(validate(classes).empty());
    CHECK(has_warning(classes, "processors.route.classes.detail.required"));
    classes.route.evidence_required = false;
    CHECK(has_fault(classes, "processors.route.classes", "no class is required"));
}

TEST_CASE("with Kafka a key is needed, long enough, and the fault says how to make one") {
    constexpr std::string_view path = "processors.redact.hash_key";
    Config config = kafka_config();
    config.redact.hash_key = Secret();
    CHECK(has_fault(config, path, "openssl rand -hex 32"));
    config.redact.hash_key = Secret("0123456789abcde");
    CHECK(has_fault(config, path, "shorter than 16 bytes"));

    Config files;
    files.exporters.jsonl.directory = "out";
    CHECK(validate(files).empty());
}

TEST_CASE("patterns have a name of their own and a regex") {
    Config config = kafka_config();
    config.redact.patterns = {{"a", "x", "mask"}, {"a", "", "mask"}, {"b c", "x", "mask"}};
    CHECK(has_fault(config, "processors.redact.patterns[1].name", "stands twice"));
    CHECK(has_fault(config, "processors.redact.patterns[1].regex", "is empty"));
    CHECK(has_fault(config, "processors.redact.patterns[2].name", "letters, digits"));
}

TEST_CASE("an attribute key has one treatment, and `all` detectors stand first") {
    Config config = kafka_config();
    config.redact.keys_drop = {"a", "a"};
    config.redact.keys_allow = {"a"};
    config.redact.detectors = {"email:hash", "all"};
    config.interpret.session_keys = {""};
    CHECK(has_fault(config, "processors.redact.keys.allow", "stands under drop too"));
    CHECK(has_fault(config, "processors.redact.detectors", "stands first"));
    CHECK(has_fault(config, "processors.interpret.session_keys", "is empty"));
}

TEST_CASE("topics differ by class and have names that Kafka takes") {
    Config config = kafka_config();
    config.exporters.kafka.topics.detail = "agent_operational";
    config.exporters.kafka.topics.audit = "a b";
    CHECK(has_fault(config, "exporters.kafka.topics.detail", "is the topic of"));
    CHECK(has_fault(config, "exporters.kafka.topics.audit", "is no topic name"));

    for (const std::string& name : {std::string(), std::string("."), std::string(250, 'a')}) {
        Config bad = kafka_config();
        bad.exporters.kafka.topics.operational = name;
        CHECK(has_fault(bad, "exporters.kafka.topics.operational", "is no topic name"));
    }
}

TEST_CASE("{tenant} in a topic needs the list of tenants, and may not collide through it") {
    Config config = kafka_config();
    KafkaConfig& kafka = config.exporters.kafka;
    kafka.topics.operational = "x.{tenant}";
    CHECK(has_fault(config, "exporters.kafka.topics.operational", "exporters.kafka.tenants"));
    kafka.tenants = {"acme", "zeta"};
    CHECK(validate(config).empty());
    kafka.topics.detail = "x.zeta";
    CHECK(has_fault(config, "exporters.kafka.topics.detail", "is the topic of"));
    kafka.topics.detail = "d";
    kafka.tenants = {"a/b"};
    CHECK(has_fault(config, "exporters.kafka.tenants", "cannot stand in a topic's name"));
    kafka.topics.operational = "x";
    kafka.tenants = {"acme"};
    CHECK(has_warning(config, "exporters.kafka.tenants"));
}

TEST_CASE("librdkafka properties that would undo a guarantee are refused, with what to use") {
    const std::vector<std::pair<std::string, std::string>> refused = {
        {"acks", "OK true"},
        {"request.required.acks", "OK true"},
        {"enable.idempotence", "OK true"},
        {"enable.gapless.guarantee", "OK true"},
        {"delivery.report.only.error", "OK true"},
        {"max.in.flight", "in order"},
        {"max.in.flight.requests.per.connection", "in order"},
        {"queuing.strategy", "in order"},
        {"partitioner", "the session decides"},
        {"message.timeout.ms", "ack_timeout"},
        {"delivery.timeout.ms", "ack_timeout"},
        {"queue.buffering.max.messages", "memory_bytes_max"},
        {"queue.buffering.max.kbytes", "memory_bytes_max"},
        {"queue.buffering.max.ms", "exporters.kafka.linger"},
        {"linger.ms", "exporters.kafka.linger"},
        {"compression.codec", "exporters.kafka.compression"},
        {"transactional.id", "event_id"},
        {"test.mock.num.brokers", "--dev-broker"},
        {"bootstrap.servers", "exporters.kafka.brokers"},
        {"metadata.broker.list", "exporters.kafka.brokers"},
        {"security.protocol", "exporters.kafka.auth.tls"},
        {"ssl.ca.location", "auth.tls.ca_file"},
        {"ssl.key.password", "auth.tls.key_file"},
        {"ssl.keystore.password", "exporters.kafka.auth.tls"},
        {"sasl.password", "exporters.kafka.auth.sasl"},
        {"sasl.username", "exporters.kafka.auth.sasl"},
        {"my.secret", "exporters.kafka.auth"},
    };
    for (const auto& [property, instead] : refused) {
        CAPTURE(property);
        Config config = kafka_config();
        config.exporters.kafka.librdkafka[property] = "1";
        CHECK(has_fault(config, "exporters.kafka.librdkafka." + property, instead));
    }
    Config config = kafka_config();
    config.exporters.kafka.librdkafka = {
        {"client.id", "a"}, {"socket.keepalive.enable", "true"}, {"ssl.cipher.suites", "x"}};
    CHECK(validate(config).empty());
}

TEST_CASE("SASL needs its mechanism, name and password") {
    constexpr std::string_view path = "exporters.kafka.auth.sasl";
    Config config = kafka_config();
    config.exporters.kafka.sasl.username = "u";
    CHECK(has_fault(config, path, "need mechanism"));
    config.exporters.kafka.sasl.mechanism = "PLAIN";
    CHECK(has_fault(config, path, "PLAIN needs username and password"));
    config.exporters.kafka.sasl.mechanism = "OAUTHBEARER";
    CHECK(has_fault(config, path, "OAUTHBEARER needs token_file"));
    config.exporters.kafka.sasl.token_file = "/run/token";
    CHECK_FALSE(has_fault(config, path, "OAUTHBEARER"));
    config.exporters.kafka.sasl.mechanism = "PLAIN";
    config.exporters.kafka.sasl.password = Secret("p");
    CHECK(validate(config).empty());
    CHECK(has_warning(config, "exporters.kafka.auth.sasl.mechanism"));
    config.exporters.kafka.tls_enabled = true;
    CHECK_FALSE(has_warning(config, "exporters.kafka.auth.sasl.mechanism"));
}

TEST_CASE("brokers are host:port") {
    Config config = kafka_config();
    config.exporters.kafka.brokers = {"kafka:9092", "kafka", "kafka:0"};
    CHECK(has_fault(config, "exporters.kafka.brokers", "`kafka` is not host:port"));
    CHECK(has_fault(config, "exporters.kafka.brokers", "`kafka:0` is not host:port"));
}

TEST_CASE("the tee goes to an address, by gRPC without a path, and never to this gateway itself") {
    constexpr std::string_view path = "exporters.otlp.endpoint";
    Config config = kafka_config();
    config.receivers.grpc_endpoint = "127.0.0.1:4317";
    config.receivers.http_endpoint = "0.0.0.0:4318";
    config.receivers.auth.allow_insecure = true;
    OtlpTeeConfig& tee = config.exporters.otlp;
    for (const char* good : {"collector:4317", "https://collector.example.org", "127.0.0.1:5317"}) {
        CAPTURE(good);
        tee.endpoint = good;
        CHECK(validate(config).empty());
    }
    tee.endpoint = "collector";
    CHECK(has_fault(config, path, "neither host:port nor a URL"));
    tee.endpoint = "https://collector/otlp";
    CHECK(has_fault(config, path, "has a path"));
    tee.protocol = "http";
    CHECK(validate(config).empty());
    for (const char* own :
         {"127.0.0.1:4317", "localhost:4317", "http://127.0.0.1:4318", "localhost:4318"}) {
        CAPTURE(own);
        tee.endpoint = own;
        CHECK(has_fault(config, path, "own receiver"));
    }
}

TEST_CASE("what this version does not do is refused, not ignored") {
    const std::vector<std::pair<std::string, void (*)(Config&)>> refused = {
        {"processors.route.mirror.enabled",
         [](Config& c) {
             c.route.mirror.enabled = true;
         }},
        {"exporters.kafka.auth.sasl.oauth",
         [](Config& c) {
             c.exporters.kafka.sasl.oauth["a"] = "b";
         }},
        {"processors.interpret.session_memory.bind_wait",
         [](Config& c) {
             c.interpret.session_memory.bind_wait = Millis{1};
         }},
    };
    for (const auto& [path, change] : refused) {
        CAPTURE(path);
        Config config = kafka_config();
        change(config);
        CHECK(has_fault(config, path, "is not in this version"));
    }
}

TEST_CASE("ack: spool needs a spool, which needs a required Kafka and a directory") {
    Config config = kafka_config();
    config.ack = "spool";
    CHECK_FALSE(has_fault(config, "ack", "there is none"));
    config.spool.directory.clear();
    CHECK_FALSE(has_spool(config));
    CHECK(has_fault(config, "ack", "there is none"));
    config.ack = "memory";
    CHECK_FALSE(has_fault(config, "ack", "there is none"));
    CHECK(has_warning(config, "ack"));
}

TEST_CASE("warnings tell of clear evidence, long waits and files that are not there") {
    Config config = kafka_config();
    CHECK(has_warning(config, "processors.route.evidence"));
    CHECK_FALSE(has_warning(config, "ack_timeout"));

    config.route.evidence.enabled = false;
    config.ack_timeout = Millis{10'000};
    config.interpret.conventions_file = "/nonexistent/conventions.yaml";
    config.interpret.prices_file = "/nonexistent/prices.yaml";
    CHECK_FALSE(has_warning(config, "processors.route.evidence"));
    CHECK(has_warning(config, "ack_timeout"));
    CHECK(has_warning(config, "processors.interpret.conventions_file"));
    CHECK(has_warning(config, "processors.interpret.prices_file"));
}

TEST_CASE("who only reads topics needs no hash key") {
    Config config = kafka_config();
    config.redact.hash_key = Secret();
    CHECK_FALSE(validate(config).empty());
    CHECK(validate(config, ConfigUse::reader).empty());
}

TEST_CASE("the guard's names are those that Kafka and events take") {
    const auto with = [](auto change) {
        Config config = kafka_config();
        change(config.guard);
        return config;
    };
    CHECK(has_fault(with([](GuardConfig& guard) { guard.group = "a b"; }), "guard.group", "letters")
    );
    CHECK(has_fault(
        with([](GuardConfig& guard) { guard.state_topic = "agent.operational"; }),
        "guard.state_topic",
        "is the topic of"
    ));
    CHECK(has_fault(
        with([](GuardConfig& guard) { guard.endpoint = "9465"; }), "guard.endpoint", "host:port"
    ));
    CHECK(has_fault(
        with([](GuardConfig& guard) { guard.endpoint = "127.0.0.1:9464"; }),
        "guard.endpoint",
        "is taken by"
    ));
    for (const char* url : {"hook", "ftp://x/", "http://u:p@x/", "http://x/?token=1"}) {
        CAPTURE(url);
        CHECK(has_fault(
            with([url](GuardConfig& guard) { guard.webhook = Secret(url); }), "guard.webhook", "URL"
        ));
    }
    CHECK(validate(with([](GuardConfig& guard) {
              guard.webhook = Secret("https://hooks.example.org/T1/B2");
          })).empty());
}

TEST_CASE("a guard's warning comes before what is critical") {
    Config config = kafka_config();
    config.guard.loops.repeats_warn = 9;
    CHECK(has_fault(config, "guard.loops.repeats_critical", "below"));
}

}  // namespace spangate
