// Timelines made by hand, for tests of what shows them. Each step has one event of its own; sums,
// lanes and totals are worked out by finish(), so that a made story is as sound as a read one.
//
//   TimelineForTest story("sess_1");
//   story.decision("planner", "validator", {"validator", "refund", "ask"});
//   story.tool("validator", "stripe_api.get_status", EventOutcome::error).cost_usd = 0.07;
//   story.detail(R"({"attributes":{"gen_ai.tool.call.arguments":"{}"}})");
//   Timeline timeline = story.finish();
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "timeline/timeline.h"

namespace spangate {

// 2026-09-21T10:15:00Z.
inline constexpr WallNanos story_begin = 1'789'985'700'000'000'000;
inline constexpr WallNanos story_second = 1'000'000'000;

class TimelineForTest {
  public:
    explicit TimelineForTest(std::string session_id = "sess_8921") {
        timeline_.tenant_id = "default";
        timeline_.session_id = std::move(session_id);
    }

    // A step that begins when the last one ended (see `wait`) and lasts `seconds`. What it returns
    // is valid until the next one is added. Steps stand one after another: `at` is not sorted.
    Step& add(StepKind kind, EventType type, std::string_view agent, double seconds = 1.0) {
        StoryEvent event;
        const auto number = static_cast<std::uint32_t>(timeline_.steps.size() + 1);
        event.id = numbered(number);
        event.span_id[7] = static_cast<std::uint8_t>(number);
        event.span_id[6] = static_cast<std::uint8_t>(number >> 8U);
        event.span_id[0] = 1;
        event.trace_id[15] = 1;
        event.type = type;
        event.classes = bit(EventClass::operational) | bit(EventClass::detail);
        event.seen = event.classes;
        event.outcome = EventOutcome::ok;
        event.start_at = now_;
        now_ += static_cast<WallNanos>(seconds * 1e9);
        event.end_at = now_;
        event.timestamp = event.start_at;
        event.received_at = event.end_at + story_second / 10;
        event.duration_ms = seconds * 1e3;
        event.gateway_seq = number;
        event.gateway_epoch = 1;
        event.offset = number - 1;
        event.partition = 0;
        event.gateway_id = text("gw-1");
        event.tenant_id = text(timeline_.tenant_id);
        event.session_id = text(timeline_.session_id);
        event.agent_name = text(agent);
        event.state_snapshot_hash = state_;
        Step step;
        step.kind = kind;
        step.event = static_cast<std::uint32_t>(timeline_.events.size());
        step.lane = lane_of(agent);
        step.types = bit(type);
        step.start_at = event.start_at;
        step.end_at = event.end_at;
        step.state_before = step.state_after = state_;
        timeline_.events.push_back(event);
        timeline_.steps.push_back(step);
        return timeline_.steps.back();
    }

    Step& decision(
        std::string_view agent,
        std::string_view chosen,
        std::initializer_list<std::string_view> options
    ) {
        Step& step = add(StepKind::decision, EventType::planner_decision, agent, 0.4);
        std::string joined;
        for (const std::string_view option : options)
            joined += (joined.empty() ? "" : "\x1f") + std::string(option);
        last_event().decision_chosen = text(chosen);
        last_event().decision_options = text(joined);
        return step;
    }

    Step& inference(
        std::string_view agent, std::string_view model, double cost_usd, std::int64_t tokens
    ) {
        Step& step = add(StepKind::inference, EventType::inference, agent, 1.5);
        StoryEvent& event = last_event();
        event.model = text(model);
        event.cost_usd = step.cost_usd = cost_usd;
        event.tokens_prompt = tokens - tokens / 4;
        event.tokens_completion = tokens / 4;
        event.counted = Told::yes;
        step.tokens = tokens;
        return step;
    }

    Step& tool(std::string_view agent, std::string_view name, EventOutcome outcome = EventOutcome::ok) {
        Step& step = add(StepKind::tool, EventType::tool_response, agent, 1.1);
        step.types |= bit(EventType::tool_request);
        StoryEvent& event = last_event();
        event.tool_name = text(name);
        event.outcome = outcome;
        event.args_digest = text("e2ee:0011");
        event.result_digest = text("e2ee:0022");
        step.is_failed = outcome != EventOutcome::ok;
        return step;
    }

    Step& handoff(std::string_view from, std::string_view to) {
        Step& step = add(StepKind::handoff, EventType::handoff, from, 0.0);
        last_event().handoff_source = text(from);
        last_event().handoff_target = text(to);
        Handoff handoff;
        handoff.step = last_index();
        handoff.from_lane = lane_of(from);
        handoff.to_lane = lane_of(to);
        timeline_.handoffs.push_back(handoff);
        return step;
    }

    Step& policy(std::string_view agent, std::string_view decision, std::string_view source) {
        Step& step = add(StepKind::policy, EventType::policy_intervention, agent, 0.0);
        last_event().policy_decision = text(decision);
        last_event().policy_source = text(source);
        return step;
    }

    // Nothing happens for so long.
    void wait(double seconds) { now_ += static_cast<WallNanos>(seconds * 1e9); }

    // The last step leaves the session's state so.
    void state(std::string_view hash) {
        Step& step = timeline_.steps.back();
        state_ = text(hash);
        step.changes_state = step.state_before != state_;
        step.state_after = state_;
        last_event().state_snapshot_hash = state_;
    }

    // The last step's detail record.
    void detail(std::string_view json) {
        timeline_.steps.back().detail = timeline_.details.add(json);
    }

    // Steps are named by index, as in Timeline.
    Loop& loop(std::uint32_t first, std::uint32_t last, LoopSignal signal, std::uint32_t repeats) {
        Loop made;
        made.first_step = first;
        made.last_step = last;
        made.signal = signal;
        made.repeats = repeats;
        made.severity = repeats < 6 ? Severity::warning : Severity::critical;
        for (std::uint32_t i = first; i <= last; ++i)
            timeline_.steps[i].loop = static_cast<std::uint32_t>(timeline_.loops.size());
        timeline_.loops.push_back(made);
        return timeline_.loops.back();
    }

    Finding& finding(FindingKind kind, Severity severity, std::uint32_t step, std::string text) {
        Finding made;
        made.kind = kind;
        made.severity = severity;
        made.first_step = made.last_step = step;
        if (step != no_index) made.event_id = timeline_.event_of(timeline_.steps[step]).id;
        made.text = std::move(text);
        timeline_.findings.push_back(std::move(made));
        return timeline_.findings.back();
    }

    [[nodiscard]] TextId text(std::string_view text) { return timeline_.texts.intern(text); }

    [[nodiscard]] Step& last_step() { return timeline_.steps.back(); }

    [[nodiscard]] StoryEvent& last_event() { return timeline_.events.back(); }

    [[nodiscard]] std::uint32_t last_index() const {
        return static_cast<std::uint32_t>(timeline_.steps.size() - 1);
    }

    // For what has no word of its own here.
    [[nodiscard]] Timeline& made() { return timeline_; }

    [[nodiscard]] Timeline finish() {
        sum_up();
        sum_up_loops();
        for (std::size_t i = 0; i < event_classes_count; ++i)
            complete(static_cast<EventClass>(i));
        std::stable_sort(
            timeline_.findings.begin(),
            timeline_.findings.end(),
            [](const Finding& a, const Finding& b) {
                return a.severity != b.severity ? a.severity > b.severity
                                                : a.first_step < b.first_step;
            }
        );
        return std::move(timeline_);
    }

  private:
    static EventKey numbered(std::uint32_t number) {
        EventKey key{};
        key[0] = 0xe5;
        for (std::size_t i = 0; i < 4; ++i)
            key[15 - i] = static_cast<std::uint8_t>(number >> (8U * i));
        return key;
    }

    std::uint32_t lane_of(std::string_view agent) {
        const auto known = lanes_.find(agent);
        if (known != lanes_.end()) return known->second;
        const auto index = static_cast<std::uint32_t>(timeline_.lanes.size());
        Lane lane;
        lane.agent_name = text(agent);
        timeline_.lanes.push_back(lane);
        lanes_.emplace(agent, index);
        return index;
    }

    void sum_up() {
        Totals& totals = timeline_.totals;
        double cost_usd = 0;
        std::int64_t tokens = 0;
        double budget_left = no_real;
        for (Step& step : timeline_.steps) {
            const StoryEvent& event = timeline_.events[step.event];
            if (is_told(step.cost_usd)) cost_usd += step.cost_usd;
            if (is_told(step.tokens)) tokens += step.tokens;
            if (is_told(event.budget_remaining)) budget_left = event.budget_remaining;
            if (is_told(event.budget_remaining) && !is_told(totals.budget)) {
                totals.budget = event.budget_remaining + cost_usd;
            }
            step.cost_sum_usd = cost_usd;
            step.tokens_sum = tokens;
            step.budget_left = budget_left;
            Lane& lane = timeline_.lanes[step.lane];
            ++lane.steps;
            if (is_told(step.cost_usd)) lane.cost_usd += step.cost_usd;
            if (is_told(event.tokens_prompt)) totals.tokens_prompt += event.tokens_prompt;
            if (is_told(event.tokens_completion))
                totals.tokens_completion += event.tokens_completion;
            totals.inferences += step.kind == StepKind::inference ? 1U : 0U;
            totals.tool_calls += step.kind == StepKind::tool ? 1U : 0U;
            totals.retries += step.attempt > 0 || step.kind == StepKind::retry ? 1U : 0U;
            totals.errors += step.is_failed ? 1U : 0U;
            totals.policies += step.kind == StepKind::policy ? 1U : 0U;
        }
        totals.events = timeline_.events.size();
        totals.steps = timeline_.steps.size();
        totals.handoffs = timeline_.handoffs.size();
        totals.loops = timeline_.loops.size();
        totals.cost_usd = cost_usd;
        totals.budget_left = budget_left;
        totals.started_at = story_begin;
        totals.ended_at = now_;
    }

    void sum_up_loops() {
        for (Loop& loop : timeline_.loops) {
            for (std::uint32_t i = loop.first_step; i <= loop.last_step; ++i) {
                const Step& step = timeline_.steps[i];
                if (is_told(step.cost_usd)) loop.cost_usd += step.cost_usd;
                loop.is_state_unchanged = loop.is_state_unchanged && !step.changes_state;
            }
            loop.duration =
                timeline_.steps[loop.last_step].end_at - timeline_.steps[loop.first_step].start_at;
        }
    }

    void complete(EventClass event_class) {
        ClassCompleteness& here =
            timeline_.completeness.classes[static_cast<std::size_t>(event_class)];
        here.is_readable = event_class != EventClass::evidence;
        for (const StoryEvent& event : timeline_.events) {
            here.promised += (event.classes & bit(event_class)) != 0 ? 1U : 0U;
            here.present += (event.seen & bit(event_class)) != 0 ? 1U : 0U;
        }
    }

    Timeline timeline_;
    std::map<std::string, std::uint32_t, std::less<>> lanes_;
    WallNanos now_ = story_begin;
    TextId state_ = no_text;
};

// The mission's own story: a payment API answers ambiguously, the validator asks again and again
// until the budget's gate stops it, a fallback agent takes over, and a person approves.
[[nodiscard]] inline Timeline payment_story() {
    TimelineForTest story("sess_8921");
    story.inference("planner", "gpt-4.1", 0.31, 2'400);
    story.detail(
        R"({"attributes":{"gen_ai.input.messages":"[{\"role\":\"user\",\"content\":\"pay invoice 17\"}]",)"
        R"("gen_ai.output.messages":"[{\"role\":\"assistant\",\"content\":\"I ask the validator\"}]"}})"
    );
    story.decision("planner", "validator", {"validator", "refund", "ask"});
    story.state("a1b2c3d4");
    story.handoff("planner", "validator");
    for (int attempt = 0; attempt < 7; ++attempt) {
        Step& step = story.tool("validator", "stripe_api.get_status");
        step.attempt = attempt;
        if (attempt > 0) step.attempt_of = 3;
        step.cost_usd = 0.07;
        story.last_event().retry_count = attempt;
        story.last_event().retry_max = 13;
        story.last_event().http_status = 200;
        story.last_event().budget_remaining = 0.42 - 0.07 * attempt;
        story.detail(R"({"attributes":{"gen_ai.tool.call.arguments":{"invoice":17},)"
                     R"("gen_ai.tool.call.result":{"status":"ambiguous"}}})");
    }
    story.policy("validator", "stop", "budget gate");
    Loop& loop = story.loop(3, 9, LoopSignal::no_progress_repeat, 7);
    loop.stop_step = 10;
    story
        .finding(
            FindingKind::loop,
            Severity::critical,
            3,
            "stripe_api.get_status was called 7 times with the same arguments and the same result"
        )
        .signal = LoopSignal::no_progress_repeat;
    story.made().findings.back().last_step = 9;
    story.handoff("validator", "fallback");
    story.policy("fallback", "ask", "human approval");
    story.wait(240);
    story.policy("fallback", "allow", "human approval");
    story.tool("fallback", "invoice.pay");
    story.state("b2c3d4e5");
    story.add(StepKind::termination, EventType::termination, "fallback", 0.0);
    story.last_event().termination_reason = story.text("goal reached");
    return story.finish();
}

}  // namespace spangate
