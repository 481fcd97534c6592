// Writes the events of one session as agents, tools and people make them, from a seed: what was
// done is scripted, how it was instrumented varies.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/story_event.h"

namespace spangate::test {

// How much of a session its client tells.
struct Instrumentation {
    bool tells_inferences = true;
    bool tells_agents_on_tools = true;
    bool tells_requests = true;  // tool_request beside tool_response
    bool tells_costs = true;
    bool tells_turns = false;     // turn_id
    bool tells_runs = true;       // a root span around each turn
    bool numbers_states = false;  // a state hash that is new at each step, as checkpoint ids are
    bool resends = false;         // some events come twice
    bool has_company = false;     // another agent does honest work beside
};

struct ScriptedCall {
    std::string tool = "lookup";
    std::string args = "{}";
    std::string result = "ok";  // empty: not told
    std::string shape{};        // empty: as the arguments
    EventOutcome outcome = EventOutcome::ok;
    std::string error{};
    int http_status = 0;
    int retry = -1;
    int duration_ms = 0;  // 0: by chance
    std::string call_id{};
    std::string policy{};
    double cost_usd = 0;
};

class LoopScript {
  public:
    LoopScript(std::uint64_t seed, const Instrumentation& told);

    // Chance.
    [[nodiscard]] int between(int low, int high);
    [[nodiscard]] bool chance(int percent);
    [[nodiscard]] std::string pick(const std::vector<std::string>& names);
    [[nodiscard]] std::string fresh(std::string_view stem);  // a text not used before

    // Whose the next events are.
    void act_as(std::string agent) { agent_ = std::move(agent); }

    // Doing.
    void wait_ms(int ms) { now_ms_ += ms; }

    void think(int prompt_tokens = 0, double cost_usd = 0);
    void decide(const std::string& chosen);
    void call(const ScriptedCall& call);
    void call_together(std::vector<ScriptedCall> calls);  // overlapping; ends in any order
    void hand_over(const std::string& from, const std::string& to);
    void tell_state(const std::string& state);
    void tell_policy(const std::string& decision);
    void tell_budget(double left);  // with the next inference
    void end_run();                 // the root span comes
    void person_speaks();           // a new run after a while
    void restart();                 // a new run at once

    // The step from which on the session loops beyond its threshold is the last one done.
    void loops_from_here() {
        if (!due_step_) due_step_ = steps_;
    }

    [[nodiscard]] int steps() const { return steps_; }

    // Done.
    struct Event {
        StoryEvent event;
        int step = 0;  // the acting step that it belongs to, from 1
    };

    [[nodiscard]] std::vector<Event> in_arrival_order() const { return told_; }

    [[nodiscard]] std::vector<Event> in_story_order() const;

    [[nodiscard]] std::optional<int> due_step() const { return due_step_; }

    [[nodiscard]] const TextPool& texts() const { return texts_; }

    TextPool texts_;

  private:
    StoryEvent made(EventType type, std::int64_t start_ms, std::int64_t end_ms);
    void put(const StoryEvent& event);
    void put_company();
    void put_call(const ScriptedCall& call, std::int64_t start_ms, std::int64_t end_ms);

    std::mt19937_64 random_;
    Instrumentation how_;
    std::string agent_ = "assistant";
    std::int64_t now_ms_ = 1'800'000'000'000;
    std::int64_t run_start_ms_ = 0;
    int steps_ = 0;
    int serial_ = 0;
    int run_ = 1;
    double budget_ = -1;
    std::optional<int> due_step_;
    std::vector<Event> told_;
};

}  // namespace spangate::test
