// What GET /guard/SESSION answers.
#pragma once

#include <string>
#include <vector>

#include "guard/guarded_session.h"
#include "guard/session_record.h"

namespace spangate {

struct Verdict {
    Severity standing = Severity::info;
    double cost_usd = 0;
    WallNanos last_seen = 0;           // when the last event that counts here was received
    std::vector<GuardReason> reasons;  // what was told, as long as one of it holds
};

[[nodiscard]] Verdict verdict_of(const GuardedSession& session);
[[nodiscard]] Verdict verdict_of(SavedSession&& saved);

// {"verdict":"ok|warn|stop","known":true,…}
[[nodiscard]] std::string verdict_text(const SessionKey& key, const Verdict& verdict);

// Of a session nobody knows: nothing speaks against it, and the answer says that it knows nothing.
[[nodiscard]] std::string unknown_verdict(const SessionKey& key);

}  // namespace spangate
