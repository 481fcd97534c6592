// What the guard knows of one running session. Belongs to the thread that reads the log.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/session_key.h"
#include "timeline/loop_detector.h"

namespace spangate {

// One partition of one operational topic: what a guard owns, and what moves between guards.
struct Shard {
    std::uint32_t topic = 0;  // index into the guard's list of operational topics
    std::int32_t partition = 0;

    friend auto operator<=>(const Shard&, const Shard&) = default;
};

// The last telling of a signal.
struct GuardReason {
    LoopSignal signal = LoopSignal::no_progress_repeat;
    Severity severity = Severity::warning;
    std::uint32_t repeats = 0;
    std::string text;  // a sentence for people; names and numbers, no content
};

struct GuardedSession {
    GuardedSession(const SessionKey& key, Shard where, LoopDetector made)
        : tenant_id(key.tenant_id),
          session_id(key.session_id),
          shard(where),
          detector(std::move(made)) {}

    [[nodiscard]] SessionKey key() const { return {tenant_id, session_id}; }

    // Keeps one reason a signal, the newest.
    void remember(const LoopTelling& telling) {
        const auto known =
            std::find_if(reasons.begin(), reasons.end(), [&](const GuardReason& reason) {
                return reason.signal == telling.signal;
            });
        GuardReason& reason = known == reasons.end() ? reasons.emplace_back() : *known;
        reason = {telling.signal, telling.severity, telling.repeats, telling.text};
    }

    std::string tenant_id;
    std::string session_id;
    std::string session_source;
    std::string digest_key_id;  // empty: no event has told it
    Shard shard;
    LoopDetector detector;
    std::int64_t offset = -1;      // of the last event that the detector has seen
    WallNanos last_seen = 0;       // when that one was received
    std::uint64_t epoch_ms = 0;    // when the first one was received: gateway_epoch
    std::uint64_t told_count = 0;  // policy events made since: the last gateway_seq
    std::vector<GuardReason> reasons;
    bool is_changed = false;  // since it was saved
};

// L1 … L12, as in policy_source and labels.
[[nodiscard]] inline std::string signal_code(LoopSignal signal) {
    return "L" + std::to_string(static_cast<unsigned>(signal));
}

inline constexpr unsigned loop_signals_count = 12;

}  // namespace spangate
