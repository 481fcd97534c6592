// What was told of model calls, hand-offs and failed tools in earlier batches, so that one call
// told twice counts once (contract §5). One object for all lanes, locked once a batch; bounded,
// with a time to live. What it has forgotten, consumers remove by (tenant, trace, response id).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "config/config.h"
#include "interpret/bounded_map.h"
#include "model/agent_event.h"

namespace spangate {

// What an entry is remembered under: the hash of its parts, 128 bits.
struct MemoryKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend bool operator==(const MemoryKey&, const MemoryKey&) = default;
};

// Hashes the pieces with their sizes, so that no two lists of pieces read alike.
[[nodiscard]] MemoryKey memory_key(std::span<const std::string_view> pieces);

// A telling of a call, or the earlier events that a repeat is compared with.
struct ToldCall {
    EventId event_id{};       // of the first
    EventId last_event_id{};  // of the last
    WallNanos at = 0;         // end of the last
    std::uint32_t occurrences = 0;
};

// The open hand-offs of one trace, newest last.
struct TraceHandoffs {
    static constexpr std::size_t handoffs_max = 8;

    struct Handoff {
        EventId event_id{};
        EventId partner{};         // the other telling; all zero: none yet
        WallNanos at = 0;          // end of the tool's span, or start of the agent's
        std::uint64_t target = 0;  // hash of the agent's name; 0: unknown
        bool is_tool = false;      // told by the tool's span, else by the agent's own
    };

    std::array<Handoff, handoffs_max> handoffs{};
    std::size_t count = 0;

    void add(const Handoff& handoff);
};

class UsageMemory {
  public:
    explicit UsageMemory(const UsageMemoryConfig& config);

    // Both guarded by mutex(); a lane holds it for one batch's look-ups.
    [[nodiscard]] std::mutex& mutex() { return mutex_; }

    [[nodiscard]] BoundedMap<MemoryKey, ToldCall>& calls() { return calls_; }

    [[nodiscard]] BoundedMap<MemoryKey, TraceHandoffs>& handoffs() { return handoffs_; }

    [[nodiscard]] std::size_t size();

  private:
    std::mutex mutex_;
    BoundedMap<MemoryKey, ToldCall> calls_;
    BoundedMap<MemoryKey, TraceHandoffs> handoffs_;
};

}  // namespace spangate
