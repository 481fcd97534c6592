#include "receive/admission.h"

#include <algorithm>
#include <utility>

#include "receive/otlp_status.h"

namespace spangate {

namespace {

constexpr std::string_view refused_help =
    "Requests turned away that the client may send again, by reason.";
constexpr std::string_view rejected_help =
    "Requests turned away for good (the same request would fail again), by reason.";

Counter& refused_counter(Metrics& metrics, std::string_view reason) {
    return metrics.counter(
        "spangate_requests_refused_total", refused_help, {{"reason", reason}}, ReadOrder::terminal
    );
}

Counter& rejected_counter(Metrics& metrics, std::string_view reason) {
    return metrics.counter(
        "spangate_requests_rejected_total", rejected_help, {{"reason", reason}}, ReadOrder::terminal
    );
}

tl::unexpected<Error> too_large(Bytes bytes_max) {
    return fail(
        ErrorCode::too_large,
        "the body has more than " + std::to_string(bytes_max) +
            " bytes (receivers.otlp.limits.request_bytes_max); export smaller batches"
    );
}

constexpr std::string_view memory_full =
    "the gateway's memory is full (memory_bytes_max); send again later";
constexpr std::string_view share_full =
    "the gateway's memory is scarce and this client holds its share; send again later";

}  // namespace

struct Admission::Counters {
    explicit Counters(Metrics& metrics)
        : draining(refused_counter(metrics, "draining")),
          delivery(refused_counter(metrics, "delivery")),
          memory(refused_counter(metrics, "memory")),
          lanes(refused_counter(metrics, "lanes")),
          rate(refused_counter(metrics, "rate")),
          malformed(rejected_counter(metrics, "invalid_argument")),
          too_large(rejected_counter(metrics, "too_large")),
          unsupported(rejected_counter(metrics, "unsupported")),
          unauthenticated(rejected_counter(metrics, "unauthenticated")),
          permission_denied(rejected_counter(metrics, "permission_denied")),
          not_found(rejected_counter(metrics, "not_found")),
          other(rejected_counter(metrics, "other")),
          metrics_ignored(metrics.counter(
              "spangate_requests_ignored_total",
              "Requests answered with success whose signal makes no events.",
              {{"signal", "metrics"}}
          )) {
        for (std::size_t signal = 0; signal < std::size(signal_names); ++signal) {
            bytes[signal] = &metrics.counter(
                "spangate_request_bytes_total",
                "Bytes of complete bodies, inflated, by signal.",
                {{"signal", signal_names[signal]}}
            );
        }
        for (std::size_t transport = 0; transport < std::size(transport_names); ++transport) {
            for (std::size_t signal = 0; signal < std::size(signal_names); ++signal) {
                requests[transport][signal] = &metrics.counter(
                    "spangate_requests_total",
                    "Requests on a path that is served, by transport and signal.",
                    {{"transport", transport_names[transport]}, {"signal", signal_names[signal]}}
                );
            }
        }
    }

    [[nodiscard]] Counter& request(const RequestHead& head) const {
        return *requests[static_cast<std::size_t>(head.transport)]
                        [static_cast<std::size_t>(head.signal)];
    }

    [[nodiscard]] Counter& request_bytes(Signal signal) const {
        return *bytes[static_cast<std::size_t>(signal)];
    }

    [[nodiscard]] Counter& of(ErrorCode code) const {
        switch (code) {
            case ErrorCode::invalid_argument:
                return malformed;
            case ErrorCode::too_large:
                return too_large;
            case ErrorCode::unsupported:
                return unsupported;
            case ErrorCode::unauthenticated:
                return unauthenticated;
            case ErrorCode::permission_denied:
                return permission_denied;
            case ErrorCode::not_found:
                return not_found;
            case ErrorCode::unavailable:
                return memory;
            case ErrorCode::rate_limited:
                return rate;
            case ErrorCode::shutting_down:
                return draining;
            case ErrorCode::conflict:
            case ErrorCode::io:
            case ErrorCode::internal:
                break;
        }
        return other;
    }

    Counter* requests[std::size(transport_names)][std::size(signal_names)]{};
    Counter* bytes[std::size(signal_names)]{};
    Counter& draining;
    Counter& delivery;
    Counter& memory;
    Counter& lanes;
    Counter& rate;
    Counter& malformed;
    Counter& too_large;
    Counter& unsupported;
    Counter& unauthenticated;
    Counter& permission_denied;
    Counter& not_found;
    Counter& other;
    Counter& metrics_ignored;
};

Admission::Admission(
    const ReceiversConfig& config,
    MemoryBudget& budget,
    RequestInbox& inbox,
    TicketObserver* observer,
    const Clock& clock,
    Metrics& metrics,
    Refusing refusing
)
    : request_bytes_max_(config.limits.request_bytes_max),
      auth_(config.auth),
      is_mutual_tls_(!config.tls.client_ca_file.empty()),
      budget_(budget),
      inbox_(inbox),
      observer_(observer),
      clock_(clock),
      refusing_(std::move(refusing)),
      counters_(std::make_unique<Counters>(metrics)),
      credentials_(std::make_shared<const Credentials>()) {}

Admission::~Admission() = default;

Status Admission::load_tokens() {
    if (auth_.bearer_tokens_file.empty()) return {};
    Result<std::shared_ptr<const Credentials>> read = Credentials::read(auth_.bearer_tokens_file);
    if (!read) return tl::unexpected(std::move(read.error()));
    credentials_.store(std::move(*read));
    return {};
}

tl::expected<Admitted, Outcome> Admission::admit(const RequestHead& head) {
    counters_->request(head).add();
    if (is_draining()) {
        return tl::unexpected(
            refuse(counters_->draining, ErrorCode::shutting_down, "the gateway is shutting down")
        );
    }
    Result<std::string> tenant = tenant_of(head);
    if (!tenant) return tl::unexpected(turn_away(std::move(tenant.error()), head.signal));
    if (head.declared_bytes.value_or(0) > request_bytes_max_) {
        return tl::unexpected(turn_away(too_large(request_bytes_max_).value(), head.signal));
    }
    const bool is_delivered = head.signal != Signal::metrics;
    if (const RecordSink::Refusal refusal = refusing_(); is_delivered && !refusal.reason.empty()) {
        return tl::unexpected(refuse(counters_->delivery, ErrorCode::unavailable, refusal.reason));
    }
    Lease lease(budget_, shares_.of(*tenant, head.peer));
    const Bytes bytes = head.declared_bytes.value_or(unknown_body_lease_bytes);
    if (Status leased = grow(lease, bytes); !leased) {
        return tl::unexpected(turn_away(std::move(leased.error()), head.signal));
    }
    return Admitted{head.signal, std::move(*tenant), clock_.wall_nanos(), std::move(lease)};
}

Status Admission::grow(Admitted& admitted, Bytes body_bytes) const {
    if (body_bytes > request_bytes_max_) return too_large(request_bytes_max_);
    return grow(admitted.lease, body_bytes);
}

Status Admission::grow(Lease& lease, Bytes body_bytes) const {
    const std::uint64_t bytes = lease_factor * body_bytes;
    if (!ClientShares::may_grow(budget_, lease, bytes)) {
        return fail(ErrorCode::rate_limited, std::string(share_full));
    }
    if (!lease.grow_to(bytes)) return fail(ErrorCode::unavailable, std::string(memory_full));
    return {};
}

Outcome Admission::turn_away(Error error, Signal signal) {
    const bool is_passing = error.retryable() && error.code != ErrorCode::shutting_down;
    if (signal == Signal::metrics && is_passing) {
        counters_->metrics_ignored.add();
        return {};
    }
    counters_->of(error.code).add();
    const bool may_return = error.retryable();
    return Outcome::failure(std::move(error), may_return ? retry_after_s() : 0);
}

void Admission::submit(
    Admitted&& admitted, BodyEncoding encoding, Body&& body, std::unique_ptr<Responder> responder
) {
    const bool is_metrics = admitted.signal == Signal::metrics;
    counters_->request_bytes(admitted.signal).add(body.size());
    if (is_metrics && metrics_inbox_ == nullptr) {
        counters_->metrics_ignored.add();
        admitted.lease.release();
        return responder->respond({});
    }
    // What was declared or guessed may be more than what came.
    admitted.lease.shrink_to(lease_factor * body.capacity());
    RawRequest request;
    request.signal = admitted.signal;
    request.encoding = encoding;
    request.body = std::move(body);
    request.tenant_id = std::move(admitted.tenant_id);
    request.received_at = admitted.received_at;
    request.admitted_at = clock_.steady();
    Ticket* const ticket = new Ticket(
        std::move(responder), is_metrics ? nullptr : observer_, std::move(admitted.lease)
    );  // deletes itself
    request.ticket = ticket;
    RequestInbox& inbox = is_metrics ? *metrics_inbox_ : inbox_;
    if (inbox.offer(std::move(request))) return;
    counters_->lanes.add();
    ticket->set_retry_after(retry_after_s());
    ticket->settle(Settlement::retry_later, "every lane is full; send again later");
}

Result<std::string> Admission::tenant_of(const RequestHead& head) const {
    std::string tenant;
    if (!auth_.bearer_tokens_file.empty()) {
        Result<std::string> by_token =
            credentials_.load()->tenant_of({head.authorization, head.api_key});
        if (!by_token || auth_.tenant_from == "token") return by_token;
    }
    if (!is_mutual_tls_) return tenant;
    if (!is_tenant(head.certificate_name)) {
        return fail(
            ErrorCode::permission_denied,
            "the common name of the client's certificate is not a tenant: expected 1 to 128 "
            "characters out of A-Z a-z 0-9 _.:@/+=#~-"
        );
    }
    return std::string(head.certificate_name);
}

Outcome Admission::refuse(Counter& counter, ErrorCode code, std::string_view why) {
    counter.add();
    return Outcome::failure({code, std::string(why)}, retry_after_s());
}

std::uint32_t Admission::retry_after_s() const {
    return std::clamp(refusing_().retry_after_s, retry_after_s_min, retry_after_s_max);
}

}  // namespace spangate
