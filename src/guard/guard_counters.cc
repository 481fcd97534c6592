#include "guard/guard_counters.h"

namespace spangate {
namespace {

Counter& rebalances(Metrics& metrics, std::string_view kind) {
    return metrics.counter(
        "spangate_guard_rebalanced_partitions_total",
        "Partitions that came to this guard or left it; lost ones were given to another before "
        "their sessions could be saved.",
        {{"kind", kind}}
    );
}

}  // namespace

GuardStateCounters::GuardStateCounters(Metrics& metrics)
    : policy_events(metrics.counter(
          "spangate_guard_policy_events_total", "policy_intervention events written."
      )),
      state_saves(metrics.counter(
          "spangate_guard_state_saves_total", "Times all changed sessions were saved."
      )),
      state_records(metrics.counter(
          "spangate_guard_state_records_total", "Sessions written to the state topic."
      )),
      state_restored(metrics.counter(
          "spangate_guard_state_restored_total", "Sessions read back from the state topic."
      )),
      state_damaged(metrics.counter(
          "spangate_guard_state_damaged_total",
          "Records on the state topic that are no session of this version; they begin anew."
      )),
      commits(metrics.counter("spangate_guard_commits_total", "Commits of offsets.")),
      commit_failures(metrics.counter(
          "spangate_guard_commit_failures_total",
          "Commits that Kafka refused; the next one covers them."
      )),
      write_failures(metrics.counter(
          "spangate_guard_write_failures_total",
          "Records that Kafka refused for good; the guard ends and the next one repeats them."
      )) {}

GuardCounters::GuardCounters(Metrics& metrics)
    : GuardStateCounters(metrics),
      sessions(metrics.gauge("spangate_guard_sessions", "Sessions watched.")),
      partitions(metrics.gauge("spangate_guard_partitions", "Partitions this guard reads.")),
      lag_records(metrics.gauge(
          "spangate_guard_lag_records", "Records on its partitions that are not read yet."
      )),
      lag_seconds(metrics.gauge(
          "spangate_guard_lag_seconds",
          "Age of the newest record read on the partition that is furthest behind; 0 at the end."
      )),
      evicted(metrics.counter(
          "spangate_guard_sessions_evicted_total",
          "Sessions that left memory because guard.sessions_max was reached."
      )),
      forgotten(metrics.counter(
          "spangate_guard_sessions_forgotten_total",
          "Sessions without an event for guard.session_ttl."
      )),
      assigned(rebalances(metrics, "assigned")),
      revoked(rebalances(metrics, "revoked")),
      lost(rebalances(metrics, "lost")),
      webhook_retries(metrics.counter(
          "spangate_guard_webhook_retries_total", "Posts to the webhook that were tried again."
      )),
      broker_faults(metrics.counter(
          "spangate_guard_broker_faults_total", "Faults that librdkafka told and goes on after."
      )) {
    for (std::size_t i = 0; i < records_.size(); ++i) {
        records_[i] = &metrics.counter(
            "spangate_guard_records_total",
            "Operational records read, by what became of them.",
            {{"outcome", watched_names[i]}}
        );
    }
    for (std::size_t i = 1; i < signals_.size(); ++i) {
        signals_[i] = &metrics.counter(
            "spangate_loop_suspected_total",
            "Tellings, by signal.",
            {{"signal", signal_code(static_cast<LoopSignal>(i))}}
        );
    }
    for (std::size_t i = 0; i < webhook_.size(); ++i) {
        webhook_[i] = &metrics.counter(
            "spangate_guard_webhook_total",
            "Messages for the webhook, by what became of them.",
            {{"outcome", webhook_outcome_names[i]}}
        );
    }
}

}  // namespace spangate
