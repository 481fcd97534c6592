// The running guard: a member of a consumer group over the operational topics that watches the
// sessions of its partitions, writes policy events, and keeps its state on a compacted topic. What
// holds at each moment, and why nothing is told twice or missed: guard/README.md.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "guard/guard_counters.h"
#include "guard/webhook.h"
#include "model/session_key.h"
#include "observe/health.h"

namespace spangate {

// All of it outlives the guard.
struct GuardParts {
    const Clock& clock;
    Health& health;
    GuardCounters& counters;
    Webhook* webhook = nullptr;  // null: none
    const std::atomic<bool>& stop;
};

struct GuardOrder {
    KafkaConfig kafka;
    GuardConfig guard;
    std::string tenant_id;           // only this one's sessions; empty: all
    std::optional<WallNanos> since;  // where a group that has read nothing yet begins
};

class KafkaGuard {
  public:
    // Talks to nobody yet.
    [[nodiscard]] static Result<std::unique_ptr<KafkaGuard>> open(
        GuardOrder order, GuardParts parts
    );
    ~KafkaGuard();
    KafkaGuard(const KafkaGuard&) = delete;
    KafkaGuard& operator=(const KafkaGuard&) = delete;

    // Until `stop` is set, or what cannot be helped by waiting: no rights, no topic, a record that
    // Kafka refuses. Saves and leaves the group before it returns. On one thread.
    [[nodiscard]] Status run();

    // JSON, see guard/verdict.h. From any thread.
    [[nodiscard]] std::string verdict(const SessionKey& key) const;

  private:
    class Loop;
    explicit KafkaGuard(std::unique_ptr<Loop> loop);

    std::unique_ptr<Loop> loop_;
};

}  // namespace spangate
