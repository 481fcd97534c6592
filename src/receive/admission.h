// The one gate both transports share. A request passes it in three steps:
//
//   headers read   admit()   draining? delivery refusing? who is it? too large? room in the house?
//   body arriving  grow()    before memory for more of it is taken
//   body complete  submit()  the ticket is born and the request offered to a lane
//
// Whoever is turned away gets an Outcome that is already counted; the transport only carries it.
// Metrics make no events. They pass the same steps, so that credentials, sizes and codings are held
// to the same rules, and are answered with success wherever nobody but their client is at fault: an
// SDK shall not log errors about what would not be kept. Without a metrics inbox they end here,
// counted and unread.
// Admission outlives its receivers. Every function may be called from any thread; none waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "config/config.h"
#include "model/record.h"
#include "model/request.h"
#include "model/ticket.h"
#include "observe/metrics.h"
#include "receive/client_shares.h"
#include "receive/credentials.h"

namespace spangate {

enum class Transport : std::uint8_t { grpc, http };
inline constexpr std::string_view transport_names[] = {"grpc", "http"};

// What a transport knows when it has the headers. Views are needed during admit() only.
struct RequestHead {
    Transport transport = Transport::http;
    Signal signal = Signal::traces;
    std::string_view authorization;       // the header's value; empty: none
    std::string_view api_key;             // value of x-api-key; empty: none
    std::string_view certificate_name;    // CN of the client's verified certificate; empty: none
    std::optional<Bytes> declared_bytes;  // body size on the wire, when the headers tell it
    ClientPeer peer;
};

// A request that may come in. Move-only; dropping it gives its memory back.
struct Admitted {
    Signal signal = Signal::traces;
    std::string tenant_id;  // empty when authentication is off
    WallNanos received_at = 0;
    Lease lease;
};

class Admission {
  public:
    // A request costs this many times its inflated size until its last record is acknowledged:
    // body, decoded views, encoded records, and what Kafka's client holds.
    static constexpr std::uint64_t lease_factor = 4;

    // Leased at the headers for a body of unknown size; covers its first reads.
    static constexpr Bytes unknown_body_lease_bytes = 64 * kib;

    using Refusing = std::function<RecordSink::Refusal()>;

    // `refusing` tells whether the delivery side refuses now; it must be thread-safe and quick.
    // `observer` may be null. With bearer tokens configured, every request is refused as
    // unauthenticated until load_tokens() has succeeded once.
    Admission(
        const ReceiversConfig& config,
        MemoryBudget& budget,
        RequestInbox& inbox,
        TicketObserver* observer,
        const Clock& clock,
        Metrics& metrics,
        Refusing refusing
    );
    ~Admission();
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    // Reads the token file again (receive/credentials.h). On an error the tokens in force stay.
    [[nodiscard]] Status load_tokens();

    // Metrics requests go there from now on. Before the receivers start; the inbox outlives this.
    void send_metrics_to(RequestInbox& inbox) { metrics_inbox_ = &inbox; }

    // At the headers. The Outcome, a success too, says what to answer; nothing is held then.
    [[nodiscard]] tl::expected<Admitted, Outcome> admit(const RequestHead& head);

    // Before the body, as it will be inflated, takes memory for `body_bytes` in all. Fails with
    // too_large, unavailable or rate_limited (client_shares.h); hand the error to turn_away().
    [[nodiscard]] Status grow(Admitted& admitted, Bytes body_bytes) const;

    // What to answer for a failure found outside admit(): counts it, adds Retry-After where the
    // client may come back. Success for metrics, which need not come back for what is full here.
    [[nodiscard]] Outcome turn_away(Error error, Signal signal);

    // The complete, inflated body goes to a lane; `responder` hears the outcome exactly once, maybe
    // before submit() returns (every lane full).
    void submit(
        Admitted&& admitted,
        BodyEncoding encoding,
        Body&& body,
        std::unique_ptr<Responder> responder
    );

    // Every later admit() is answered `shutting_down`. What was admitted still goes through.
    void close_intake() { is_draining_.store(true, std::memory_order_relaxed); }

    [[nodiscard]] bool is_draining() const { return is_draining_.load(std::memory_order_relaxed); }

    // On the wire and inflated.
    [[nodiscard]] Bytes request_bytes_max() const { return request_bytes_max_; }

    // What all requests together may hold; a transport sizes its own buffers by it.
    [[nodiscard]] Bytes memory_bytes_max() const { return budget_.bytes_max(); }

  private:
    struct Counters;

    [[nodiscard]] Result<std::string> tenant_of(const RequestHead& head) const;
    [[nodiscard]] Outcome refuse(Counter& counter, ErrorCode code, std::string_view why);
    [[nodiscard]] std::uint32_t retry_after_s() const;
    [[nodiscard]] Status grow(Lease& lease, Bytes body_bytes) const;

    const Bytes request_bytes_max_;
    const ReceiverAuthConfig auth_;
    const bool is_mutual_tls_;
    MemoryBudget& budget_;
    ClientShares shares_;
    RequestInbox& inbox_;
    TicketObserver* const observer_;
    const Clock& clock_;
    const Refusing refusing_;
    std::unique_ptr<Counters> counters_;
    RequestInbox* metrics_inbox_ = nullptr;
    std::atomic<std::shared_ptr<const Credentials>> credentials_;
    std::atomic<bool> is_draining_{false};
};

}  // namespace spangate
