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

// What was told before under one name. All zero ids: nothing yet.
//   - A call: `event_id` is the telling that counts.
//   - A run: `event_id` is its start, `last_event_id` its end.
struct ToldCall {
    EventId event_id{};
    EventId last_event_id{};
    std::uint64_t run = 0;  // hash of the run's id; 0: none said
};

// The last attempts of one thing, by their ends; the first of them failed.
struct AttemptChain {
    static constexpr std::size_t attempts_max = 6;

    struct Attempt {
        EventId event_id{};
        WallNanos began_at = 0;
        WallNanos ended_at = 0;
        bool failed = false;
        bool is_log = false;
    };

    std::array<Attempt, attempts_max> attempts{};
    std::size_t count = 0;

    [[nodiscard]] std::span<Attempt> all() { return std::span(attempts).first(count); }

    // The oldest one makes room.
    void add(const Attempt& attempt);
};

// The last tellings of one tool call, or of calls of one tool in one trace.
struct ToolTellings {
    static constexpr std::size_t tellings_max = 8;

    // Who tells; each of them tells a call once.
    enum class Carrier : std::uint8_t { span, span_event, log };

    struct Telling {
        EventId event_id{};
        EventId first{};  // whose repetition it is; all zero: it was the first
        WallNanos began_at = 0;
        WallNanos ended_at = 0;
        std::uint64_t call = 0;     // hash of the call's id; 0: it says none
        std::uint8_t carriers = 0;  // bits of those that told the call
    };

    std::array<Telling, tellings_max> tellings{};
    std::size_t count = 0;

    [[nodiscard]] std::span<Telling> all() { return std::span(tellings).first(count); }

    // The oldest one makes room.
    void add(const Telling& telling);
};

// The last hand-offs and nested agents of one trace, newest last.
struct TraceHandoffs {
    static constexpr std::size_t handoffs_max = 8;

    struct Handoff {
        EventId event_id{};
        EventId partner{};         // the other telling; all zero: none yet
        WallNanos began_at = 0;    // of the span that tells it
        WallNanos ended_at = 0;    // of the same
        SpanId tool_span{};        // the tool's span, or the agent's parent
        std::uint64_t target = 0;  // hash of the agent's name; 0: unknown
        std::uint64_t name = 0;    // hash of the span's
        bool is_tool = false;      // told by the tool's span, else by the agent's own
        bool yields = false;  // the other telling stands, or an agent that nobody handed over to
    };

    std::array<Handoff, handoffs_max> handoffs{};
    std::size_t count = 0;

    void add(const Handoff& handoff);
};

class UsageMemory {
  public:
    explicit UsageMemory(const UsageMemoryConfig& config);

    // All guarded by mutex(); a lane holds it for one batch's look-ups.
    [[nodiscard]] std::mutex& mutex() { return mutex_; }

    [[nodiscard]] BoundedMap<MemoryKey, ToldCall>& calls() { return calls_; }

    [[nodiscard]] BoundedMap<MemoryKey, AttemptChain>& attempts() { return attempts_; }

    [[nodiscard]] BoundedMap<MemoryKey, TraceHandoffs>& handoffs() { return handoffs_; }

    [[nodiscard]] BoundedMap<MemoryKey, ToolTellings>& tools() { return tools_; }

    // Whether log records that join a span have come: then spans are remembered for them. Guarded
    // by mutex() as well.
    [[nodiscard]] bool joins_are_told() const { return joins_are_told_; }

    void expect_joins() { joins_are_told_ = true; }

    [[nodiscard]] std::size_t size();

  private:
    bool joins_are_told_ = false;
    std::mutex mutex_;
    BoundedMap<MemoryKey, ToldCall> calls_;
    BoundedMap<MemoryKey, AttemptChain> attempts_;
    BoundedMap<MemoryKey, TraceHandoffs> handoffs_;
    BoundedMap<MemoryKey, ToolTellings> tools_;
};

}  // namespace spangate
