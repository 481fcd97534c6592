// The counters behind gateway_seq: session → (epoch, next number). One lock stripe owns one of
// these. Bounded: when full, a counter that was not used since the hand last passed is forgotten
// (clock eviction), and the session's next event starts a new epoch.
//
// A session is known by its 64-bit hash alone: at 200,000 sessions two share a counter with a
// chance of about one in a billion, and then only numbers are skipped, never records. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace spangate {

struct SessionCounter {
    std::uint64_t session_hash = 0;
    std::uint64_t epoch_ms = 0;
    std::uint64_t next_seq = 0;  // 0: an empty place
    bool was_used = false;
};

class SessionCounters {
  public:
    // `counters_max` ≥ 1.
    explicit SessionCounters(std::size_t counters_max);

    // Null when the session has none.
    [[nodiscard]] SessionCounter* find(std::uint64_t session_hash);

    // A new counter; the session has none yet. Its epoch is `wall_ms`, or later: above each epoch
    // that was forgotten here. `must_stay` protects counters from being forgotten; when all are
    // protected one goes all the same. The pointer is valid until the next add().
    SessionCounter* add(
        std::uint64_t session_hash,
        std::uint64_t wall_ms,
        const std::function<bool(std::uint64_t)>& must_stay
    );

    [[nodiscard]] std::size_t size() const { return count_; }

    [[nodiscard]] std::uint64_t forgotten_count() const { return forgotten_count_; }

  private:
    [[nodiscard]] std::size_t place_of(std::uint64_t session_hash) const;
    void grow();
    void forget_one(const std::function<bool(std::uint64_t)>& must_stay);
    void erase(std::size_t place);

    const std::size_t counters_max_;
    std::vector<SessionCounter> places_;  // open addressing, a power of two, at most half full
    std::size_t count_ = 0;
    std::size_t hand_ = 0;
    std::uint64_t epoch_floor_ms_ = 0;
    std::uint64_t forgotten_count_ = 0;
};

}  // namespace spangate
