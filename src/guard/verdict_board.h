// The verdicts of all sessions that any guard of the group has saved lately, from the state topic:
// so each guard answers for every session, not for its own partitions alone. What a guard tells it
// saves at once; costs are as old as guard.state_interval. A thread of its own reads.
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "config/config.h"
#include "guard/guard_counters.h"
#include "guard/verdict.h"

namespace spangate {

class VerdictBoard {
  public:
    explicit VerdictBoard(std::size_t sessions_max) : sessions_max_(sessions_max) {}

    ~VerdictBoard();
    VerdictBoard(const VerdictBoard&) = delete;
    VerdictBoard& operator=(const VerdictBoard&) = delete;

    // Reads the topic from its beginning and goes on with what comes. Once.
    void follow(const KafkaConfig& config, const std::string& topic, std::int32_t partitions);

    // One record of the topic; an empty value is a tombstone.
    void take(std::string_view key, std::string_view value);

    // From any thread.
    [[nodiscard]] std::optional<Verdict> find(const SessionKey& key) const;
    [[nodiscard]] std::size_t size() const;

  private:
    struct Entry {
        std::string key;  // of the record
        Verdict verdict;
    };

    using Entries = std::list<Entry>;

    void run(const KafkaConfig& config, const std::string& topic, std::int32_t partitions);

    const std::size_t sessions_max_;
    EventFields fields_;  // the reading thread's
    mutable std::mutex mutex_;
    Entries entries_;  // the one saved last comes first
    std::map<std::string_view, Entries::iterator, std::less<>> places_;
    std::atomic<bool> is_stopping_{false};
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace spangate
