#include "config/load_config.h"

#include <random>

#include <catch2/catch.hpp>

#include "support/environment_variable.h"
#include "support/temporary_directory.h"

namespace spangate {
namespace {

using Faults = std::vector<ConfigFault>;

Config loaded(std::string_view text) {
    const tl::expected<Config, Faults> config = load_config_text(text, "t.yaml");
    if (!config) {
        for (const ConfigFault& fault : config.error()) {
            UNSCOPED_INFO(fault.place << ": " << fault.message);
        }
    }
    REQUIRE(config.has_value());
    return *config;
}

// «place message», one a line.
std::string faults_of(std::string_view text) {
    const tl::expected<Config, Faults> config = load_config_text(text, "t.yaml");
    REQUIRE_FALSE(config.has_value());
    std::string lines;
    for (const ConfigFault& fault : config.error()) {
        lines += fault.place + " " + fault.message + "\n";
    }
    return lines;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("an empty file is the defaults with JSON lines into ./spangate-data") {
    for (const char* text : {"", "# nothing\n", "receivers:\n", "exporters: {kafka: {}}"}) {
        const Config config = loaded(text);
        CHECK(config.receivers.grpc_endpoint == "127.0.0.1:4317");
        CHECK(config.exporters.kafka.brokers.empty());
        CHECK(config.exporters.jsonl.directory == "./spangate-data");
    }
}

TEST_CASE("brokers and a key are enough for Kafka") {
    const Config config = loaded(
        "exporters: {kafka: {brokers: [a:9092, b:9093]}}\n"
        "processors: {redact: {hash_key: 0123456789abcdef}}\n"
    );
    CHECK(config.exporters.kafka.brokers == std::vector<std::string>{"a:9092", "b:9093"});
    CHECK(config.redact.hash_key.reveal() == "0123456789abcdef");
    CHECK(config.exporters.jsonl.directory.empty());
}

TEST_CASE("every shape of setting is read to its member") {
    const Config config = loaded(R"(
receivers:
  otlp:
    protocols: {http: {endpoint: "[::1]:1", path_prefixes: [/a, /b]}}
    limits: {request_bytes_max: 1MiB, connections_max: 7, idle_timeout: 3s}
processors:
  batch: {timeout: 0, spans_max: 9}
  enrich: {attributes: {team: support, n: 12, t: true}, resource_detection: []}
  redact:
    detectors: email, phone
    patterns: [{name: ticket, regex: '^TKT-[0-9]{6}$', action: hash}, {name: x, regex: x}]
    keys: {drop: [a], hash: [b], allow: [c]}
  route:
    evidence: {enabled: false, encrypt: {per: user}}
    classes: {operational: {required: true}, detail: {required: false}}
exporters:
  kafka: {headers: full, auth: {tls: {enabled: true}}, create: {partitions: 12},
          librdkafka: {socket.keepalive.enable: true}}
  jsonl: {directory: out, required: true}
lanes: 3
shutdown: {grace: 1m, accept_for: 0}
)");
    CHECK(config.receivers.http_endpoint == "[::1]:1");
    CHECK(config.receivers.http_path_prefixes == std::vector<std::string>{"/a", "/b"});
    CHECK(config.receivers.limits.request_bytes_max == mib);
    CHECK(config.receivers.limits.connections_max == 7);
    CHECK(config.receivers.limits.idle_timeout == Millis{3'000});
    CHECK(config.batch.spans_max == 9);
    CHECK(config.enrich.attributes.at("n") == "12");
    CHECK(config.enrich.attributes.at("t") == "true");
    CHECK(config.enrich.resource_detection.empty());
    CHECK(config.redact.detectors == std::vector<std::string>{"email", "phone"});
    REQUIRE(config.redact.patterns.size() == 2);
    CHECK(config.redact.patterns[0].regex == "^TKT-[0-9]{6}$");
    CHECK(config.redact.patterns[0].action == "hash");
    CHECK(config.redact.patterns[1].action == "mask");
    CHECK(config.redact.keys_allow == std::vector<std::string>{"c"});
    CHECK_FALSE(config.route.evidence.enabled);
    CHECK(config.route.evidence.encrypt_per == "user");
    CHECK(config.route.operational_required);
    CHECK_FALSE(config.route.detail_required);
    CHECK(config.exporters.kafka.headers == "full");
    CHECK(config.exporters.kafka.tls_enabled);
    CHECK(config.exporters.kafka.partitions == 12);
    CHECK(config.exporters.kafka.librdkafka.at("socket.keepalive.enable") == "true");
    CHECK(config.lanes == 3);
    CHECK(config.shutdown.grace == Millis{60'000});
}

TEST_CASE("all faults are told at once, each at its place, in the file's order") {
    CHECK(
        faults_of(R"(receivers:
  otlp:
    limits: {connections_max: many, idle_timeout: 5}
processors:
  batch: [1]
  redact: {content_in_detail: redcted, keep: true}
exporters:
  kafka: {brokers: localhost}
memory_bytes_max: 64Mi
log: {level: info, level2: x}
)") == "t.yaml:3:31 receivers.otlp.limits.connections_max: `many` is not a whole number from 1 "
       "to 1000000\n"
       "t.yaml:3:51 receivers.otlp.limits.idle_timeout: `5` is not a duration; write 200ms, 5s, "
       "2m, 1h or 0\n"
       "t.yaml:5:10 processors.batch: a map is expected, with keys of: timeout, spans_max, "
       "bytes_max\n"
       "t.yaml:6:11 processors.redact.hash_key: is needed with Kafka; make one with `openssl "
       "rand -hex 32` and give every gateway of the cluster the same, for example as "
       "${env:SPANGATE_HASH_KEY}\n"
       "t.yaml:6:31 processors.redact.content_in_detail: `redcted` is not one of: redacted, "
       "none; did you mean `redacted`?\n"
       "t.yaml:6:40 processors.redact: the key `keep` is unknown; did you mean `keys`?\n"
       "t.yaml:8:20 exporters.kafka.brokers: `localhost` is not host:port; write "
       "127.0.0.1:9092\n"
       "t.yaml:9:19 memory_bytes_max: `64Mi` is not a size; write 64MiB, 1GiB, 500KB or plain "
       "bytes\n"
       "t.yaml:10:20 log: the key `level2` is unknown; did you mean `level`?\n"
    );
}

TEST_CASE(
    "an unknown key is answered with the nearest one, with its right place, or with what is "
    "known"
) {
    CHECK(contains(faults_of("exporter: {}"), "did you mean `exporters`?"));
    CHECK(contains(faults_of("brokers: [a:1]"), "did you mean exporters.kafka.brokers?"));
    CHECK(contains(
        faults_of("receivers: {otlp: {protocols: {zipkin: {}}}}"), "known here: grpc, http"
    ));
    CHECK(contains(
        faults_of("processors: {redact: {patterns: [{name: a, regex: b, actoin: hash}]}}"),
        "t.yaml:1:54 processors.redact.patterns[0]: the key `actoin` is unknown; did you mean "
        "`action`?"
    ));
}

TEST_CASE("each type refuses what it is not") {
    for (const char* text :
         {"lanes: -1",
          "lanes: 1.5",
          "lanes: 257",
          "lanes: 99999999999",
          "lanes: [1]",
          "lanes: {}",
          "lanes: \"\"",
          "spool: {fsync: yes}",
          "spool: {fsync: 1}",
          "ack_timeout: 1ms",
          "ack_timeout: 11m",
          "ack_timeout: 5",
          "memory_bytes_max: 1MiB",
          "memory_bytes_max: lots",
          "ack: [kafka]",
          "log: {level: loud}",
          "log: info",
          "receivers: [otlp]",
          "- a",
          "text",
          "processors: {enrich: {attributes: [a]}}",
          "processors: {enrich: {attributes: {a: [b]}}}",
          "processors: {enrich: {resource_detection: {}}}",
          "processors: {enrich: {resource_detection: [aws]}}",
          "processors: {redact: {patterns: {}}}",
          "processors: {redact: {patterns: [a]}}",
          "processors: {redact: {detectors: [emial]}}",
          "processors: {enrich: {env: \"a\\0b\"}}",
          "exporters: {kafka: {compression: lz5}}",
          "exporters: {kafka: {encoding: avro}}",
          "exporters: {kafka: {headers: all}}"}) {
        CAPTURE(text);
        CHECK_FALSE(faults_of(text).empty());
    }
}

TEST_CASE("substitution fills scalars and cannot add structure") {
    const EnvironmentVariable brokers("SPANGATE_TEST_BROKERS", "a:1, b:2");
    const EnvironmentVariable lanes("SPANGATE_TEST_LANES", "4");
    const EnvironmentVariable yaml("SPANGATE_TEST_YAML", "x\nlanes: 9");
    const EnvironmentVariable unset("SPANGATE_TEST_UNSET", nullptr);

    const Config config = loaded(
        "exporters: {kafka: {brokers: '${env:SPANGATE_TEST_BROKERS}'}}\n"
        "processors:\n"
        "  redact: {hash_key: '${env:SPANGATE_TEST_UNSET:-0123456789abcdef}'}\n"
        "  enrich: {env: '${env:SPANGATE_TEST_YAML}'}\n"
        "lanes: ${env:SPANGATE_TEST_LANES}\n"
    );
    CHECK(config.exporters.kafka.brokers == std::vector<std::string>{"a:1", "b:2"});
    CHECK(config.lanes == 4);
    CHECK(config.enrich.env == "x\nlanes: 9");
    CHECK(contains(
        faults_of("processors: {enrich: {env: '${env:SPANGATE_TEST_UNSET}'}}"),
        "t.yaml:1:28 processors.enrich.env: the environment variable SPANGATE_TEST_UNSET is not set"
    ));
}

TEST_CASE("a fault never tells what was substituted or what is secret") {
    const EnvironmentVariable secret("SPANGATE_TEST_SECRET", "hunter2");
    const EnvironmentVariable unset("SPANGATE_TEST_UNSET", nullptr);

    for (const char* text :
         {"lanes: ${env:SPANGATE_TEST_SECRET}",
          "ack: ${env:SPANGATE_TEST_SECRET}",
          "ack_timeout: ${env:SPANGATE_TEST_SECRET}",
          "memory_bytes_max: ${env:SPANGATE_TEST_SECRET}",
          "spool: {fsync: '${env:SPANGATE_TEST_SECRET}'}",
          "processors: {redact: {detectors: ['${env:SPANGATE_TEST_SECRET}']}}",
          "processors: {redact: {hash_key: hunter2}}",
          "processors: {redact: {hash_key: [hunter2]}}",
          "processors: {redact: {hash_key: '${hunter2}'}}",
          "processors: {redact: {hash_key: '${env:SPANGATE_TEST_UNSET}hunter2'}}",
          "processors: {redact: {hash_key: *hunter2}}",
          "exporters: {kafka: {auth: {sasl: {password: hunter2}}}}",
          "exporters: {kafka: {auth: {sasl: {oauth: {client_secret: hunter2}}}}}",
          "exporters: {kafka: {librdkafka: {sasl.password: hunter2, my.token: hunter2}}}"}) {
        CAPTURE(text);
        const std::string faults = faults_of(text);
        CHECK_FALSE(contains(faults, "hunter2"));
    }
}

TEST_CASE("a setting that could not be read is not judged by the rules too") {
    const EnvironmentVariable unset("SPANGATE_TEST_UNSET", nullptr);
    const std::string faults = faults_of(
        "exporters: {kafka: {brokers: [a:1]}}\n"
        "processors: {redact: {hash_key: '${env:SPANGATE_TEST_UNSET}'}}\n"
    );
    CHECK(contains(faults, "is not set"));
    CHECK_FALSE(contains(faults, "is needed with Kafka"));
}

TEST_CASE("faults of syntax have a place too") {
    CHECK(contains(faults_of("a: [1"), "t.yaml:"));
    CHECK(
        faults_of("lanes: 1\nlanes: 2\n") == "t.yaml:2:1 the key `lanes` stands twice in one map\n"
    );
}

TEST_CASE("the list of faults is bounded") {
    std::string text;
    for (int i = 0; i < 1'000; ++i) {
        text += "key" + std::to_string(i) + ": 1\n";
    }
    const tl::expected<Config, Faults> config = load_config_text(text, "t.yaml");
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().size() == 201);
    CHECK(contains(config.error().back().message, "more faults"));
}

TEST_CASE("a file is loaded, and one that is missing is a fault") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("c.yaml", "lanes: 2\n");

    const auto config = load_config(path);
    REQUIRE(config.has_value());
    CHECK(config->lanes == 2);

    const auto missing = load_config(directory.path() + "/none.yaml");
    REQUIRE_FALSE(missing.has_value());
    REQUIRE(missing.error().size() == 1);
    CHECK(missing.error()[0].place == directory.path() + "/none.yaml:1:1");
    CHECK(contains(missing.error()[0].message, "cannot read"));
    CHECK_FALSE(load_config(directory.path()).has_value());
}

TEST_CASE("the example loads and warns only of files that are elsewhere") {
    const EnvironmentVariable key("SPANGATE_HASH_KEY", "0123456789abcdef0123456789abcdef");
    const EnvironmentVariable password("SPANGATE_KAFKA_PASSWORD", "p");

    const auto config = load_config(SPANGATE_SOURCE_DIR "/config/spangate.example.yaml");
    if (!config) {
        for (const ConfigFault& fault : config.error()) {
            UNSCOPED_INFO(fault.place << ": " << fault.message);
        }
    }
    REQUIRE(config.has_value());
    for (const ConfigFault& warning : config_warnings(*config)) {
        CAPTURE(warning.message);
        CHECK(contains(warning.message, "cannot be read here"));
    }
}

TEST_CASE("no bytes make the loader fail in another way than with faults") {
    const std::string seed = print_config(Config{});
    std::mt19937 random(20'240'602);
    for (int round = 0; round < 1'500; ++round) {
        std::string text = seed;
        const std::size_t edits = 1 + random() % 6;
        for (std::size_t i = 0; i < edits; ++i) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = static_cast<char>(random() % 256);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 20);
                    break;
                default:
                    text.insert(at, "${env:X:-[{}]} : ");
                    break;
            }
        }
        const auto config = load_config_text(text, "t.yaml");
        if (!config) CHECK_FALSE(config.error().empty());
    }
    for (std::size_t size = 0; size < seed.size(); size += 7) {
        const auto config = load_config_text(seed.substr(0, size), "t.yaml");
        if (!config) CHECK_FALSE(config.error().empty());
    }
}

}  // namespace spangate
