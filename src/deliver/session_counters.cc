#include "deliver/session_counters.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace spangate {
namespace {

constexpr std::size_t places_at_start = 16;

// The stripe is chosen by the low bits, so the place is taken from the others.
std::size_t home_of(std::uint64_t session_hash, std::size_t places) {
    return static_cast<std::size_t>(session_hash >> 16) & (places - 1);
}

}  // namespace

SessionCounters::SessionCounters(std::size_t counters_max)
    : counters_max_(std::max<std::size_t>(counters_max, 1)),
      places_(places_at_start) {}

// The session's place, or the empty one where it would stand.
std::size_t SessionCounters::place_of(std::uint64_t session_hash) const {
    std::size_t place = home_of(session_hash, places_.size());
    while (places_[place].next_seq != 0 && places_[place].session_hash != session_hash)
        place = (place + 1) & (places_.size() - 1);
    return place;
}

SessionCounter* SessionCounters::find(std::uint64_t session_hash) {
    SessionCounter& counter = places_[place_of(session_hash)];
    if (counter.next_seq == 0) return nullptr;
    counter.was_used = true;
    return &counter;
}

SessionCounter* SessionCounters::add(
    std::uint64_t session_hash,
    std::uint64_t wall_ms,
    const std::function<bool(std::uint64_t)>& must_stay
) {
    if (count_ >= counters_max_) forget_one(must_stay);
    if ((count_ + 1) * 2 > places_.size()) grow();
    SessionCounter& counter = places_[place_of(session_hash)];
    SPANGATE_DCHECK(counter.next_seq == 0);
    counter = {session_hash, std::max(wall_ms, epoch_floor_ms_), 1, true};
    ++count_;
    return &counter;
}

void SessionCounters::grow() {
    std::vector<SessionCounter> old(places_.size() * 2);
    old.swap(places_);
    for (const SessionCounter& counter : old) {
        if (counter.next_seq != 0) places_[place_of(counter.session_hash)] = counter;
    }
}

// The hand goes round at most twice: the first round clears the marks, the second finds one.
void SessionCounters::forget_one(const std::function<bool(std::uint64_t)>& must_stay) {
    for (std::size_t step = 0; step < 2 * places_.size(); ++step) {
        hand_ = (hand_ + 1) & (places_.size() - 1);
        SessionCounter& counter = places_[hand_];
        if (counter.next_seq == 0) continue;
        if (std::exchange(counter.was_used, false)) continue;
        if (must_stay(counter.session_hash)) continue;
        erase(hand_);
        return;
    }
    while (places_[hand_].next_seq == 0)
        hand_ = (hand_ + 1) & (places_.size() - 1);
    erase(hand_);
}

// Keeps every chain whole: later members move back into the hole if their home allows it.
void SessionCounters::erase(std::size_t place) {
    epoch_floor_ms_ = std::max(epoch_floor_ms_, places_[place].epoch_ms + 1);
    ++forgotten_count_;
    --count_;
    const std::size_t mask = places_.size() - 1;
    std::size_t hole = place;
    for (std::size_t at = (hole + 1) & mask; places_[at].next_seq != 0; at = (at + 1) & mask) {
        const std::size_t home = home_of(places_[at].session_hash, places_.size());
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            places_[hole] = places_[at];
            hole = at;
        }
    }
    places_[hole] = SessionCounter{};
}

}  // namespace spangate
