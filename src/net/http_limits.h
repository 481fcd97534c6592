// What an HTTP server counts and where it stops. Each limit has a counter that tells when it bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/config.h"
#include "observe/metrics.h"

namespace spangate {

struct HttpLimits {
    std::uint32_t connections_max = 1024;
    std::uint32_t connections_per_address_max = 256;
    Bytes header_bytes_max = 32 * kib;
    std::uint32_t header_fields_max = 100;
    Millis header_timeout{10'000};  // from a request's first byte; also TLS handshake, first byte
    Millis body_timeout{30'000};    // whole body
    Millis idle_timeout{120'000};   // keep-alive, between requests
    Millis reply_timeout{60'000};   // a safety net: the handler's own deadline is shorter
    Millis write_timeout{10'000};   // of one response
    Millis linger_timeout{3'000};   // after the last response, until the client closes

    // A body must bring this much in every window, or be complete.
    Millis body_progress_window{10'000};
    Bytes body_progress_bytes_min = 10 * kib;

    // The unread body of a refused request: up to here it is read and forgotten, so that the
    // connection lives on; above, or of unknown length, the connection is closed, and up to
    // linger_bytes_max is read before, so that the client sees the answer and not a reset.
    Bytes discard_bytes_max = mib;
    Bytes linger_bytes_max = 64 * mib;

    [[nodiscard]] static HttpLimits from(const ReceiverLimits& limits) {
        HttpLimits http;
        http.connections_max = limits.connections_max;
        http.connections_per_address_max = limits.connections_per_address_max;
        http.header_bytes_max = limits.header_bytes_max;
        http.header_timeout = limits.header_timeout;
        http.body_timeout = limits.body_timeout;
        http.idle_timeout = limits.idle_timeout;
        return http;
    }
};

enum class HttpTrouble : std::uint8_t {
    connections_full,
    address_full,
    accept_failed,
    handshake_failed,
    head_malformed,
    head_too_large,
    head_timeout,
    body_too_large,
    body_no_memory,
    body_malformed,
    body_timeout,
    client_gone,
    reply_timeout,
    write_failed,
    exception,
};

inline constexpr std::array<std::string_view, 15> http_trouble_names = {
    "connections_full",
    "address_full",
    "accept_failed",
    "handshake_failed",
    "head_malformed",
    "head_too_large",
    "head_timeout",
    "body_too_large",
    "body_no_memory",
    "body_malformed",
    "body_timeout",
    "client_gone",
    "reply_timeout",
    "write_failed",
    "exception",
};

// `listener` is a name of ours, such as «otlp_http».
class HttpCounters {
  public:
    HttpCounters(Metrics& metrics, std::string_view listener)
        : connections_(metrics.gauge(
              "spangate_http_connections", "Open connections.", {{"listener", listener}}
          )),
          requests_(metrics.counter(
              "spangate_http_requests_total",
              "Requests whose head was understood.",
              {{"listener", listener}}
          )) {
        for (std::size_t i = 0; i < troubles_.size(); ++i) {
            troubles_[i] = &metrics.counter(
                "spangate_http_troubles_total",
                "Connections and requests that ended early, by reason.",
                {{"listener", listener}, {"reason", http_trouble_names[i]}}
            );
        }
    }

    void count(HttpTrouble trouble) { troubles_[static_cast<std::size_t>(trouble)]->add(); }

    [[nodiscard]] Gauge& connections() { return connections_; }

    [[nodiscard]] Counter& requests() { return requests_; }

  private:
    Gauge& connections_;
    Counter& requests_;
    std::array<Counter*, http_trouble_names.size()> troubles_{};
};

}  // namespace spangate
