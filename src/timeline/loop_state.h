// What the loop detector remembers of one session: fixed size, no strings, no pointers. Texts are
// kept as hashes of 16 or 32 bits: a call that repeats is recognised by several of them at once,
// several times in a row. An event whose id's hash is among the last 64 by chance (one in 60
// million) is taken for a resend.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "timeline/finding.h"
#include "timeline/story_event.h"

namespace spangate {

// A step as later ones are compared with it: a tool call, a decision or a handoff.
struct LoopStep {
    std::uint32_t call = 0;    // tool and arguments; 0: the arguments were not told
    std::uint32_t result = 0;  // what came back, failures included; 0: not told
    std::uint16_t shape = 0;   // arguments without numbers, ids and times; 0: not told
    std::uint16_t tool = 0;
    std::uint16_t failure = 0;  // its class; 0: no failure
    std::uint16_t lane = 0;     // whose step: an agent
    std::uint8_t pause = 0;     // idle time before it, see coded_pause()
    std::uint8_t thoughts = 0;  // inferences since the lane's last step, up to 255
    std::uint8_t cost = 0;      // spent since the lane's last step, see coded_cost()
    std::uint8_t marks = 0;     // LoopMark
};

static_assert(sizeof(LoopStep) == 20);

enum LoopMark : std::uint8_t {
    joins_round = 1,      // ran beside the lane's step before
    is_new = 2,           // this call with this result was not among the last steps
    after_new_state = 4,  // a state not seen before was told since the lane's last step
    is_handoff = 8,
    is_suspended = 16,  // waits for an approval
    starts_turn = 32,   // a person has spoken since
    is_transient = 64,  // failed in a way that waiting mends
    is_retry = 128,     // said to be one
};

inline constexpr std::size_t loop_steps_count = 64;
inline constexpr std::size_t loop_ids_count = 24;  // cycle_period_max × cycles_warn by default
inline constexpr std::size_t loop_seen_count = 64;
inline constexpr std::size_t loop_lanes_count = 5;
inline constexpr std::size_t loop_requests_count = 6;
inline constexpr std::size_t loop_alarms_count = 8;
inline constexpr std::size_t loop_states_count = 12;
inline constexpr std::size_t loop_path_count = 12;
inline constexpr std::size_t loop_marks_count = 8;

// Of events that name no agent.
inline constexpr std::uint16_t unnamed_lane = 1;

// One agent's own count of things.
struct LoopLane {
    std::uint16_t name = 0;  // hash; a lane that was not used yet has used == 0
    std::uint16_t frozen = 0;
    std::uint16_t waiting = 0;  // steps since the state was told last
    std::uint16_t returns = 0;
    std::uint32_t used = 0;  // LoopState::events when it was used last
    std::uint32_t state = 0;
    std::uint32_t poll_call = 0;
    std::uint32_t polls = 0;
    std::uint32_t changed_polls = 0;
    std::uint32_t retry_call = 0;
    std::uint16_t retry_count = 0;
    std::uint16_t rises = 0;
    std::uint32_t retry_result = 0;
    std::uint32_t model = 0;
    std::uint32_t prompt_tokens = 0;
    std::uint16_t growths = 0;
    std::uint16_t own_thoughts = 0;     // inferences of this very lane since its last step
    std::uint32_t thoughts_before = 0;  // LoopState::thoughts at its last step
    float cost_before = 0;              // LoopState::cost_usd at its last step
    float polls_cost_before = 0;
    float idle_ms = 0;          // since its last step
    float session_idle_ms = 0;  // LoopState::idle_ms at its last step
    float budget = 0;
    float pace_busy_s = 0;  // LoopState::busy_s and the budget's rest some minutes ago
    float pace_left = 0;
    float pace_next_busy_s = 0;
    float pace_next_left = 0;
    bool has_budget = false;
    bool has_news = false;       // a new result since the state changed
    bool has_new_state = false;  // since its last step
    bool has_thought = false;    // ever
    bool has_turn = false;       // a person has spoken since its last step
    WallNanos round_end = 0;
    WallNanos active_until = 0;
    WallNanos polls_since = 0;
    WallNanos budget_at = 0;
};

// A call that was asked for and not answered yet.
struct LoopRequest {
    std::uint32_t span = 0;
    std::uint32_t call_id = 0;
    std::uint32_t call = 0;
    std::uint16_t tool = 0;
    std::uint16_t shape = 0;
    WallNanos at = 0;
};

// A signal that was told and holds.
struct LoopAlarm {
    std::uint8_t signal = 0;  // 0: free
    Severity severity = Severity::info;
    std::uint16_t key = 0;  // whose: a lane's name, 0 for the session
    std::uint32_t count = 0;
    std::uint32_t told_count = 0;
    std::uint32_t used = 0;
    EventKey first{};
};

// What was spent by when, for slopes: thinned out as the session grows.
struct SpendMark {
    float busy_s = 0;
    float cost_usd = 0;
};

struct LoopState {
    std::array<LoopStep, loop_steps_count> steps{};
    std::array<EventKey, loop_ids_count> ids{};
    std::array<std::uint32_t, loop_seen_count> seen{};
    std::array<LoopLane, loop_lanes_count> lanes{};
    std::array<LoopRequest, loop_requests_count> requests{};
    std::array<LoopAlarm, loop_alarms_count> alarms{};
    std::array<std::uint32_t, loop_states_count> states{};
    std::array<std::uint32_t, loop_path_count> path{};
    std::array<SpendMark, loop_marks_count> spend{};
    std::uint64_t steps_count = 0;  // ever
    std::uint32_t events = 0;       // ever, wraps
    std::uint32_t seen_count = 0;
    std::uint32_t states_count = 0;
    std::uint32_t thoughts = 0;  // inferences ever
    std::uint32_t last_turn = 0;
    std::uint32_t last_trace = 0;
    std::uint32_t handed_span = 0;    // of the handoff told last
    std::uint32_t holder = 0;         // the agent that has the work
    std::uint32_t handed_events = 0;  // acting events since the handoff told last
    std::uint16_t state_lane = 0;     // whose state was told last
    std::uint8_t path_size = 0;
    std::uint8_t spend_size = 0;
    bool has_granted = false;  // a policy or a turn has come since the budget was told
    bool has_turn_mark = false;
    double cost_usd = 0;
    float spend_every_s = 0;
    float busy_s = 0;
    float usd_per_minute = 0;  // exponentially weighted over five minutes of busy time
    float budget_max = 0;
    float idle_ms = 0;
    std::uint32_t costs_count = 0;
    EventKey last_id{};
    WallNanos last_at = 0;      // the latest end of anything
    WallNanos acted_until = 0;  // of a call or an inference
    WallNanos rate_at = 0;
};

// 100,000 sessions take at most 330 MB; a saved one is shorter, as only what is in use is written.
inline constexpr std::size_t loop_state_bytes_max = 3'300;
static_assert(sizeof(LoopState) <= loop_state_bytes_max);

}  // namespace spangate
