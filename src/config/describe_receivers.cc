#include "config/setting_makers.h"

namespace spangate {

using namespace setting;  // NOLINT(google-build-using-namespace)

namespace {

std::vector<Setting> describe_sizes(ReceiverLimits& limits) {
    return {
        size(
            "request_bytes_max",
            limits.request_bytes_max,
            {kib, gib},
            "One request, on the wire and inflated. Five times this must fit "
            "memory_bytes_max."
        ),
        count(
            "connections_max",
            limits.connections_max,
            {1, 1'000'000},
            "Open connections per listener."
        ),
        count(
            "connections_per_address_max",
            limits.connections_per_address_max,
            {1, 1'000'000},
            "Open connections per listener from one address."
        ),
        count(
            "spans_per_request_max",
            limits.spans_per_request_max,
            {1, 10'000'000},
            "Spans, or log records, in one request."
        ),
        count(
            "attributes_per_span_max",
            limits.attributes_per_span_max,
            {1, 1'000'000},
            "Attributes of one span or log record."
        ),
        count(
            "nesting_depth_max",
            limits.nesting_depth_max,
            {1, 256},
            "Values in values, in OTLP and in JSON found inside it."
        ),
        count(
            "requests_waiting_max",
            limits.requests_waiting_max,
            {1, 1'000'000},
            "Requests admitted and not yet taken by a lane."
        ),
        size(
            "header_bytes_max",
            limits.header_bytes_max,
            {kib, 16 * mib},
            "All headers of one request."
        ),
    };
}

Setting describe_limits(ReceiverLimits& limits) {
    constexpr DurationRange waits{Millis{100}, Millis{3'600'000}};
    Setting described = group(
        "limits", "What a client may send; every refusal is counted.", describe_sizes(limits)
    );
    const std::vector<Setting> timeouts = {
        duration("header_timeout", limits.header_timeout, waits, "For all headers of one request."),
        duration("body_timeout", limits.body_timeout, waits, "For one whole body."),
        duration(
            "idle_timeout",
            limits.idle_timeout,
            waits,
            "A connection without a request is closed after this."
        ),
    };
    std::vector<Setting>& settings = std::get<Group>(described.shape).settings;
    settings.insert(settings.end(), timeouts.begin(), timeouts.end());
    return described;
}

Setting describe_tls(TlsServerConfig& tls) {
    return group(
        "tls",
        "TLS of both protocols; on when cert_file is set.",
        {
            text("cert_file", tls.cert_file, "The server's certificate chain, PEM."),
            text("key_file", tls.key_file, "Its private key, PEM."),
            text(
                "client_ca_file",
                tls.client_ca_file,
                "Set: clients must show a certificate of this CA (mTLS)."
            ),
        }
    );
}

Setting describe_auth(ReceiverAuthConfig& auth) {
    return group(
        "auth",
        "Who may send. Without tokens and without mTLS the receivers listen on loopback only.",
        {
            text(
                "bearer_tokens_file",
                auth.bearer_tokens_file,
                "Lines of «token tenant»; set: every request needs one of the tokens. Clients "
                "show it as «Authorization: Bearer TOKEN», as the password of «Authorization: "
                "Basic» (Langfuse: the secret key; a token may also be the whole pair, as in "
                "public:secret), or, without Authorization, as «x-api-key: TOKEN» (LangSmith)."
            ),
            choice(
                "tenant_from",
                auth.tenant_from,
                {"token"},
                "Where the authenticated tenant comes from; it wins over every other tenant."
            ),
            flag(
                "allow_insecure",
                auth.allow_insecure,
                "Listen beyond loopback although anyone there may send. For networks in which "
                "something else decides who may connect."
            ),
        }
    );
}

}  // namespace

Setting describe_receivers(ReceiversConfig& receivers) {
    return group(
        "receivers",
        "Where data comes in.",
        {group(
            "otlp",
            "The OTLP receiver.",
            {
                group(
                    "protocols",
                    "Two doors to the same house.",
                    {
                        group(
                            "grpc",
                            "OTLP/gRPC.",
                            {text(
                                "endpoint",
                                receivers.grpc_endpoint,
                                "host:port to listen on; empty: off."
                            )}
                        ),
                        group(
                            "http",
                            "OTLP/HTTP, protobuf and JSON.",
                            {
                                text(
                                    "endpoint",
                                    receivers.http_endpoint,
                                    "host:port to listen on; empty: off."
                                ),
                                list(
                                    "path_prefixes",
                                    receivers.http_path_prefixes,
                                    "Also accept PREFIX/v1/traces, /v1/logs and /v1/metrics; a "
                                    "prefix starts with / and does not end with it. Always "
                                    "accepted: /api/public/otel (Langfuse) and /otel (LangSmith)."
                                ),
                            }
                        ),
                    }
                ),
                describe_tls(receivers.tls),
                describe_auth(receivers.auth),
                describe_limits(receivers.limits),
            }
        )}
    );
}

}  // namespace spangate
