// What an operator asks the running program, on a port of its own:
//
//   GET  /metrics    Prometheus text format 0.0.4
//   GET  /healthz    200 as long as the process answers; depends on nothing
//   GET  /readyz     200, or 503 with one line «room: reason» for each room that cannot work
//   GET  /config     the effective configuration, secrets masked
//   POST /-/reload   reads the configuration again: 200, or 400 with the reason
//
// HEAD is answered like GET, without the body. There is no authentication: listen on loopback, or
// behind a network policy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "observe/health.h"
#include "observe/metrics.h"

namespace spangate {

// What the answers are made of; called from the server's own thread, which may wait for them. All
// of it outlives the server.
struct AdminSources {
    Metrics& metrics;
    Health& health;
    const Clock& clock;
    std::function<std::string()> config_text;  // YAML, masked
    std::function<Status()> reload;
};

class AdminServer {
  public:
    // Listens on config.endpoint (port 0: any) and starts its thread.
    [[nodiscard]] static Result<std::unique_ptr<AdminServer>> start(
        const AdminConfig& config, AdminSources sources
    );
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    // The one really bound.
    [[nodiscard]] std::uint16_t port() const;

  private:
    class Impl;
    explicit AdminServer(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace spangate
