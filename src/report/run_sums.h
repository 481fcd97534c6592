// What runs add up to: the same figures for a session, an agent, a model, a tool, a tenant, and
// all.
#pragma once

#include <cstdint>

namespace spangate {

struct RunSums {
    std::uint64_t events = 0;  // each once
    std::uint64_t steps = 0;   // what a timeline calls one
    std::uint64_t inferences = 0;
    std::uint64_t tool_calls = 0;
    std::uint64_t retries = 0;
    std::uint64_t failed_steps = 0;  // without runs
    std::uint64_t failed_runs = 0;
    std::uint64_t policies = 0;
    std::uint64_t handoffs = 0;
    std::int64_t tokens_prompt = 0;  // usage that is counted, once
    std::int64_t tokens_completion = 0;
    std::int64_t tokens_cache_read = 0;
    std::int64_t tokens_reasoning = 0;
    std::int64_t tokens_other = 0;  // told as a total alone
    double cost_usd = 0;
    // The clients' own clocks of model calls, tool calls, retrievals and evaluations, added up:
    // what ran side by side counts twice.
    double busy_ms = 0;
    double inference_ms = 0;
    double tool_ms = 0;

    // A run that failed because of a step is no error of its own.
    [[nodiscard]] std::uint64_t errors() const {
        return failed_steps > 0 ? failed_steps : failed_runs;
    }

    [[nodiscard]] std::int64_t tokens() const {
        return tokens_prompt + tokens_completion + tokens_other;
    }

    RunSums& operator+=(const RunSums& other) {
        events += other.events;
        steps += other.steps;
        inferences += other.inferences;
        tool_calls += other.tool_calls;
        retries += other.retries;
        failed_steps += other.failed_steps;
        failed_runs += other.failed_runs;
        policies += other.policies;
        handoffs += other.handoffs;
        tokens_prompt += other.tokens_prompt;
        tokens_completion += other.tokens_completion;
        tokens_cache_read += other.tokens_cache_read;
        tokens_reasoning += other.tokens_reasoning;
        tokens_other += other.tokens_other;
        cost_usd += other.cost_usd;
        busy_ms += other.busy_ms;
        inference_ms += other.inference_ms;
        tool_ms += other.tool_ms;
        return *this;
    }
};

}  // namespace spangate
