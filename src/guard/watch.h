// The guard without Kafka: events in, tellings out. The same code for the running guard, for
// `--once` and for files. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "guard/guarded_session.h"
#include "guard/session_shelf.h"
#include "session/event_fields.h"
#include "session/event_reader.h"
#include "timeline/story_reader.h"

namespace spangate {

// What became of one record.
enum class Watched : std::uint8_t {
    observed,
    own,       // a guard wrote it
    covered,   // the session's state has it already
    left_out,  // of another tenant than asked for
    damaged,   // no event that can be read
};

inline constexpr std::array<std::string_view, 5> watched_names = {
    "observed", "own", "covered", "left_out", "damaged"};

// A telling with what its policy event is made of. Borrowed for the call.
struct GuardTelling {
    const GuardedSession& session;  // its told_count is this event's gateway_seq
    const LoopTelling& telling;
    const StoryEvent* event = nullptr;  // which completed it; null: time did
    const TextPool& texts;
};

// Where tellings and states go; called by the watch's thread.
class WatchSink {
  public:
    virtual ~WatchSink() = default;
    virtual void tell(const GuardTelling& telling) = 0;

    // Before the session leaves because there is no room; it may come back from what is saved.
    virtual void evict(GuardedSession& session) = 0;

    // The session was silent for the time to live: what is saved of it may go too.
    virtual void forget(const GuardedSession& session) = 0;
};

class Watch {
  public:
    // Both outlive the watch. `tenant_id`: only this one's sessions; empty: all.
    Watch(const GuardConfig& config, std::string tenant_id, WatchSink& sink);

    // `offset` is of the operational record; records of a shard come in its order.
    Watched observe(Shard shard, std::int64_t offset, const StoredEvent& stored);

    // What time alone tells, and who is forgotten. `now_of` tells each shard's time; 0: unknown.
    void tick(const std::function<WallNanos(Shard)>& now_of);

    // A session from its saved state. Sessions come from the newest to the oldest; false when there
    // is no room for this one.
    [[nodiscard]] bool restore(GuardedSession&& session);

    [[nodiscard]] SessionShelf& shelf() { return shelf_; }

    [[nodiscard]] const SessionShelf& shelf() const { return shelf_; }

  private:
    GuardedSession& session_of(Shard shard, const StoredEvent& stored);
    void tell_all(GuardedSession& session, const StoryEvent* event);

    // The pool holds no text that anybody needs after an event; it is emptied above this.
    static constexpr std::size_t pool_bytes_max = 1024 * 1024;

    const GuardConfig& config_;
    const std::string tenant_id_;
    WatchSink& sink_;
    SessionShelf shelf_;
    StoryReader reader_;
    TextPool texts_;
    StoryEvent event_;
    EventFields fields_;
    std::vector<LoopTelling> told_;  // scratch
};

}  // namespace spangate
