// OTLP over gRPC (opentelemetry-proto, docs/specification.md, «OTLP/gRPC»). Serves Export of
// TraceService, LogsService and MetricsService; anything else is UNIMPLEMENTED. Bytes only: nothing
// is parsed here.
//
// Shutting down, in this order: admission.close_intake(), every ticket settled, drain(). What is
// not settled by drain()'s deadline is cancelled; a ticket may even outlive the receiver, its
// answer then goes nowhere.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "observe/metrics.h"
#include "receive/admission.h"

namespace spangate {

class GrpcReceiver {
  public:
    // Listens on config.grpc_endpoint (port 0: any) and starts its threads, one per four cores, 1
    // to 16. The descriptor limit of the process is raised first (see README.md). Fails with io
    // when the address is taken or a TLS file unreadable. `admission` and `metrics` outlive the
    // receiver and all tickets.
    [[nodiscard]] static Result<std::unique_ptr<GrpcReceiver>> start(
        const ReceiversConfig& config, Admission& admission, Metrics& metrics
    );
    ~GrpcReceiver();  // drain(now)
    GrpcReceiver(const GrpcReceiver&) = delete;
    GrpcReceiver& operator=(const GrpcReceiver&) = delete;

    // The one really bound.
    [[nodiscard]] std::uint16_t port() const;

    // Tells connections to go (GOAWAY), waits for open calls until `deadline`, cancels the rest,
    // ends the threads. One caller; a second call does nothing.
    void drain(SteadyTime deadline);

  private:
    struct State;
    explicit GrpcReceiver(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace spangate
