// OTLP/HTTP (opentelemetry-proto, docs/specification.md): POST to [PREFIX]/v1/traces, /v1/logs and
// /v1/metrics, protobuf or JSON, plain or coded. Requests pass Admission and go to a lane; the
// connection waits for its outcome without holding a thread. Beside the configured prefixes those
// of Langfuse and LangSmith are served.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "observe/metrics.h"
#include "receive/admission.h"

namespace spangate {

class HttpReceiver {
  public:
    // Listens on config.http_endpoint (port 0: any) and starts its threads, one per eight cores, 1
    // to 8. Fails with what is wrong with endpoint or TLS files. `admission`, `clock` and `metrics`
    // outlive the receiver; tickets may outlive it, their answers then go nowhere.
    [[nodiscard]] static Result<std::unique_ptr<HttpReceiver>> start(
        const ReceiversConfig& config, Admission& admission, const Clock& clock, Metrics& metrics
    );
    ~HttpReceiver();  // drain(now)
    HttpReceiver(const HttpReceiver&) = delete;
    HttpReceiver& operator=(const HttpReceiver&) = delete;

    // The one really bound.
    [[nodiscard]] std::uint16_t port() const;

    // New connections get certificates read now; on an error the old ones stay.
    [[nodiscard]] Status reload_tls(const TlsServerConfig& config);

    // Accepts no more, closes idle connections, answers the others with «Connection: close».
    void close_intake();

    // Waits for the connections to end until `deadline`, then cuts the rest off and ends the
    // threads. True when nothing was cut off.
    bool drain(SteadyTime deadline);

  private:
    class Impl;
    explicit HttpReceiver(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace spangate
