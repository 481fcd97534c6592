#include "timeline/loop_script.h"

#include <algorithm>
#include <utility>

namespace spangate::test {
namespace {

constexpr std::int64_t nanos_per_ms = 1'000'000;

template <typename Key>
Key key_of(std::uint64_t number) {
    Key key{};
    std::mt19937_64 bits(number);
    for (std::uint8_t& byte : key)
        byte = static_cast<std::uint8_t>(bits());
    return key;
}

}  // namespace

LoopScript::LoopScript(std::uint64_t seed, const Instrumentation& told)
    : random_(seed),
      how_(told),
      run_start_ms_(now_ms_) {}

int LoopScript::between(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<std::uint64_t>(high - low + 1));
}

bool LoopScript::chance(int percent) {
    return between(1, 100) <= percent;
}

std::string LoopScript::pick(const std::vector<std::string>& names) {
    return names[random_() % names.size()];
}

std::string LoopScript::fresh(std::string_view stem) {
    return std::string(stem) + "-" + std::to_string(++serial_);
}

StoryEvent LoopScript::made(EventType type, std::int64_t start_ms, std::int64_t end_ms) {
    StoryEvent event;
    ++serial_;
    event.id = key_of<EventKey>(static_cast<std::uint64_t>(serial_) << 8U | 1U);
    event.span_id = key_of<SpanKey>(static_cast<std::uint64_t>(serial_) << 8U | 2U);
    event.trace_id = key_of<TraceKey>(static_cast<std::uint64_t>(run_) << 8U | 3U);
    event.type = type;
    event.classes = bit(EventClass::operational);
    event.seen = event.classes;
    event.timestamp = end_ms * nanos_per_ms;
    event.start_at = start_ms * nanos_per_ms;
    event.end_at = end_ms * nanos_per_ms;
    event.duration_ms = static_cast<double>(end_ms - start_ms);
    event.session_id = texts_.intern("session");
    event.agent_name = texts_.intern(agent_);
    if (how_.tells_turns) event.turn_id = texts_.intern("turn-" + std::to_string(run_));
    return event;
}

void LoopScript::put(const StoryEvent& event) {
    told_.push_back({event, steps_});
    // A resend comes soon, as a client's exporter makes it.
    if (how_.resends && told_.size() > 6 && chance(15)) {
        const Event again = told_[told_.size() - 1 - static_cast<std::size_t>(between(0, 5))];
        told_.push_back({again.event, steps_});
    }
}

void LoopScript::think(int prompt_tokens, double cost_usd) {
    const std::int64_t start = now_ms_;
    now_ms_ += between(800, 4'000);
    if (!how_.tells_inferences) {
        now_ms_ += between(2, 40);
        return;
    }
    ++steps_;
    StoryEvent event = made(EventType::inference, start, now_ms_);
    event.model = texts_.intern("model-1");
    event.outcome = EventOutcome::ok;
    event.tokens_prompt = prompt_tokens > 0 ? prompt_tokens : between(1'500, 2'000);
    event.tokens_completion = between(20, 300);
    if (how_.tells_costs) event.cost_usd = cost_usd > 0 ? cost_usd : 0.001 * between(1, 4);
    event.counted = Told::yes;
    if (budget_ >= 0) event.budget_remaining = budget_;
    put(event);
    put_company();
    now_ms_ += between(2, 40);
}

void LoopScript::decide(const std::string& chosen) {
    ++steps_;
    StoryEvent event = made(EventType::planner_decision, now_ms_, now_ms_);
    event.decision_chosen = texts_.intern(chosen);
    put(event);
}

// The other agent's work overlaps with what was done last.
void LoopScript::put_company() {
    if (!how_.has_company || !chance(50)) return;
    const std::string agent = std::exchange(agent_, "researcher");
    const bool thinks = chance(50);
    StoryEvent event = made(
        thinks ? EventType::inference : EventType::tool_response,
        now_ms_ - between(200, 3'000),
        now_ms_ + 1
    );
    event.outcome = EventOutcome::ok;
    if (thinks) {
        event.tokens_prompt = between(500, 4'000);
    } else {
        event.tool_name = texts_.intern("take_notes");
        event.args_digest = texts_.intern(fresh("note"));
        event.result_digest = texts_.intern(fresh("noted"));
    }
    put(event);
    agent_ = agent;
}

void LoopScript::put_call(const ScriptedCall& call, std::int64_t start_ms, std::int64_t end_ms) {
    ++steps_;
    StoryEvent event = made(EventType::tool_response, start_ms, end_ms);
    if (!how_.tells_agents_on_tools) event.agent_name = no_text;
    event.tool_name = texts_.intern(call.tool);
    event.args_digest = texts_.intern("k1:" + call.tool + call.args);
    event.args_shape_digest =
        texts_.intern("k1:" + call.tool + (call.shape.empty() ? call.args : call.shape));
    if (!call.call_id.empty()) event.tool_call_id = texts_.intern(call.call_id);
    if (!call.result.empty()) event.result_digest = texts_.intern("k1:" + call.result);
    event.outcome = call.outcome;
    event.error_class = texts_.intern(call.error);
    if (call.http_status > 0) event.http_status = call.http_status;
    if (call.retry >= 0) event.retry_count = call.retry;
    if (!call.policy.empty()) event.policy_decision = texts_.intern(call.policy);
    if (call.cost_usd > 0) event.cost_usd = call.cost_usd;
    if (how_.numbers_states) event.state_snapshot_hash = texts_.intern(fresh("checkpoint"));
    if (how_.tells_requests) {
        StoryEvent request = event;
        request.id = made(EventType::tool_request, start_ms, start_ms).id;
        request.type = EventType::tool_request;
        request.timestamp = request.start_at;
        request.end_at = 0;
        request.duration_ms = no_real;
        request.outcome = EventOutcome::none;
        request.result_digest = request.error_class = request.state_snapshot_hash = no_text;
        request.http_status = no_count;
        request.cost_usd = no_real;
        put(request);
    }
    put(event);
}

void LoopScript::call(const ScriptedCall& call) {
    const std::int64_t start = now_ms_;
    now_ms_ += call.duration_ms > 0 ? call.duration_ms : between(30, 1'200);
    put_call(call, start, now_ms_);
    put_company();
    now_ms_ += between(2, 60);
}

void LoopScript::call_together(std::vector<ScriptedCall> calls) {
    const std::int64_t start = now_ms_;
    std::vector<std::pair<std::int64_t, ScriptedCall>> ends;
    for (ScriptedCall& call : calls)
        ends.emplace_back(start + between(200, 1'500), std::move(call));
    std::sort(ends.begin(), ends.end(), [](const auto& a, const auto& b) {
        return a.first < b.first;
    });
    for (const auto& [end, call] : ends)
        put_call(call, start + between(0, 30), end);
    now_ms_ = ends.back().first + between(2, 60);
}

void LoopScript::hand_over(const std::string& from, const std::string& to) {
    act_as(from);
    ++steps_;
    StoryEvent event = made(EventType::handoff, now_ms_, now_ms_ + 1);
    event.timestamp = event.start_at;
    event.handoff_source = texts_.intern(from);
    event.handoff_target = texts_.intern(to);
    put(event);
    now_ms_ += between(2, 30);
    act_as(to);
}

void LoopScript::tell_state(const std::string& state) {
    StoryEvent event = made(EventType::state_snapshot, now_ms_, now_ms_);
    event.state_snapshot_hash = texts_.intern("s:" + state);
    put(event);
    now_ms_ += 1;
}

void LoopScript::tell_policy(const std::string& decision) {
    StoryEvent event = made(EventType::policy_intervention, now_ms_, now_ms_);
    event.policy_decision = texts_.intern(decision);
    put(event);
    now_ms_ += 1;
}

void LoopScript::tell_budget(double left) {
    budget_ = left;
}

void LoopScript::end_run() {
    if (how_.tells_runs) {
        StoryEvent start = made(EventType::session_start, run_start_ms_, now_ms_);
        StoryEvent end = start;
        end.id = made(EventType::session_end, 0, 0).id;
        end.type = EventType::session_end;
        start.timestamp = start.start_at;
        start.end_at = 0;
        start.duration_ms = no_real;
        put(start);
        put(end);
    }
    ++run_;
}

void LoopScript::person_speaks() {
    end_run();
    now_ms_ += between(4'000, 90'000);
    run_start_ms_ = now_ms_;
}

void LoopScript::restart() {
    end_run();
    now_ms_ += between(20, 400);
    run_start_ms_ = now_ms_;
}

std::vector<LoopScript::Event> LoopScript::in_story_order() const {
    std::vector<Event> told;
    for (const Event& one : told_) {  // a reader keeps one of each id
        const bool is_again = std::any_of(told.begin(), told.end(), [&](const Event& other) {
            return other.event.id == one.event.id;
        });
        if (!is_again) told.push_back(one);
    }
    std::stable_sort(told.begin(), told.end(), [](const Event& a, const Event& b) {
        return a.event.timestamp < b.event.timestamp;
    });
    return told;
}

}  // namespace spangate::test
