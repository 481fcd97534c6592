// The daemon: owns every room. Members stand in the order of their birth, the door first and the
// mouth last, so that each room drains into a living neighbour; they die the other way round.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "base/slab.h"
#include "config/config.h"
#include "digest/hash_key.h"
#include "observe/health.h"
#include "observe/metrics.h"
#include "pipeline/rules.h"

namespace spangate {

struct GatewayOptions {
    Config config;
    std::string config_path;  // read again on reload; empty: reload is refused
    bool has_dev_broker = false;
    std::string dev_directory;  // jsonl directory beside the dev broker; empty: the configured one
};

class Gateway {
  public:
    // Builds every room and opens the receivers last. Fails with what could not be opened and why.
    [[nodiscard]] static Result<std::unique_ptr<Gateway>> start(GatewayOptions options);

    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    // About once a second, from one thread: gaps, estimates, renewed certificates.
    void tick();

    // Reads the configuration file again, validates it whole, and swaps what may change while
    // running (processors, tokens, log level). Refused with the reason when it is invalid or
    // changes anything else; then nothing has changed.
    [[nodiscard]] Status reload();

    // Not ready any more, but still accepting: the agents' last flush.
    void announce_shutdown();

    // Refuses new requests, lets what is inside reach its sinks, until `deadline`. False when
    // records were left behind (their clients were told so).
    bool drain(SteadyTime deadline);

    // As bound; 0: off.
    [[nodiscard]] std::uint16_t grpc_port() const;
    [[nodiscard]] std::uint16_t http_port() const;
    [[nodiscard]] std::uint16_t admin_port() const;

    // Bootstrap address of the dev broker; empty without one.
    [[nodiscard]] const std::string& dev_broker_address() const;

    [[nodiscard]] const Config& config() const;

  private:
    struct Rooms;
    explicit Gateway(std::unique_ptr<Rooms> rooms);

    std::unique_ptr<Rooms> rooms_;
};

}  // namespace spangate
