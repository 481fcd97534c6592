#include "report/step_counter.h"

#include <algorithm>
#include <array>

#include <xxhash.h>

namespace spangate {
namespace {

bool is_own(const StoryEvent& event) {
    return is_zero(event.primary_id) || event.primary_id == event.id;
}

bool is_failure(EventOutcome outcome) {
    return outcome != EventOutcome::none && outcome != EventOutcome::ok;
}

// What only adds to the thing that its span did.
bool is_addition(EventType type) {
    return type == EventType::error || type == EventType::retry || type == EventType::step_cost ||
           type == EventType::other;
}

bool is_run(EventType type) {
    return type == EventType::session_start || type == EventType::session_end;
}

std::uint64_t hash_of(const TraceKey& trace, std::string_view name) {
    const std::uint64_t seed = XXH3_64bits(trace.data(), trace.size());
    return XXH3_64bits_withSeed(name.data(), name.size(), seed);
}

// What pairs a request with its response: the call's id, else the tool within its span.
std::uint64_t call_of(const StoryEvent& event, const TextPool& texts) {
    if (event.tool_call_id != no_text) {
        return hash_of(event.trace_id, texts[event.tool_call_id]);
    }
    if (is_zero(event.span_id)) return 0;
    const std::string_view tool = texts[event.tool_name];
    const std::uint64_t span = XXH3_64bits(event.span_id.data(), event.span_id.size());
    return hash_of(event.trace_id, {}) ^ XXH3_64bits_withSeed(tool.data(), tool.size(), span);
}

std::uint64_t key_of(const EventKey& id) {
    return XXH3_64bits(id.data(), id.size());
}

std::uint64_t run_of(const StoryEvent& event, const TextPool& texts) {
    if (event.run_id != no_text) return hash_of(TraceKey{}, texts[event.run_id]);
    return hash_of(event.trace_id, {});
}

// The newest of the same; false when there is none.
bool take(std::vector<std::uint64_t>& open, std::uint64_t key) {
    const auto found = std::find(open.rbegin(), open.rend(), key);
    if (found == open.rend()) return false;
    open.erase(std::next(found).base());
    return true;
}

void put(std::vector<std::uint64_t>& open, std::uint64_t key) {
    if (open.size() == StepCounter::open_max) open.erase(open.begin());
    open.push_back(key);
}

}  // namespace

double duration_ms_of(const StoryEvent& event) {
    if (is_told(event.duration_ms)) return std::max(event.duration_ms, 0.0);
    if (event.start_at <= 0 || event.end_at <= event.start_at) return 0;
    return static_cast<double>(event.end_at - event.start_at) / 1e6;
}

void add_usage(const StoryEvent& event, RunSums& sums) {
    const auto told = [](std::int64_t count) {
        return std::max<std::int64_t>(count, 0);
    };
    if (is_told(event.cost_usd)) sums.cost_usd += std::max(event.cost_usd, 0.0);
    sums.tokens_prompt += told(event.tokens_prompt);
    sums.tokens_completion += told(event.tokens_completion);
    sums.tokens_cache_read += told(event.tokens_cache_read);
    sums.tokens_reasoning += told(event.tokens_reasoning);
    if (!is_told(event.tokens_prompt) && !is_told(event.tokens_completion)) {
        sums.tokens_other += told(event.tokens_total);
    }
}

RunSums StepCounter::count(const StoryEvent& event, const TextPool& texts) {
    RunSums sums;
    sums.events = 1;
    if (event.type == EventType::session_alias || event.type == EventType::gateway_gap) return sums;
    const bool is_step = begins_step(event, texts);
    if (is_own(event)) {
        item_ = event.id;
        item_has_failed_ = false;
        item_is_run_ = is_run(event.type);
    }
    count_failure(event, sums);
    if (is_run(event.type)) follow_runs(event, texts);
    // A retry that a call's span tells beside the call is told by the call's own count.
    const bool is_lone_retry = event.type == EventType::retry && is_own(event);
    sums.retries = is_lone_retry || (is_step && event.retry_count > 0) ? 1 : 0;
    const bool is_tool =
        event.type == EventType::tool_request || event.type == EventType::tool_response;
    if (is_step) {
        sums.steps = 1;
        sums.inferences = event.type == EventType::inference ? 1 : 0;
        sums.tool_calls = is_tool ? 1 : 0;
        sums.policies = event.type == EventType::policy_intervention ? 1 : 0;
        sums.handoffs = event.type == EventType::handoff ? 1 : 0;
    }
    if (!is_own(event) || !is_zero(event.twin_of)) return sums;
    const double took_ms = duration_ms_of(event);
    const bool is_work = is_tool || event.type == EventType::inference ||
                         event.type == EventType::retrieval || event.type == EventType::evaluation;
    if (is_work) sums.busy_ms = took_ms;
    if (event.type == EventType::inference) sums.inference_ms = took_ms;
    if (is_tool) sums.tool_ms = took_ms;
    return sums;
}

bool StepCounter::begins_step(const StoryEvent& event, const TextPool& texts) {
    const bool is_of_item = !is_own(event);
    if (is_addition(event.type) && is_of_item) return false;
    if (is_of_item && event.type != EventType::tool_request) {
        put(told_items_, key_of(event.primary_id));
    }
    switch (event.type) {
        case EventType::step_cost:
            // What an agent's span cost adds to the step that the span's beginning was.
            return !take(told_items_, key_of(event.id));
        case EventType::tool_request:
            if (is_of_item) {
                asked_in_ = event.primary_id;
                return false;
            }
            if (is_zero(event.twin_of)) open_call(event, texts);
            return is_zero(event.twin_of);
        case EventType::tool_response:
            // One whose item told the request as well answers that one.
            if (!is_zero(event.id) && event.id == asked_in_) return is_zero(event.twin_of);
            return is_zero(event.twin_of) && !answers_open_call(event, texts);
        case EventType::inference:
            return is_zero(event.twin_of);
        case EventType::other:
            // A log record of a span is a note to the span's step.
            return event.source != EventSource::log || is_zero(event.span_id);
        default:
            return true;
    }
}

void StepCounter::open_call(const StoryEvent& event, const TextPool& texts) {
    // One that tells its own end has been answered.
    if (event.outcome != EventOutcome::none || event.end_at != 0) return;
    if (const std::uint64_t call = call_of(event, texts); call != 0) put(open_, call);
}

bool StepCounter::answers_open_call(const StoryEvent& event, const TextPool& texts) {
    const std::uint64_t call = call_of(event, texts);
    return call != 0 && take(open_, call);
}

// A start and an end that one span tells are a pair from the beginning. A client that logs may
// never tell ends.
void StepCounter::follow_runs(const StoryEvent& event, const TextPool& texts) {
    if (event.type == EventType::session_start) {
        if (is_own(event) && event.source != EventSource::log)
            put(open_runs_, run_of(event, texts));
        return;
    }
    if (is_own(event)) (void)take(open_runs_, run_of(event, texts));
}

void StepCounter::count_failure(const StoryEvent& event, RunSums& sums) {
    const bool is_own_failure = is_own(event) && is_failure(event.outcome);
    if (!is_own_failure && event.type != EventType::error) return;
    const bool is_of_last_item = is_own(event) || event.primary_id == item_;
    if (is_of_last_item && item_has_failed_) return;
    if (is_of_last_item) item_has_failed_ = true;
    // Several tellings of one call fail once.
    if (!is_zero(event.twin_of)) return;
    const bool is_failed_run = is_of_last_item ? item_is_run_ : is_run(event.type);
    (is_failed_run ? sums.failed_runs : sums.failed_steps) = 1;
}

}  // namespace spangate
