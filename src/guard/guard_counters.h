// What the guard counts. No label holds a session or a tenant.
#pragma once

#include <array>

#include "guard/watch.h"
#include "observe/metrics.h"

namespace spangate {

enum class WebhookOutcome : std::uint8_t { delivered, refused, given_up, dropped };
inline constexpr std::array<std::string_view, 4> webhook_outcome_names = {
    "delivered", "refused", "given_up", "dropped"};

// What is written and read back.
struct GuardStateCounters {
    explicit GuardStateCounters(Metrics& metrics);

    Counter& policy_events;
    Counter& state_saves;
    Counter& state_records;
    Counter& state_restored;
    Counter& state_damaged;
    Counter& commits;
    Counter& commit_failures;
    Counter& write_failures;
};

class GuardCounters : public GuardStateCounters {
  public:
    explicit GuardCounters(Metrics& metrics);

    void count(Watched watched) { records_[static_cast<std::size_t>(watched)]->add(); }

    void count(LoopSignal signal) { signals_[static_cast<std::size_t>(signal)]->add(); }

    void count(WebhookOutcome outcome) { webhook_[static_cast<std::size_t>(outcome)]->add(); }

    Gauge& sessions;
    Gauge& partitions;
    Gauge& lag_records;
    Gauge& lag_seconds;
    Counter& evicted;
    Counter& forgotten;
    Counter& assigned;
    Counter& revoked;
    Counter& lost;
    Counter& webhook_retries;
    Counter& broker_faults;

  private:
    std::array<Counter*, watched_names.size()> records_{};
    std::array<Counter*, loop_signals_count + 1> signals_{};
    std::array<Counter*, webhook_outcome_names.size()> webhook_{};
};

}  // namespace spangate
