#include "timeline/loop_detector.h"

#include <algorithm>
#include <utility>

#include "timeline/loop_moment.h"
#include "timeline/loop_rounds.h"
#include "timeline/loop_save.h"
#include "timeline/loop_words.h"

namespace spangate {
namespace {

constexpr double nanos_per_ms = 1e6;
// A person needs so long to read and answer; a program starts the next run at once.
constexpr WallNanos person_pause_min = 2'000'000'000;
// The same where no model is heard: it may have been thinking.
constexpr WallNanos silent_person_pause_min = 5'000'000'000;

std::uint32_t hash_of(const std::uint8_t* bytes, std::size_t size) {
    return loop_hash({reinterpret_cast<const char*>(bytes), size});
}

// True when the id was among the last ones; notes it.
bool is_resent(LoopState& state, const EventKey& id) {
    const std::uint32_t tag = hash_of(id.data(), id.size());
    const auto kept = std::min<std::size_t>(state.seen_count, loop_seen_count);
    if (std::find(state.seen.begin(), state.seen.begin() + kept, tag) != state.seen.begin() + kept)
        return true;
    state.seen[state.seen_count % loop_seen_count] = tag;
    // Goes round without ever looking young again.
    state.seen_count = state.seen_count + 1 == 0 ? loop_seen_count : state.seen_count + 1;
    return false;
}

// What an agent does itself; a span around others is not.
bool is_act(EventType type) {
    return type == EventType::inference || type == EventType::tool_response ||
           type == EventType::retrieval;
}

// A new run or turn after a rest is a person's: what repeats then was asked for again.
void note_turn(LoopMoment& moment) {
    LoopState& state = moment.state;
    const StoryEvent& event = moment.event;
    const std::uint32_t turn = loop_hash(moment.text(event.turn_id));
    const std::uint32_t trace = hash_of(event.trace_id.data(), event.trace_id.size());
    const bool is_other = (turn != 0 && turn != state.last_turn && state.last_turn != 0) ||
                          (trace != state.last_trace && state.last_trace != 0) ||
                          state.has_turn_mark;
    const WallNanos pause_min = state.thoughts == 0 ? silent_person_pause_min : person_pause_min;
    const bool is_rested =
        state.acted_until != 0 && start_of(event) - state.acted_until >= pause_min;
    if (is_act(event.type) || event.type == EventType::tool_request) {
        if (is_other && is_rested) {
            for (LoopLane& lane : state.lanes) {
                lane.has_turn = true;
                lane.returns = 0;
                lane.frozen = 0;
                lane.waiting = 0;
            }
            state.has_granted = true;
        }
        if (turn != 0) state.last_turn = turn;
        state.last_trace = trace;
        state.has_turn_mark = false;
    }
    if (event.type == EventType::session_end) state.has_turn_mark = true;
}

// Idle time of the lane and of the session, as this event's start shows it.
void note_time(LoopMoment& moment, LoopLane& lane) {
    LoopState& state = moment.state;
    const WallNanos start = start_of(moment.event);
    const WallNanos end = end_of(moment.event);
    if (is_act(moment.event.type)) {
        if (lane.active_until != 0 && start > lane.active_until)
            lane.idle_ms +=
                static_cast<float>(static_cast<double>(start - lane.active_until) / nanos_per_ms);
        if (state.acted_until != 0 && start > state.acted_until)
            state.idle_ms +=
                static_cast<float>(static_cast<double>(start - state.acted_until) / nanos_per_ms);
        state.acted_until = std::max(state.acted_until, end);
        lane.active_until = std::max(lane.active_until, end);
    }
    if (end >= state.last_at) {
        state.last_at = end;
        state.last_id = moment.event.id;
    }
}

void open_request(LoopMoment& moment) {
    LoopState& state = moment.state;
    const StoryEvent& event = moment.event;
    LoopRequest& place = *std::min_element(
        state.requests.begin(),
        state.requests.end(),
        [](const LoopRequest& a, const LoopRequest& b) { return a.at < b.at; }
    );
    place = LoopRequest{};
    place.span = hash_of(event.span_id.data(), event.span_id.size());
    place.call_id = loop_hash(moment.text(event.tool_call_id));
    place.tool = loop_short_hash(moment.text(event.tool_name));
    const std::uint32_t args = loop_hash(moment.text(event.args_digest));
    if (args != 0) place.call = loop_mix(args, place.tool);
    place.shape = loop_short_hash(moment.text(event.args_shape_digest));
    place.at = std::max<WallNanos>(start_of(event), 1);
}

// An approval that is asked for puts the lane's last call off, if that got no result.
void suspend_last_call(LoopMoment& moment, const LoopLane& lane) {
    if (moment.text(moment.event.policy_decision) != "ask") return;
    LoopState& state = moment.state;
    for (std::size_t back = 0; back < steps_kept(state); ++back) {
        LoopStep& step = step_back(state, back);
        if (step.lane != lane.name || step.tool == 0) continue;
        if (step.result == 0 || step.failure != 0) step.marks |= is_suspended;
        return;
    }
}

void observe_kind(LoopMoment& moment, LoopLane& lane) {
    LoopState& state = moment.state;
    switch (moment.event.type) {
        case EventType::tool_request:
            open_request(moment);
            break;
        case EventType::tool_response:
            ++state.handed_events;
            observe_tool_call(moment, lane);
            break;
        case EventType::inference:
            ++state.thoughts;
            ++state.handed_events;
            lane.has_thought = true;
            if (lane.own_thoughts < 65'535) ++lane.own_thoughts;
            observe_prompt(moment, lane);
            break;
        case EventType::planner_decision:
            observe_decision(moment, lane);
            break;
        case EventType::handoff:
            observe_handoff(moment, lane);
            break;
        case EventType::policy_intervention:
            state.has_granted = true;
            suspend_last_call(moment, lane);
            break;
        case EventType::session_start:
        case EventType::session_end:
        case EventType::retry:
        case EventType::termination:
        case EventType::state_snapshot:
        case EventType::retrieval:
        case EventType::evaluation:
        case EventType::step_cost:
        case EventType::error:
        case EventType::other:
        case EventType::session_alias:
        case EventType::gateway_gap:
            break;
    }
}

}  // namespace

struct LoopDetector::State {
    const GuardConfig* config = nullptr;
    LoopState state;
};

LoopDetector::LoopDetector(const GuardConfig& config)
    : state_(std::make_unique<State>(State{&config, {}})) {}

LoopDetector::~LoopDetector() = default;
LoopDetector::LoopDetector(LoopDetector&&) noexcept = default;
LoopDetector& LoopDetector::operator=(LoopDetector&&) noexcept = default;

void LoopDetector::observe(
    const StoryEvent& event,
    const TextPool& texts,
    std::vector<LoopTelling>& told,
    std::vector<LoopGrowth>* grown
) {
    if (!state_->config->enabled) return;
    LoopState& state = state_->state;
    // What the gateway and the guard say of a session is not the agents' doing.
    const bool is_of_agent =
        event.source != EventSource::guard && event.source != EventSource::gateway;
    if (!is_of_agent || is_resent(state, event.id)) return;
    judge_silence(*state_->config, state, start_of(event), told);
    LoopMoment moment{*state_->config, state, event, texts, told, grown};
    ++state.events;
    note_turn(moment);
    LoopLane& lane = lane_of(moment);
    note_time(moment, lane);
    observe_spend(moment);
    observe_kind(moment, lane);
    observe_state(moment, lane);
    observe_budget(moment, lane);
}

void LoopDetector::tick(WallNanos now, std::vector<LoopTelling>& told) {
    if (state_->config->enabled) judge_silence(*state_->config, state_->state, now, told);
}

Severity LoopDetector::standing() const {
    Severity worst = Severity::info;
    for (const LoopAlarm& alarm : state_->state.alarms) {
        if (alarm.signal != 0) worst = std::max(worst, alarm.severity);
    }
    return worst;
}

WallNanos LoopDetector::last_event_at() const {
    return state_->state.last_at;
}

double LoopDetector::cost_usd() const {
    return state_->state.cost_usd;
}

std::string LoopDetector::save() const {
    return saved_loops(state_->state);
}

Result<LoopDetector> LoopDetector::restore(const GuardConfig& config, std::string_view saved) {
    LoopDetector detector(config);
    if (Status read = read_loops(saved, detector.state_->state); !read)
        return tl::unexpected<Error>(read.error());
    return detector;
}

}  // namespace spangate
