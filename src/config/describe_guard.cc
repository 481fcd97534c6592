#include <utility>
#include <vector>

#include "config/setting_makers.h"

namespace spangate {

using namespace setting;  // NOLINT(google-build-using-namespace)

namespace {

constexpr CountRange repeats{1, 1'000'000};
constexpr RealRange factors{0, 1'000'000};
constexpr RealRange dollars{0, 1'000'000'000};
constexpr DurationRange waits{Millis{1'000}, Millis{86'400'000}};

// L1 … L8: what repeats itself.
std::vector<Setting> describe_repeats(LoopThresholds& loops) {
    return {
        count(
            "repeats_warn",
            loops.repeats_warn,
            repeats,
            "L1: the same call with the same result, so often in a row."
        ),
        count("repeats_critical", loops.repeats_critical, repeats, "L1: and this is critical."),
        count(
            "polls_max",
            loops.polls_max,
            repeats,
            "L2: the same call with changing results is polling; so often it is told, when it is "
            "too fast or too dear."
        ),
        real("polls_per_second_max", loops.polls_per_second_max, factors, "L2: too fast."),
        real("polls_cost_usd", loops.polls_cost_usd, dollars, "L2: too dear, all polls together."),
        count(
            "cycle_period_max", loops.cycle_period_max, {2, 32}, "L3: calls in the longest cycle."
        ),
        count("cycles_warn", loops.cycles_warn, repeats, "L3: the cycle, so often in a row."),
        count("cycles_critical", loops.cycles_critical, repeats, "L3: and this is critical."),
        count(
            "failures_warn",
            loops.failures_warn,
            repeats,
            "L4: the same tool with the same error, so often in a row."
        ),
        count(
            "permanent_failures_warn",
            loops.permanent_failures_warn,
            repeats,
            "L4: the same of errors that a repeat does not mend."
        ),
        count(
            "frozen_steps_warn",
            loops.frozen_steps_warn,
            repeats,
            "L5: steps that act while the state's hash stays."
        ),
        count(
            "frozen_steps_critical",
            loops.frozen_steps_critical,
            repeats,
            "L5: and this is critical."
        ),
        count("retries_warn", loops.retries_warn, repeats, "L6: retries that correct nothing."),
        count("retries_critical", loops.retries_critical, repeats, "L6: and this is critical."),
        count(
            "variations_warn",
            loops.variations_warn,
            repeats,
            "L7: calls that differ in counters, ids or times alone, with the same result."
        ),
        count(
            "handoff_turns_warn",
            loops.handoff_turns_warn,
            repeats,
            "L8: turns of two agents that hand to each other without a new result."
        ),
        count(
            "delegation_depth_max", loops.delegation_depth_max, repeats, "L8: agents below agents."
        ),
    };
}

// L9 … L12: what it costs, and what stands still.
std::vector<Setting> describe_costs(LoopThresholds& loops) {
    return {
        real(
            "cost_slope_factor",
            loops.cost_slope_factor,
            factors,
            "L9: the session spends so many times faster than in its first quarter."
        ),
        real(
            "cost_slope_usd_per_minute_min",
            loops.cost_slope_usd_per_minute_min,
            dollars,
            "L9: below this rate nothing is told."
        ),
        real(
            "context_growth_min",
            loops.context_growth_min,
            factors,
            "L10: the prompt grows by this share in each call."
        ),
        count("context_calls", loops.context_calls, repeats, "L10: so many calls in a row."),
        count(
            "context_window_tokens",
            loops.context_window_tokens,
            {0, 1'000'000'000},
            "L10: told at nine tenths of it; 0: not judged."
        ),
        duration(
            "budget_horizon",
            loops.budget_horizon,
            waits,
            "L11: told when the budget will be used up within this time."
        ),
        duration(
            "silence", loops.silence, waits, "L12: steps are open and no event came for so long."
        ),
    };
}

std::vector<Setting> describe_loops(LoopThresholds& loops) {
    std::vector<Setting> settings = describe_repeats(loops);
    for (Setting& setting : describe_costs(loops))
        settings.push_back(std::move(setting));
    return settings;
}

std::vector<Setting> describe_memory(GuardConfig& guard) {
    return {
        text(
            "state_topic",
            guard.state_topic,
            "Compacted topic in which the guards keep what they know of running sessions; it has "
            "as many partitions as the operational topic. Made at the start where it is missing."
        ),
        duration(
            "state_interval",
            guard.state_interval,
            {Millis{100}, Millis{600'000}},
            "How often sessions that changed are saved: what a crash makes the next guard read "
            "again."
        ),
        count(
            "sessions_max",
            guard.sessions_max,
            {100, 10'000'000},
            "Sessions in memory, about 4 KiB each; above it the one that was silent longest goes."
        ),
        duration(
            "session_ttl",
            guard.session_ttl,
            {Millis{60'000}, Millis{2'592'000'000}},
            "A session without an event for so long is forgotten."
        ),
    };
}

}  // namespace

Setting describe_guard(GuardConfig& guard) {
    std::vector<Setting> settings = {
        flag(
            "enabled",
            guard.enabled,
            "False: `guard` does not start, and replay looks for no loops."
        ),
        text(
            "group",
            guard.group,
            "Kafka's consumer group: the guards of a group share the partitions. It is the "
            "gateway_id of their events."
        ),
        text(
            "endpoint",
            guard.endpoint,
            "host:port of GET /guard/SESSION, /metrics, /healthz and /readyz; empty: off."
        ),
        secret(
            "webhook",
            guard.webhook,
            "URL of http or https that each signal is posted to, as JSON without content; empty: "
            "none. A secret, because such URLs hold tokens."
        ),
    };
    for (Setting& setting : describe_memory(guard))
        settings.push_back(std::move(setting));
    settings.push_back(real(
        "budget_usd",
        guard.budget_usd,
        dollars,
        "Budget of a session whose events tell none; 0: none."
    ));
    settings.push_back(group(
        "loops",
        "Thresholds of the signals L1 to L12, the same for `guard` and `replay`.",
        describe_loops(guard.loops)
    ));
    return group(
        "guard",
        "`spangate guard` watches running sessions for loops and budgets and writes "
        "policy_intervention events. A gateway does not read this section.",
        std::move(settings)
    );
}

}  // namespace spangate
