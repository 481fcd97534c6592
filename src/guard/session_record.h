// A session as it lies on the state topic: the key names it, the value is what GuardedSession
// holds and the offset of the operational record up to which it has seen the log. JSON, so that a
// person can look; the detector's own state is base64 in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "guard/guarded_session.h"
#include "session/event_fields.h"

namespace spangate {

// ["tenant","session"].
[[nodiscard]] std::string session_record_key(const SessionKey& key);

// `topic` is the name of the operational topic that the session's events stand on.
[[nodiscard]] std::string session_record_value(
    const GuardedSession& session, std::string_view topic
);

// What a record tells before the detector is made of it. Owns its texts.
struct SavedSession {
    std::string topic;
    std::string tenant_id;
    std::string session_id;
    std::string session_source;
    std::string digest_key_id;
    std::int64_t offset = -1;
    WallNanos last_seen = 0;
    std::uint64_t epoch_ms = 0;
    std::uint64_t told_count = 0;
    Severity standing = Severity::info;  // of the detector, for who only looks
    double cost_usd = 0;                 // of the detector
    std::vector<GuardReason> reasons;
    std::string detector;
};

// Nothing when the value is no session of this version.
[[nodiscard]] std::optional<SavedSession> read_session_record(
    std::string_view value, EventFields& fields
);

[[nodiscard]] Result<GuardedSession> wake_session(
    SavedSession&& saved, Shard shard, const GuardConfig& config
);

}  // namespace spangate
