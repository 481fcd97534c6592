#include <fmt/format.h>

#include "config/setting_makers.h"

namespace spangate {

using namespace setting;  // NOLINT(google-build-using-namespace)

namespace {

constexpr Millis day{86'400'000};

Setting describe_batch(BatchConfig& batch) {
    return group(
        "batch",
        "How much a lane takes at once.",
        {
            duration(
                "timeout",
                batch.timeout,
                {Millis{0}, Millis{10'000}},
                "How long a lane waits for more; 0 takes what waits and never waits."
            ),
            count(
                "spans_max",
                batch.spans_max,
                {1, 1'000'000},
                "A lane takes no further request once it has this many spans."
            ),
            size(
                "bytes_max",
                batch.bytes_max,
                {64 * kib, gib},
                "A lane takes no further request once it has this many bytes."
            ),
        }
    );
}

Setting describe_enrich(EnrichConfig& enrich) {
    return group(
        "enrich",
        "What the gateway adds.",
        {
            text(
                "env",
                enrich.env,
                "The environment of every event; empty: deployment.environment.name of the "
                "resource."
            ),
            text(
                "tenant_id",
                enrich.tenant_id,
                "The tenant of every event; empty: tenant.id of the resource. An authenticated "
                "tenant always wins."
            ),
            free_map("attributes", enrich.attributes, "Attributes added to detail, as key: text."),
            choices(
                "resource_detection",
                enrich.resource_detection,
                {"env", "k8s"},
                "env reads OTEL_RESOURCE_ATTRIBUTES; k8s reads the downward API's variables "
                "and files."
            ),
        }
    );
}

Setting describe_session_memory(SessionMemoryConfig& sessions) {
    return group(
        "session_memory",
        "Which session a trace belongs to, for spans that do not say.",
        {
            count(
                "traces_max",
                sessions.traces_max,
                {1, 100'000'000},
                "Traces remembered; the oldest leaves."
            ),
            duration(
                "ttl", sessions.ttl, {Millis{1'000}, 30 * day}, "How long a trace is remembered."
            ),
            duration(
                "bind_wait",
                sessions.bind_wait,
                {Millis{0}, Millis{60'000}},
                "Hold spans without a session of a young trace this long. Not in "
                "this version: only 0."
            ),
        }
    );
}

Setting describe_usage_memory(UsageMemoryConfig& usage) {
    return group(
        "usage_memory",
        "Token usage already counted, so that it is counted once.",
        {
            count(
                "calls_max",
                usage.calls_max,
                {1, 100'000'000},
                "Calls remembered; the oldest leaves."
            ),
            duration("ttl", usage.ttl, {Millis{1'000}, 30 * day}, "How long a call is remembered."),
        }
    );
}

Setting describe_interpret(InterpretConfig& interpret) {
    return group(
        "interpret",
        "How spans become agent events.",
        {
            text(
                "conventions_file",
                interpret.conventions_file,
                "The table of conventions; empty: the built-in one."
            ),
            list(
                "session_keys",
                interpret.session_keys,
                "Attribute keys tried for the session before the table's own."
            ),
            describe_session_memory(interpret.session_memory),
            describe_usage_memory(interpret.usage_memory),
            text(
                "gateway_name",
                interpret.gateway_name,
                "Part of gateway_id; empty: POD_NAME or the host's name."
            ),
            text(
                "prices_file",
                interpret.prices_file,
                "The price table (USD per million tokens by model); empty: the built-in one."
            ),
            flag("keep_other", interpret.keep_other, "Keep spans that no rule makes an event of."),
        }
    );
}

// `email`, and `email:mask`, `email:hash`, … for each detector.
std::vector<std::string_view> detector_choices() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> made;
        for (const std::string_view name :
             {"all",
              "email",
              "phone",
              "card",
              "iban",
              "ssn",
              "jwt",
              "bearer",
              "vendor_keys",
              "private_key",
              "url_credentials",
              "connection_string",
              "ip",
              "mac",
              "entropy"}) {
            made.emplace_back(name);
            for (const std::string_view action : {"mask", "hash", "drop", "keep_last4"}) {
                made.push_back(fmt::format("{}:{}", name, action));
            }
        }
        return made;
    }();
    return {names.begin(), names.end()};
}

Setting describe_redact(RedactConfig& redact) {
    return group(
        "redact",
        "What must not leave.",
        {
            secret(
                "hash_key",
                redact.hash_key,
                "Key of digests and ids, at least 16 bytes, the same on every gateway of a "
                "cluster; needed with Kafka. Make one with `openssl rand -hex 32`."
            ),
            choices(
                "detectors",
                redact.detectors,
                detector_choices(),
                "all, or a list of the built-in detectors. A name may say what happens to what it "
                "finds, `email:hash`: mask (the default), hash (the same token for the same "
                "value), drop, keep_last4. `all` stands first; what follows changes single ones."
            ),
            choice(
                "content_in_detail",
                redact.content_in_detail,
                {"redacted", "none"},
                "Prompts, answers, arguments and results in detail: redacted, or not at all. No "
                "detector finds a person's name: none where detail is widely read."
            ),
            Setting{
                "patterns",
                "Own patterns beside the detectors: a list of maps with name, regex and action.",
                PatternList{&redact.patterns}},
            group(
                "keys",
                "Attribute keys treated by name.",
                {
                    list("drop", redact.keys_drop, "The value leaves in no class but evidence."),
                    list("hash", redact.keys_hash, "The value leaves as its keyed digest."),
                    list(
                        "allow",
                        redact.keys_allow,
                        "The value is not content, although no table names its key."
                    ),
                }
            ),
            size(
                "content_bytes_max",
                redact.content_bytes_max,
                {0, 256 * kib},
                "Longer content stands in detail as its head, its length and its digest."
            ),
        }
    );
}

Setting required_class(std::string_view key, bool& required, std::string_view doc) {
    return group(
        key,
        doc,
        {flag("required", required, "The client's reply waits until these records are stored.")}
    );
}

Setting describe_route(RouteConfig& route) {
    EvidenceConfig& evidence = route.evidence;
    return group(
        "route",
        "Which class of records is made.",
        {
            group(
                "evidence",
                "The unredacted payloads, for audits, in a topic of their own.",
                {
                    flag("enabled", evidence.enabled, "Make evidence records."),
                    group(
                        "encrypt",
                        "Encryption of evidence.",
                        {
                            text(
                                "key_file",
                                evidence.encrypt_key_file,
                                "The tenants' keys (YAML, mode 0600), which wrap the data keys; "
                                "empty: evidence lies in clear. Read again on reload."
                            ),
                            choice(
                                "per",
                                evidence.encrypt_per,
                                {"tenant", "session", "user"},
                                "Whose data one key covers, and erases with it. user: by user_ref; "
                                "what has no user is covered by its session."
                            ),
                            duration(
                                "rotate_after",
                                evidence.encrypt_rotate_after,
                                {Millis{60'000}, 30 * day},
                                "Age at which a data key gets a successor."
                            ),
                        }
                    ),
                    size(
                        "chunk_bytes_max",
                        evidence.chunk_bytes_max,
                        {16 * kib, 384 * kib},
                        "Payload bytes per record, so that a record with base64 stays below the "
                        "brokers' 1 MiB; less where the topic's max.message.bytes is smaller."
                    ),
                }
            ),
            group(
                "classes",
                "What the client's reply waits for.",
                {
                    required_class(
                        "operational", route.operational_required, "Small events without content."
                    ),
                    required_class("detail", route.detail_required, "Redacted content."),
                    required_class("evidence", route.evidence_required, "Unredacted payloads."),
                }
            ),
            group(
                "mirror",
                "The spans as they came, for a trace store.",
                {
                    flag(
                        "enabled",
                        route.mirror.enabled,
                        "Send the mirror. Not in this version: only false."
                    ),
                    text("topic", route.mirror.topic, "Its topic."),
                    choice(
                        "encoding",
                        route.mirror.encoding,
                        {"otlp_proto", "otlp_json"},
                        "Its encoding."
                    ),
                }
            ),
        }
    );
}

}  // namespace

Setting describe_processors(Config& config) {
    return group(
        "processors",
        "What happens on the way, in this order.",
        {
            describe_batch(config.batch),
            describe_enrich(config.enrich),
            describe_interpret(config.interpret),
            describe_redact(config.redact),
            describe_route(config.route),
        }
    );
}

}  // namespace spangate
