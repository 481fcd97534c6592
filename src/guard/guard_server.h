// What an agent or an operator asks the running guard:
//
//   GET /guard/SESSION?tenant=ID   {"verdict":"ok|warn|stop","known":true,"reasons":[…],…}
//   GET /metrics /healthz /readyz  as the gateway's admin endpoint
//
// A session that no guard knows is answered "ok" with "known":false: whoever asks goes on
// when the guard knows nothing. SESSION and ID are percent-decoded; without `tenant` it is the one
// that the configuration gives, else `default`. HEAD is answered like GET, without the body. There
// is no authentication: listen on loopback, or behind a network policy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "model/session_key.h"
#include "observe/health.h"
#include "observe/metrics.h"

namespace spangate {

// All of it outlives the server.
struct GuardSources {
    Metrics& metrics;
    Health& health;
    const Clock& clock;
    std::function<std::string(const SessionKey&)> verdict;  // JSON; from the server's thread
    std::string tenant_id;                                  // of questions that name none
};

class GuardServer {
  public:
    // Listens on `endpoint` (port 0: any) and starts its thread.
    [[nodiscard]] static Result<std::unique_ptr<GuardServer>> start(
        const std::string& endpoint, GuardSources sources
    );
    ~GuardServer();
    GuardServer(const GuardServer&) = delete;
    GuardServer& operator=(const GuardServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;

  private:
    class Impl;
    explicit GuardServer(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace spangate
