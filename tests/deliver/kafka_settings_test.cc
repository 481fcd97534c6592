#include "deliver/kafka_settings.h"

#include <array>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

using namespace spangate;  // NOLINT: a test

namespace {

KafkaConfig local() {
    KafkaConfig config;
    config.brokers = {"127.0.0.1:9092", "127.0.0.1:9093"};
    return config;
}

std::string value_of(const KafkaConf& conf, const char* name) {
    std::array<char, 512> value{};
    std::size_t bytes = value.size();
    // Topic properties stand in the default topic configuration.
    if (rd_kafka_conf_get(conf.get(), name, value.data(), &bytes) == RD_KAFKA_CONF_OK) {
        return value.data();
    }
    rd_kafka_topic_conf_t* topic = rd_kafka_conf_get_default_topic_conf(conf.get());
    bytes = value.size();
    if (topic == nullptr ||
        rd_kafka_topic_conf_get(topic, name, value.data(), &bytes) != RD_KAFKA_CONF_OK) {
        return "?";
    }
    return value.data();
}

std::string fault_of(const KafkaConfig& config) {
    const auto conf = producer_settings(config, {}, "test");
    return conf ? "" : conf.error().message;
}

}  // namespace

TEST_CASE("what the guarantees rest on is set") {
    ProducerLimits limits;
    limits.ack_timeout = Millis(4'000);
    const auto conf = producer_settings(local(), limits, "gateway-1");
    REQUIRE(conf);
    CHECK(value_of(*conf, "bootstrap.servers") == "127.0.0.1:9092,127.0.0.1:9093");
    CHECK(value_of(*conf, "enable.idempotence") == "true");
    CHECK(value_of(*conf, "acks") == "-1");
    CHECK(value_of(*conf, "max.in.flight.requests.per.connection") == "5");
    CHECK(value_of(*conf, "partitioner") == "murmur2_random");
    CHECK(value_of(*conf, "message.timeout.ms") == "4000");
    CHECK(value_of(*conf, "allow.auto.create.topics") == "false");
    CHECK(value_of(*conf, "compression.codec") == "lz4");
    CHECK(value_of(*conf, "client.id") == "gateway-1");
    CHECK(value_of(*conf, "queue.buffering.max.messages") == "0");
    CHECK(value_of(*conf, "queue.buffering.max.kbytes") == "262144");
}

TEST_CASE("the client's own limit is above the memory budget") {
    ProducerLimits limits;
    limits.memory_bytes_max = 4 * gib;
    const auto conf = producer_settings(local(), limits, "x");
    REQUIRE(conf);
    CHECK(value_of(*conf, "queue.buffering.max.kbytes") == "8388608");
}

TEST_CASE("TLS and SASL choose the protocol") {
    KafkaConfig config = local();
    const auto protocol = [&config] {
        const auto conf = client_settings(config, "x");
        REQUIRE(conf);
        return value_of(*conf, "security.protocol");
    };
    CHECK(protocol() == "plaintext");
    config.tls_enabled = true;
    CHECK(protocol() == "ssl");
    config.sasl.mechanism = "SCRAM-SHA-512";
    config.sasl.username = "u";
    config.sasl.password = Secret("p");
    CHECK(protocol() == "sasl_ssl");
    config.tls_enabled = false;
    CHECK(protocol() == "sasl_plaintext");
}

TEST_CASE("pass-through comes last and may change what is not guaranteed") {
    KafkaConfig config = local();
    config.librdkafka = {{"linger.ms", "77"}, {"socket.nagle.disable", "true"}};
    const auto conf = producer_settings(config, {}, "x");
    REQUIRE(conf);
    CHECK(value_of(*conf, "linger.ms") == "77");
}

TEST_CASE("pass-through cannot undo a guarantee and says what to set instead") {
    for (const std::string name :
         {"acks",
          "enable.idempotence",
          "max.in.flight",
          "max.in.flight.requests.per.connection",
          "partitioner",
          "message.timeout.ms",
          "queue.buffering.max.messages",
          "delivery.report.only.error",
          "transactional.id",
          "test.mock.num.brokers",
          "bootstrap.servers",
          "sasl.password"}) {
        KafkaConfig config = local();
        config.librdkafka = {{name, "1"}};
        const std::string fault = fault_of(config);
        CHECK(fault.find(name) != std::string::npos);
        CHECK(fault.find("not passed through") != std::string::npos);
    }
}

TEST_CASE("a refused property is named and a secret's value is not") {
    KafkaConfig unknown = local();
    unknown.librdkafka = {{"no.such.property", "1"}};
    CHECK(fault_of(unknown).find("no.such.property") != std::string::npos);
    KafkaConfig bad = local();
    bad.compression = "brotli";
    CHECK(fault_of(bad).find("compression.codec = brotli") != std::string::npos);
    KafkaConfig none;
    CHECK(fault_of(none).find("exporters.kafka.brokers is empty") != std::string::npos);
}
