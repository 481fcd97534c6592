// A telling as a policy_intervention event of the contract (events.md §3, §5), and as the JSON that
// the webhook hears. No content: digests, counts, names and ids.
//
// A repeat after a crash has the same event_id: it is made of what completes the telling, the
// offset of the session's last record, the signal, its severity and its count, and of the group,
// which is the gateway_id of all guards of it. So are all fields but ts_received and gateway_*.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "guard/watch.h"

namespace spangate {

struct GuardIdentity {
    std::string gateway_id;  // the group
    std::string rules;       // 12 hex of the thresholds' hash
};

[[nodiscard]] GuardIdentity guard_identity(const GuardConfig& config);

// As `exporters.kafka` asks.
struct PolicyEventForm {
    bool is_json = true;  // else protobuf
    std::string headers = "minimal";
};

struct PolicyEvent {
    std::string event_id;  // 32 hex
    std::string value;
    std::vector<std::pair<std::string, std::string>> headers;
};

// `now`: wall time, ts_received. `config`: for the time at which a silence begins.
[[nodiscard]] PolicyEvent make_policy_event(
    const GuardTelling& telling,
    const GuardIdentity& identity,
    const GuardConfig& config,
    const PolicyEventForm& form,
    WallNanos now
);

// Its signal in the contract: loop_suspected or budget_risk.
[[nodiscard]] std::string_view policy_signal(LoopSignal signal);

[[nodiscard]] std::string webhook_message(
    const GuardTelling& telling, std::string_view event_id, WallNanos now
);

}  // namespace spangate
