#include "guard/session_shelf.h"

#include <iterator>

#include "base/check.h"

namespace spangate {

GuardedSession* SessionShelf::find(const SessionKey& key) {
    const auto place = places_.find(key);
    return place == places_.end() ? nullptr : &*place->second;
}

const GuardedSession* SessionShelf::find(const SessionKey& key) const {
    const auto place = places_.find(key);
    return place == places_.end() ? nullptr : &*place->second;
}

GuardedSession& SessionShelf::add(GuardedSession&& session) {
    while (sessions_.size() >= sessions_max_ && !sessions_.empty()) {
        on_evict_(sessions_.back());
        remove(sessions_.back());
    }
    sessions_.push_front(std::move(session));
    const bool is_new = places_.emplace(sessions_.front().key(), sessions_.begin()).second;
    SPANGATE_CHECK(is_new);
    return sessions_.front();
}

GuardedSession* SessionShelf::add_oldest(GuardedSession&& session) {
    if (sessions_.size() >= sessions_max_) return nullptr;
    sessions_.push_back(std::move(session));
    const bool is_new = places_.emplace(sessions_.back().key(), std::prev(sessions_.end())).second;
    SPANGATE_CHECK(is_new);
    return &sessions_.back();
}

void SessionShelf::touch(const GuardedSession& session) {
    const auto place = places_.find(session.key());
    SPANGATE_CHECK(place != places_.end());
    sessions_.splice(sessions_.begin(), sessions_, place->second);
}

void SessionShelf::remove(const GuardedSession& session) {
    const auto place = places_.find(session.key());
    SPANGATE_CHECK(place != places_.end());
    const Sessions::iterator at = place->second;
    places_.erase(place);  // before the texts that its key borrows
    sessions_.erase(at);
}

void SessionShelf::remove_shard(Shard shard) {
    remove_if([shard](const GuardedSession& session) { return session.shard == shard; });
}

void SessionShelf::remove_if(const std::function<bool(GuardedSession&)>& look) {
    for (auto at = sessions_.begin(); at != sessions_.end();) {
        if (!look(*at)) {
            ++at;
            continue;
        }
        places_.erase(at->key());
        at = sessions_.erase(at);
    }
}

void SessionShelf::for_each(const std::function<void(GuardedSession&)>& look) {
    for (GuardedSession& session : sessions_)
        look(session);
}

}  // namespace spangate
