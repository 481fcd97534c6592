#include "config/setting_makers.h"

namespace spangate {

using namespace setting;  // NOLINT(google-build-using-namespace)

namespace {

constexpr Bytes tib = 1024 * gib;

Setting describe_topics(KafkaTopics& topics) {
    return group(
        "topics",
        "All different. {tenant} in a name stands for each of `tenants`.",
        {
            text("operational", topics.operational, "Small events without content."),
            text("detail", topics.detail, "Redacted content."),
            text("evidence", topics.evidence, "Unredacted payloads."),
            text(
                "dead_letter",
                topics.dead_letter,
                "What cannot be delivered as it is: header and reason, no content."
            ),
            text("audit", topics.audit, "Who read or erased evidence, and why."),
            text(
                "evidence_keys",
                topics.evidence_keys,
                "Wrapped data keys of encrypted evidence: compacted, one for all tenants."
            ),
        }
    );
}

Setting describe_kafka_auth(KafkaConfig& kafka) {
    KafkaSasl& sasl = kafka.sasl;
    return group(
        "auth",
        "How the gateway shows itself to the brokers.",
        {
            group(
                "tls",
                "On when enabled or when any file is set.",
                {
                    flag("enabled", kafka.tls_enabled, "TLS with the system's CAs."),
                    text("ca_file", kafka.tls.ca_file, "The brokers' CA, PEM."),
                    text("cert_file", kafka.tls.cert_file, "Client certificate, PEM."),
                    text("key_file", kafka.tls.key_file, "Its private key, PEM."),
                }
            ),
            group(
                "sasl",
                "On when mechanism is set.",
                {
                    choice(
                        "mechanism",
                        sasl.mechanism,
                        {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"},
                        "Empty: none."
                    ),
                    text("username", sasl.username, "For PLAIN and SCRAM."),
                    secret("password", sasl.password, "For PLAIN and SCRAM."),
                    text(
                        "token_file",
                        sasl.token_file,
                        "For OAUTHBEARER: a file that holds the token, read again before the token "
                        "expires. Whoever issues tokens replaces it."
                    ),
                    free_map(
                        "oauth", sasl.oauth, "For OAUTHBEARER. Not in this version: only empty."
                    ),
                }
            ),
        }
    );
}

Setting describe_kafka_create(KafkaConfig& kafka) {
    constexpr CountRange days{1, 36'500};
    return group(
        "create",
        "What `spangate topics create` asks for and `topics check` compares.",
        {
            count("partitions", kafka.partitions, {1, 10'000}, "Of each topic."),
            count("replication_factor", kafka.replication_factor, {1, 100}, "Of each topic."),
            group(
                "retention_days",
                "How many days each topic keeps its records.",
                {
                    count(
                        "operational",
                        kafka.operational_retention_days,
                        days,
                        "Of the operational topic."
                    ),
                    count("detail", kafka.detail_retention_days, days, "Of the detail topic."),
                    count(
                        "evidence", kafka.evidence_retention_days, days, "Of the evidence topic."
                    ),
                }
            ),
        }
    );
}

Setting describe_kafka(KafkaConfig& kafka) {
    return group(
        "kafka",
        "Kafka. Any client may read its topics.",
        {
            list("brokers", kafka.brokers, "host:port of one or more brokers; empty: no Kafka."),
            describe_topics(kafka.topics),
            list("tenants", kafka.tenants, "What {tenant} in a topic's name may become."),
            choice("encoding", kafka.encoding, {"json", "protobuf"}, "Of the records' values."),
            choice(
                "compression",
                kafka.compression,
                {"none", "lz4", "zstd", "snappy", "gzip"},
                "Of the batches sent."
            ),
            choice(
                "headers",
                kafka.headers,
                {"minimal", "full", "none"},
                "Record headers. minimal: event_type and event_id. full costs about three times "
                "the processor time of minimal: it is the number of headers that costs."
            ),
            describe_kafka_auth(kafka),
            flag("required", kafka.required, "The client's reply waits for Kafka."),
            duration(
                "linger",
                kafka.linger,
                {Millis{0}, Millis{1'000}},
                "How long a batch waits to fill."
            ),
            describe_kafka_create(kafka),
            free_map(
                "librdkafka",
                kafka.librdkafka,
                "Producer properties passed through; those that would undo a guarantee are "
                "refused, each naming the key to use instead."
            ),
        }
    );
}

}  // namespace

Setting describe_exporters(ExportersConfig& exporters) {
    JsonlConfig& jsonl = exporters.jsonl;
    return group(
        "exporters",
        "Where records go. Without brokers and without a jsonl directory they go to "
        "./spangate-data as JSON lines.",
        {
            describe_kafka(exporters.kafka),
            group(
                "jsonl",
                "Files of JSON lines, instead of Kafka or beside it.",
                {
                    text(
                        "directory",
                        jsonl.directory,
                        "Empty: no files, unless there are no brokers either."
                    ),
                    size(
                        "rotate_bytes",
                        jsonl.rotate_bytes,
                        {64 * kib, tib},
                        "A new file is begun above this."
                    ),
                    choice("compress", jsonl.compress, {"zstd", "none"}, "Of rotated files."),
                    flag(
                        "required",
                        jsonl.required,
                        "The client's reply waits until the lines are on the device."
                    ),
                }
            ),
            group(
                "otlp",
                "A copy of every request to another OTLP endpoint, for the time of a migration: "
                "traces, logs and metrics as the clients sent them, unredacted. It never delays or "
                "fails a client: a quarter of memory_bytes_max may wait for the endpoint, a copy "
                "is given up after a minute, and what is dropped is counted "
                "(spangate_tee_requests_total). Clients' credentials are not forwarded.",
                {
                    text(
                        "endpoint",
                        exporters.otlp.endpoint,
                        "host:port, or a URL of http or https (TLS by the system's CAs); with "
                        "protocol http a path too, before /v1/traces. Empty: off."
                    ),
                    choice(
                        "protocol",
                        exporters.otlp.protocol,
                        {"grpc", "http"},
                        "Of the copy. grpc carries no JSON bodies: those are dropped and counted; "
                        "http carries both."
                    ),
                }
            ),
        }
    );
}

}  // namespace spangate
