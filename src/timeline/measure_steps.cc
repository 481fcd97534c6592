// What steps cost and changed; see README.md.
#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "timeline/draft.h"

namespace spangate {
namespace {

class StepMeter {
  public:
    explicit StepMeter(Draft& draft) : draft_(draft), timeline_(draft.timeline) {}

    void measure() {
        for (std::uint32_t i = 0; i < timeline_.events.size(); ++i) {
            if (draft_.event_steps[i] != no_index) add_event(i);
        }
        find_lanes();
        number_attempts();
        add_up();
        find_handoffs();
        count();
    }

  private:
    void add_event(std::uint32_t index);
    void add_usage(const StoryEvent& event, Step& step);
    void add_times(const StoryEvent& event, bool is_of_step, Step& step);
    [[nodiscard]] bool is_doubled(const StoryEvent& event);
    void find_lanes();
    [[nodiscard]] std::uint32_t lane_of(TextId agent_id, TextId agent_name);
    [[nodiscard]] std::uint32_t find_lane(TextId name) const;
    void number_attempts();
    void add_up();
    void find_handoffs();
    void count();

    Draft& draft_;
    Timeline& timeline_;
    std::map<std::tuple<TraceKey, TextId>, TextId> answers_;  // counted, by gateway
    std::unordered_map<std::uint32_t, std::uint32_t> lanes_by_id_;
    std::unordered_map<std::uint32_t, std::uint32_t> lanes_by_name_;
};

bool is_failure(EventOutcome outcome) {
    return outcome != EventOutcome::none && outcome != EventOutcome::ok;
}

void StepMeter::add_event(std::uint32_t index) {
    const StoryEvent& event = timeline_.events[index];
    Step& step = timeline_.steps[draft_.event_steps[index]];
    const bool names_step = step.event == index;
    const bool is_of_step = names_step || step.request == index;
    add_times(event, is_of_step, step);
    add_usage(event, step);
    if (event.state_snapshot_hash != no_text) step.state_after = event.state_snapshot_hash;
    if (is_told(event.budget_remaining)) step.budget_left = event.budget_remaining;
    if (is_told(event.retry_count)) step.attempt = std::max(step.attempt, event.retry_count);
    // What a policy or a handoff adds to a span tells that span's outcome, too; the step of the
    // span's own event has failed, not these.
    const bool is_own = is_zero(event.primary_id) || event.primary_id == event.id;
    if (names_step && is_own && is_failure(event.outcome)) step.is_failed = true;
    if (event.type == EventType::error) step.is_failed = true;
    if (event.error_class != no_text && (names_step || step.error_class == no_text)) {
        step.error_class = event.error_class;
    }
    const DetailNo detail = draft_.ledger.tellings()[index].detail_no;
    if (detail != no_detail && (names_step || step.detail == no_detail)) step.detail = detail;
}

// The start and the end of a run are moments; so is what a span tells beside its own event.
void StepMeter::add_times(const StoryEvent& event, bool is_of_step, Step& step) {
    if (!is_of_step) {
        // A step told at its start has its end on the event that adds the cost.
        const bool is_end = event.type == EventType::step_cost && step.kind != StepKind::cost;
        if (is_end) step.end_at = std::max(step.end_at, event.end_at);
        return;
    }
    const bool is_run = step.kind == StepKind::start || step.kind == StepKind::end;
    const bool is_own = is_zero(event.primary_id) || event.primary_id == event.id;
    const bool is_span = !is_run && event.start_at > 0 &&
                         (is_own || event.end_at == 0 || step.kind == StepKind::tool);
    const WallNanos start = is_span ? event.start_at : event.timestamp;
    const WallNanos end = is_span && event.end_at > 0 ? event.end_at : event.timestamp;
    step.start_at = step.start_at == 0 ? start : std::min(step.start_at, start);
    step.end_at = std::max({step.end_at, end, step.start_at});
}

// Another gateway has counted the same answer of a model (contract §5).
bool StepMeter::is_doubled(const StoryEvent& event) {
    if (event.response_id == no_text) return false;
    const auto [known, is_new] =
        answers_.try_emplace({event.trace_id, event.response_id}, event.gateway_id);
    return !is_new && known->second != event.gateway_id;
}

void StepMeter::add_usage(const StoryEvent& event, Step& step) {
    if (event.counted != Told::yes || is_doubled(event)) return;
    if (is_told(event.cost_usd) && event.cost_usd >= 0) {
        step.cost_usd = (is_told(step.cost_usd) ? step.cost_usd : 0) + event.cost_usd;
    }
    const std::int64_t prompt = std::max<std::int64_t>(event.tokens_prompt, 0);
    const std::int64_t completion = std::max<std::int64_t>(event.tokens_completion, 0);
    std::int64_t tokens = prompt + completion;
    if (!is_told(event.tokens_prompt) && !is_told(event.tokens_completion)) {
        if (!is_told(event.tokens_total)) return;
        tokens = event.tokens_total;
    }
    step.tokens = std::max<std::int64_t>(step.tokens, 0) + tokens;
    Totals& totals = timeline_.totals;
    totals.tokens_prompt += prompt;
    totals.tokens_completion += completion;
    totals.tokens_cache_read += std::max<std::int64_t>(event.tokens_cache_read, 0);
}

// An agent is known by its id or by its name; one that tells both joins the two.
std::uint32_t StepMeter::lane_of(TextId agent_id, TextId agent_name) {
    const auto find = [](const auto& lanes, TextId text) {
        const auto found = lanes.find(static_cast<std::uint32_t>(text));
        return text == no_text || found == lanes.end() ? no_index : found->second;
    };
    std::uint32_t lane = find(lanes_by_id_, agent_id);
    if (lane == no_index) {
        lane = find(lanes_by_name_, agent_name);
        // Another agent of the same name.
        const bool is_other =
            lane != no_index && agent_id != no_text && timeline_.lanes[lane].agent_id != no_text;
        if (is_other) lane = no_index;
    }
    if (lane == no_index) {
        lane = static_cast<std::uint32_t>(timeline_.lanes.size());
        timeline_.lanes.emplace_back();
    }
    Lane& known = timeline_.lanes[lane];
    if (known.agent_id == no_text) known.agent_id = agent_id;
    if (known.agent_name == no_text) known.agent_name = agent_name;
    if (agent_id != no_text) lanes_by_id_.emplace(static_cast<std::uint32_t>(agent_id), lane);
    if (agent_name != no_text) lanes_by_name_.emplace(static_cast<std::uint32_t>(agent_name), lane);
    return lane;
}

// A step that tells no agent belongs to that of the step above it.
void StepMeter::find_lanes() {
    constexpr int hops_max = 64;
    const auto teller = [this](const Step& step) -> const StoryEvent* {
        for (const std::uint32_t index : {step.event, step.request}) {
            if (index == no_index) continue;
            const StoryEvent& event = timeline_.events[index];
            if (event.agent_id != no_text || event.agent_name != no_text) return &event;
        }
        return nullptr;
    };
    for (Step& step : timeline_.steps) {
        const StoryEvent* agent = teller(step);
        std::uint32_t above = step.parent;
        for (int hops = 0; agent == nullptr && above != no_index && hops < hops_max; ++hops) {
            agent = teller(timeline_.steps[above]);
            above = timeline_.steps[above].parent;
        }
        if (agent != nullptr) {
            step.lane = lane_of(agent->agent_id, agent->agent_name);
        } else if (const auto none = lanes_by_name_.find(0); none != lanes_by_name_.end()) {
            step.lane = none->second;
        } else {
            step.lane = static_cast<std::uint32_t>(timeline_.lanes.size());
            timeline_.lanes.emplace_back();
            lanes_by_name_.emplace(0, step.lane);
        }
    }
}

void StepMeter::number_attempts() {
    const auto events = static_cast<std::uint32_t>(timeline_.events.size());
    std::map<EventKey, std::uint32_t> first_attempts;
    const auto attempt_of = [this](std::uint32_t event) {
        EventKey key{};
        const std::string_view hex = timeline_.text(timeline_.events[event].attempt_of);
        return !hex.empty() && read_hex(hex, key) ? key : EventKey{};
    };
    for (std::uint32_t i = 0; i < events; ++i) {
        const EventKey key = attempt_of(i);
        if (!is_zero(key)) first_attempts.emplace(key, no_index);
    }
    if (first_attempts.empty()) return;
    for (std::uint32_t i = 0; i < events; ++i) {
        const auto found = first_attempts.find(timeline_.events[i].id);
        if (found != first_attempts.end()) found->second = draft_.event_steps[i];
    }
    for (std::uint32_t i = 0; i < events; ++i) {
        const std::uint32_t number = draft_.event_steps[i];
        const EventKey key = attempt_of(i);
        if (number == no_index || is_zero(key)) continue;
        const std::uint32_t first = first_attempts[key];
        Step& step = timeline_.steps[number];
        if (first == number || first == no_index) continue;
        step.attempt_of = first;
        if (!is_told(step.attempt)) {
            step.attempt = std::max<std::int64_t>(timeline_.steps[first].attempt, 0) + 1;
        }
    }
}

void StepMeter::add_up() {
    TextId state = no_text;
    double budget = no_real;
    double cost = 0;
    std::int64_t tokens = 0;
    for (Step& step : timeline_.steps) {
        step.state_before = state;
        if (step.state_after == no_text) step.state_after = state;
        step.changes_state = state != no_text && step.state_after != state;
        state = step.state_after;
        cost += is_told(step.cost_usd) ? step.cost_usd : 0;
        tokens += std::max<std::int64_t>(step.tokens, 0);
        step.cost_sum_usd = cost;
        step.tokens_sum = tokens;
        if (is_told(step.budget_left)) {
            if (!is_told(budget)) timeline_.totals.budget = step.budget_left + cost;
            budget = step.budget_left;
        }
        step.budget_left = budget;
        Lane& lane = timeline_.lanes[step.lane];
        ++lane.steps;
        lane.cost_usd += is_told(step.cost_usd) ? step.cost_usd : 0;
    }
    timeline_.totals.cost_usd = cost;
    timeline_.totals.budget_left = budget;
    const double configured = draft_.settings.guard.budget_usd;
    if (is_told(budget) || configured <= 0) return;
    timeline_.totals.budget = configured;
    timeline_.totals.budget_left = configured - cost;
    for (Step& step : timeline_.steps)
        step.budget_left = configured - step.cost_sum_usd;
}

std::uint32_t StepMeter::find_lane(TextId name) const {
    if (name == no_text) return no_index;
    for (const auto* lanes : {&lanes_by_name_, &lanes_by_id_}) {
        const auto found = lanes->find(static_cast<std::uint32_t>(name));
        if (found != lanes->end()) return found->second;
    }
    return no_index;
}

void StepMeter::find_handoffs() {
    for (std::uint32_t i = 0; i < timeline_.steps.size(); ++i) {
        const Step& step = timeline_.steps[i];
        if (step.kind != StepKind::handoff) continue;
        const StoryEvent& event = timeline_.events[step.event];
        Handoff handoff;
        handoff.step = i;
        handoff.from_lane = find_lane(event.handoff_source);
        if (handoff.from_lane == no_index) handoff.from_lane = step.lane;
        handoff.to_lane = find_lane(event.handoff_target);
        timeline_.handoffs.push_back(handoff);
    }
}

void StepMeter::count() {
    Totals& totals = timeline_.totals;
    totals.events = timeline_.events.size();
    totals.steps = timeline_.steps.size();
    totals.handoffs = timeline_.handoffs.size();
    std::uint64_t failed_runs = 0;
    for (const Step& step : timeline_.steps) {
        totals.inferences += step.kind == StepKind::inference ? 1 : 0;
        totals.tool_calls += step.kind == StepKind::tool ? 1 : 0;
        totals.policies += step.kind == StepKind::policy ? 1 : 0;
        const bool is_retry = step.attempt > 0 || (step.types & bit(EventType::retry)) != 0;
        totals.retries += is_retry ? 1 : 0;
        const bool is_run = step.kind == StepKind::end;
        failed_runs += step.is_failed && is_run ? 1 : 0;
        totals.errors += step.is_failed && !is_run ? 1 : 0;
        const bool is_first = totals.started_at == 0 || step.start_at < totals.started_at;
        if (is_first) totals.started_at = step.start_at;
        totals.ended_at = std::max(totals.ended_at, step.end_at);
    }
    // A run that failed because of a step is no error of its own.
    if (totals.errors == 0) totals.errors = failed_runs;
}

}  // namespace

void measure_steps(Draft& draft) {
    StepMeter(draft).measure();
}

}  // namespace spangate
