// The rule is written down in README.md: «What a step is».
#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "timeline/draft.h"
#include "timeline/event_key_hash.h"

namespace spangate {
namespace {

struct KeyHash {
    std::size_t operator()(const EventKey& key) const {
        return event_key_hash(key);
    }
};

using KeyMap = std::unordered_map<EventKey, std::uint32_t, KeyHash>;

StepKind kind_of(EventType type) {
    switch (type) {
        case EventType::session_start:
            return StepKind::start;
        case EventType::session_end:
            return StepKind::end;
        case EventType::planner_decision:
            return StepKind::decision;
        case EventType::inference:
            return StepKind::inference;
        case EventType::tool_request:
        case EventType::tool_response:
            return StepKind::tool;
        case EventType::handoff:
            return StepKind::handoff;
        case EventType::policy_intervention:
            return StepKind::policy;
        case EventType::retry:
            return StepKind::retry;
        case EventType::termination:
            return StepKind::termination;
        case EventType::state_snapshot:
            return StepKind::state;
        case EventType::retrieval:
            return StepKind::retrieval;
        case EventType::evaluation:
            return StepKind::evaluation;
        case EventType::step_cost:
            return StepKind::cost;
        case EventType::error:
            return StepKind::error;
        default:
            return StepKind::other;
    }
}

// What the gateway says of itself is no step.
bool is_step(const StoryEvent& event) {
    return event.type != EventType::session_alias && event.type != EventType::gateway_gap;
}

// What only adds to the thing that its span did.
bool is_addition(EventType type) {
    return type == EventType::error || type == EventType::retry || type == EventType::step_cost ||
           type == EventType::other;
}

class StepMaker {
  public:
    explicit StepMaker(Draft& draft)
        : draft_(draft),
          events_(draft.timeline.events),
          hosts_(events_.size(), no_index) {}

    void make() {
        group();
        choose_hosts();
        pair_tools();
        join_twins();
        join_logs();
        write_steps();
        pair_runs();
        place_under_parents();
    }

  private:
    // The events of one item: its primary event and those that name it.
    struct Group {
        std::uint32_t primary = no_index;
        std::uint32_t host = no_index;
        std::uint32_t first = no_index;
    };

    void group();
    void choose_hosts();
    void pair_tools();
    void join_twins();
    void join_logs();
    void write_steps();
    void pair_runs();
    void place_under_parents();

    [[nodiscard]] std::uint32_t host_of(std::uint32_t event) const;

    Draft& draft_;
    const std::vector<StoryEvent>& events_;
    // The event whose step an event belongs to: itself when it names a step; no_index: none.
    std::vector<std::uint32_t> hosts_;
    std::vector<std::uint32_t> event_groups_;
    std::vector<Group> groups_;
    KeyMap by_id_;
};

// Follows joined events to the one that names the step.
std::uint32_t StepMaker::host_of(std::uint32_t event) const {
    constexpr int hops_max = 8;
    for (int hops = 0; hops < hops_max && event != no_index; ++hops) {
        if (hosts_[event] == event) return event;
        event = hosts_[event];
    }
    return no_index;
}

void StepMaker::group() {
    KeyMap numbers;
    event_groups_.assign(events_.size(), no_index);
    by_id_.reserve(events_.size());
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        const StoryEvent& event = events_[i];
        by_id_.emplace(event.id, i);
        if (!is_step(event)) continue;
        const bool is_primary = is_zero(event.primary_id) || event.primary_id == event.id;
        const auto [known, is_new] = numbers.try_emplace(
            is_primary ? event.id : event.primary_id, static_cast<std::uint32_t>(groups_.size())
        );
        if (is_new) groups_.emplace_back();
        Group& group = groups_[known->second];
        if (is_primary) group.primary = i;
        group.first = std::min(group.first, i);
        event_groups_[i] = known->second;
    }
}

void StepMaker::choose_hosts() {
    const auto is_host = [this](std::uint32_t i) {
        return !is_addition(events_[i].type) && events_[i].type != EventType::session_start;
    };
    for (Group& group : groups_) {
        if (group.primary != no_index && is_host(group.primary)) group.host = group.primary;
    }
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        if (event_groups_[i] == no_index) continue;
        Group& group = groups_[event_groups_[i]];
        if (group.host == no_index && is_host(i)) group.host = i;
    }
    for (Group& group : groups_) {
        if (group.host == no_index) group.host = group.primary;
        if (group.host == no_index) group.host = group.first;
    }
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        if (event_groups_[i] == no_index) continue;
        const std::uint32_t host = groups_[event_groups_[i]].host;
        const bool is_request = events_[i].type == EventType::tool_request &&
                                events_[host].type == EventType::tool_response;
        hosts_[i] = is_addition(events_[i].type) || is_request ? host : i;
    }
}

// Requests and responses that two items tell: by the call's id, else within one span by the tool.
void StepMaker::pair_tools() {
    std::map<std::tuple<TraceKey, std::string_view>, std::uint32_t> by_call;
    std::map<std::tuple<TraceKey, SpanKey, TextId>, std::uint32_t> by_span;
    std::vector<bool> is_answered(events_.size(), false);
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        if (events_[i].type == EventType::tool_request && hosts_[i] != i && hosts_[i] != no_index) {
            is_answered[hosts_[i]] = true;
        }
    }
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        const StoryEvent& event = events_[i];
        const bool is_lone = hosts_[i] == i && !is_answered[i];
        const bool is_tool =
            event.type == EventType::tool_request || event.type == EventType::tool_response;
        if (!is_lone || !is_tool) continue;
        const bool has_call = event.tool_call_id != no_text;
        if (!has_call && is_zero(event.span_id)) continue;
        const auto call = std::tuple(event.trace_id, draft_.timeline.text(event.tool_call_id));
        const auto span = std::tuple(event.trace_id, event.span_id, event.tool_name);
        if (event.type == EventType::tool_request) {
            // One that tells its own end has been answered.
            if (event.outcome != EventOutcome::none) continue;
            if (has_call) {
                by_call.insert_or_assign(call, i);
            } else {
                by_span.insert_or_assign(span, i);
            }
            continue;
        }
        std::uint32_t request = no_index;
        if (has_call) {
            if (const auto found = by_call.extract(call)) request = found.mapped();
        } else if (const auto found = by_span.extract(span)) {
            request = found.mapped();
        }
        if (request != no_index) hosts_[request] = i;
    }
}

// A second telling of a call or a usage belongs to the first one's step.
void StepMaker::join_twins() {
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        if (is_zero(events_[i].twin_of)) continue;
        const auto found = by_id_.find(events_[i].twin_of);
        if (found == by_id_.end()) continue;
        const std::uint32_t twin = host_of(i);
        const std::uint32_t other = host_of(found->second);
        if (twin == no_index || other == no_index || twin == other) continue;
        if (kind_of(events_[twin].type) != kind_of(events_[other].type)) continue;
        hosts_[twin] = other;
    }
}

// A log record of a span that has a step of its own is a note to it.
void StepMaker::join_logs() {
    std::vector<std::uint32_t> span_hosts(draft_.spans.size(), no_index);
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        const std::uint32_t span = draft_.spans.span_of(i);
        if (span == no_index || hosts_[i] != i || events_[i].source == EventSource::log) continue;
        if (events_[i].type == EventType::other) continue;
        if (span_hosts[span] == no_index) span_hosts[span] = i;
    }
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        const std::uint32_t span = draft_.spans.span_of(i);
        if (span == no_index || hosts_[i] != i || events_[i].source != EventSource::log) continue;
        if (events_[i].type != EventType::other) continue;
        if (span_hosts[span] != no_index) hosts_[i] = span_hosts[span];
    }
}

// A step stands where its request stands, else where the event stands that names it.
void StepMaker::write_steps() {
    std::vector<Step>& steps = draft_.timeline.steps;
    std::vector<std::uint32_t>& event_steps = draft_.event_steps;
    event_steps.assign(events_.size(), no_index);
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < events_.size(); ++i)
        count += hosts_[i] == i ? 1 : 0;
    steps.reserve(count);
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        const std::uint32_t host = host_of(i);
        if (host == no_index) continue;
        const bool is_request = events_[i].type == EventType::tool_request && host != i &&
                                kind_of(events_[host].type) == StepKind::tool;
        if (event_steps[host] == no_index && (host == i || is_request)) {
            Step step;
            step.kind = kind_of(events_[host].type);
            step.event = host;
            if (is_request) step.request = i;
            event_steps[host] = static_cast<std::uint32_t>(steps.size());
            steps.push_back(step);
        }
    }
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        const std::uint32_t host = host_of(i);
        if (host == no_index) continue;
        event_steps[i] = event_steps[host];
        Step& step = steps[event_steps[i]];
        step.types |= bit(events_[i].type);
        const bool is_request = events_[i].type == EventType::tool_request && i != step.event;
        if (is_request && step.request == no_index) step.request = i;
    }
}

// The start and the end of a run: told by one item, else by run_id, else by the trace.
void StepMaker::pair_runs() {
    std::vector<Step>& steps = draft_.timeline.steps;
    const auto pair = [&steps](std::uint32_t start, std::uint32_t end) {
        steps[start].paired = end;
        steps[end].paired = start;
    };
    std::unordered_map<std::uint32_t, std::uint32_t> by_group;
    std::map<std::tuple<TextId, TraceKey>, std::vector<std::uint32_t>> by_run;
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        if (steps[i].kind == StepKind::start) by_group.emplace(event_groups_[steps[i].event], i);
    }
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        if (steps[i].kind != StepKind::end) continue;
        const auto found = by_group.find(event_groups_[steps[i].event]);
        if (found != by_group.end() && steps[found->second].paired == no_index) {
            pair(found->second, i);
        }
    }
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        const bool is_run = steps[i].kind == StepKind::start || steps[i].kind == StepKind::end;
        if (!is_run || steps[i].paired != no_index) continue;
        const StoryEvent& event = events_[steps[i].event];
        const TraceKey trace = event.run_id == no_text ? event.trace_id : TraceKey{};
        std::vector<std::uint32_t>& open = by_run[{event.run_id, trace}];
        if (steps[i].kind == StepKind::start) {
            open.push_back(i);
        } else if (!open.empty()) {
            pair(open.back(), i);
            open.pop_back();
        }
    }
}

// A step stands in the outermost span that any of its events names: so that no step can come to
// stand under itself.
void StepMaker::place_under_parents() {
    std::vector<Step>& steps = draft_.timeline.steps;
    std::vector<std::uint32_t> span_steps(draft_.spans.size(), no_index);
    std::vector<std::uint32_t> step_spans(steps.size(), no_index);
    for (std::uint32_t i = 0; i < events_.size(); ++i) {
        const std::uint32_t span = draft_.spans.span_of(i);
        const std::uint32_t step = draft_.event_steps[i];
        if (span == no_index || step == no_index) continue;
        if (span_steps[span] == no_index) span_steps[span] = step;
        std::uint32_t& outermost = step_spans[step];
        if (outermost == no_index ||
            draft_.spans.span(span).depth < draft_.spans.span(outermost).depth) {
            outermost = span;
        }
    }
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
        std::uint32_t span = step_spans[i];
        while (span != no_index && steps[i].parent == no_index) {
            span = draft_.spans.span(span).parent;
            if (span != no_index) steps[i].parent = span_steps[span];
        }
    }
    constexpr std::uint16_t depth_max = 1000;
    for (Step& step : steps) {
        for (std::uint32_t at = step.parent; at != no_index && step.depth < depth_max;
             at = steps[at].parent)
            ++step.depth;
    }
}

}  // namespace

void make_steps(Draft& draft) {
    StepMaker(draft).make();
}

}  // namespace spangate
