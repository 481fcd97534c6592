// The sessions a guard watches: found by (tenant, session), bounded, the one that was silent
// longest goes first. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>

#include "guard/guarded_session.h"

namespace spangate {

class SessionShelf {
  public:
    using OnEvict = std::function<void(GuardedSession&)>;

    // `on_evict` is called with a session before it goes because the shelf is full.
    SessionShelf(std::size_t sessions_max, OnEvict on_evict)
        : sessions_max_(sessions_max),
          on_evict_(std::move(on_evict)) {}

    // Null: not held. The pointer is good until the session leaves the shelf.
    [[nodiscard]] GuardedSession* find(const SessionKey& key);
    [[nodiscard]] const GuardedSession* find(const SessionKey& key) const;

    // The session, which must not be on the shelf yet, becomes the newest.
    GuardedSession& add(GuardedSession&& session);

    // As add(), but as the one that goes first: sessions that are read back are added from the
    // newest to the oldest. Null when the shelf is full.
    GuardedSession* add_oldest(GuardedSession&& session);

    // An event came: the session is the newest now.
    void touch(const GuardedSession& session);

    void remove(const GuardedSession& session);
    void remove_shard(Shard shard);

    // In no order that matters. `look` says whether the session goes.
    void remove_if(const std::function<bool(GuardedSession&)>& look);
    void for_each(const std::function<void(GuardedSession&)>& look);

    [[nodiscard]] std::size_t size() const { return sessions_.size(); }

  private:
    using Sessions = std::list<GuardedSession>;

    struct HashKey {
        std::size_t operator()(const SessionKey& key) const { return key.hash(); }
    };

    const std::size_t sessions_max_;
    const OnEvict on_evict_;
    Sessions sessions_;                                                   // the newest first
    std::unordered_map<SessionKey, Sessions::iterator, HashKey> places_;  // keys borrow from them
};

}  // namespace spangate
