// L9 to L12: money, prompts, budgets and silence.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "timeline/loop_moment.h"
#include "timeline/loop_words.h"

namespace spangate {
namespace {

constexpr double nanos_per_s = 1e9;
constexpr double seconds_per_minute = 60;
// A wait for a person or a job is no slow spending: longer gaps count as so long.
constexpr double gap_max_s = 30;
constexpr double rate_window_s = 300;
// Before, a first quarter says nothing.
constexpr double slope_busy_min_s = 480;
constexpr std::uint32_t slope_costs_min = 12;
constexpr float first_spend_every_s = 30;
// Small prompts grow fast and rightly.
constexpr std::int64_t grown_prompt_min_tokens = 16'000;
constexpr double window_share_max = 0.9;
// A budget's end is told as near only when most of it is gone.
constexpr double budget_share_low = 0.25;
// An open step may be a job or a person: silence turns into a warning only after so many times.
constexpr std::int64_t silence_warn_factor = 3;

// What was spent up to `busy_s`, between the marks that are kept.
double spent_by(const LoopState& state, double busy_s) {
    SpendMark before{};
    for (std::size_t i = 0; i < state.spend_size; ++i) {
        const SpendMark& mark = state.spend[i];
        if (mark.busy_s >= busy_s) {
            const double span = mark.busy_s - before.busy_s;
            const double part = span <= 0 ? 1 : (busy_s - before.busy_s) / span;
            return before.cost_usd + part * (mark.cost_usd - before.cost_usd);
        }
        before = mark;
    }
    return before.cost_usd;
}

void mark_spend(LoopState& state) {
    if (state.spend_every_s <= 0) state.spend_every_s = first_spend_every_s;
    const float last = state.spend_size == 0 ? 0 : state.spend[state.spend_size - 1U].busy_s;
    if (state.busy_s - last < state.spend_every_s) return;
    if (state.spend_size == loop_marks_count) {
        for (std::size_t i = 0; i < loop_marks_count / 2; ++i)
            state.spend[i] = state.spend[2 * i + 1];
        state.spend_size = loop_marks_count / 2;
        state.spend_every_s *= 2;
    }
    state.spend[state.spend_size++] = {state.busy_s, static_cast<float>(state.cost_usd)};
}

void judge_slope(LoopMoment& moment) {
    LoopState& state = moment.state;
    const LoopThresholds& limits = moment.limits();
    if (state.busy_s < slope_busy_min_s || state.costs_count < slope_costs_min) return;
    const double quarter_s = state.busy_s / 4;
    const double first_rate = spent_by(state, quarter_s) / quarter_s * seconds_per_minute;
    const double rate = state.usd_per_minute;
    const bool is_steep = first_rate > 0 && rate > limits.cost_slope_factor * first_rate &&
                          rate > limits.cost_slope_usd_per_minute_min;
    if (!is_steep) {
        clear_alarm(state, LoopSignal::cost_slope, 0);
        return;
    }
    LoopSign sign{LoopSignal::cost_slope, Severity::warning, 0, 1, moment.event.id};
    sign.projected_usd =
        state.cost_usd + rate * static_cast<double>(moment.limits().budget_horizon.count()) /
                             1'000 / seconds_per_minute;
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        fmt::format("spends ${:.2f} a minute, in its first quarter ${:.2f}", rate, first_rate)
    );
}

bool counts(const LoopMoment& moment) {
    return moment.event.counted != Told::no;
}

struct Remaining {
    double left = 0;
    double of = 0;
};

void start_pace(const LoopState& state, LoopLane& lane, double left) {
    lane.pace_busy_s = lane.pace_next_busy_s = state.busy_s;
    lane.pace_left = lane.pace_next_left = static_cast<float>(left);
}

// What is left lasts so long at the pace of the last minutes.
double lasts_s(const LoopMoment& moment, LoopLane& lane, double left) {
    const float busy_s = moment.state.busy_s;
    const double window_s = static_cast<double>(moment.limits().budget_horizon.count()) / 1'000;
    if (busy_s - lane.pace_next_busy_s > window_s / 2) {
        lane.pace_busy_s = lane.pace_next_busy_s;
        lane.pace_left = lane.pace_next_left;
        lane.pace_next_busy_s = busy_s;
        lane.pace_next_left = static_cast<float>(left);
    }
    const double spent = lane.pace_left - left;
    if (spent <= 0) return INFINITY;
    return left / spent * std::max<double>(busy_s - lane.pace_busy_s, 1);
}

void judge_budget(LoopMoment& moment, LoopLane& lane, const Remaining& budget) {
    LoopState& state = moment.state;
    LoopSign sign{LoopSignal::budget, Severity::critical, lane.name, 1, moment.event.id};
    if (budget.left <= 0) {
        if (raise_alarm(moment, sign)) tell(moment, sign, "nothing of the budget is left");
        return;
    }
    const double horizon_s = static_cast<double>(moment.limits().budget_horizon.count()) / 1'000;
    const double left_s = lasts_s(moment, lane, budget.left);
    if (budget.left > budget_share_low * budget.of || left_s > horizon_s) {
        clear_alarm(state, LoopSignal::budget, lane.name);
        return;
    }
    sign.severity = Severity::warning;
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        fmt::format(
            "{:.0f} % of the budget is left, for about {:.0f} s at this pace",
            100 * budget.left / budget.of,
            left_s
        )
    );
}

}  // namespace

void observe_spend(LoopMoment& moment) {
    LoopState& state = moment.state;
    const WallNanos at = end_of(moment.event);
    if (state.rate_at != 0 && at > state.rate_at) {
        const double gap_s = static_cast<double>(at - state.rate_at) / nanos_per_s;
        const double busy_s = std::min(gap_s, gap_max_s);
        state.busy_s += static_cast<float>(busy_s);
        state.usd_per_minute *= static_cast<float>(std::exp(-busy_s / rate_window_s));
    }
    state.rate_at = std::max(state.rate_at, at);
    const double cost = moment.event.cost_usd;
    if (!is_told(cost) || cost <= 0 || !std::isfinite(cost) || !counts(moment)) {
        mark_spend(state);
        return;
    }
    state.cost_usd += cost;
    state.usd_per_minute += static_cast<float>(cost * seconds_per_minute / rate_window_s);
    if (state.costs_count < UINT32_MAX) ++state.costs_count;
    mark_spend(state);
    judge_slope(moment);
}

void observe_prompt(LoopMoment& moment, LoopLane& lane) {
    const StoryEvent& event = moment.event;
    const LoopThresholds& limits = moment.limits();
    LoopState& state = moment.state;
    if (!is_told(event.tokens_prompt) || !counts(moment)) return;
    if (moment.text(event.usage_role) == "aggregate") return;
    const std::uint32_t model = loop_hash(moment.text(event.model));
    const double before = model == lane.model ? lane.prompt_tokens : 0;
    const bool grew = before > 0 && static_cast<double>(event.tokens_prompt) >=
                                        before * (1 + limits.context_growth_min);
    lane.growths = static_cast<std::uint16_t>(grew ? std::min(lane.growths + 1, 65'535) : 0);
    lane.model = model;
    lane.prompt_tokens =
        static_cast<std::uint32_t>(std::min<std::int64_t>(event.tokens_prompt, UINT32_MAX));
    const bool is_full = limits.context_window_tokens > 0 &&
                         static_cast<double>(event.tokens_prompt) >=
                             window_share_max * static_cast<double>(limits.context_window_tokens);
    const bool is_growing =
        lane.growths >= limits.context_calls && event.tokens_prompt >= grown_prompt_min_tokens;
    if (!is_full && !is_growing) {
        clear_alarm(state, LoopSignal::context_growth, lane.name);
        return;
    }
    LoopSign sign{LoopSignal::context_growth, Severity::warning, lane.name, lane.growths, event.id};
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        is_growing
            ? fmt::format(
                  "the prompt grew {} calls in a row, to {} tokens",
                  lane.growths,
                  event.tokens_prompt
              )
            : fmt::format("the prompt of {} tokens nearly fills the window", event.tokens_prompt)
    );
}

void observe_budget(LoopMoment& moment, LoopLane& lane) {
    LoopState& state = moment.state;
    const double told = moment.event.budget_remaining;
    if (!is_told(told)) {
        const double whole = moment.config.budget_usd;
        if (whole <= 0 || lane.has_budget || !is_told(moment.event.cost_usd)) return;
        if (lane.pace_left == 0) start_pace(state, lane, whole);
        judge_budget(moment, lane, {whole - state.cost_usd, whole});
        return;
    }
    if (!std::isfinite(told)) return;
    const WallNanos at = end_of(moment.event);
    if (lane.has_budget && at < lane.budget_at) return;  // told late
    const bool rises = lane.has_budget && told > lane.budget + 1e-9 * std::abs(lane.budget);
    if (rises && !state.has_granted) {
        LoopSign sign{LoopSignal::budget, Severity::warning, lane.name, 1, moment.event.id};
        if (raise_alarm(moment, sign))
            tell(moment, sign, "the budget rose and nothing told that it was granted");
        lane.budget = static_cast<float>(told);
        return;
    }
    if (!lane.has_budget || rises) {
        state.budget_max = std::max<float>(static_cast<float>(told), 0);
        start_pace(state, lane, told);
    }
    lane.has_budget = true;
    lane.budget = static_cast<float>(told);
    lane.budget_at = at;
    state.has_granted = false;
    judge_budget(moment, lane, {told, std::max<double>(state.budget_max, told)});
}

void judge_silence(
    const GuardConfig& config, LoopState& state, WallNanos now, std::vector<LoopTelling>& told
) {
    const LoopRequest* open = nullptr;
    for (const LoopRequest& request : state.requests) {
        if (request.at != 0 && (open == nullptr || request.at < open->at)) open = &request;
    }
    const WallNanos limit = config.loops.silence.count() * 1'000'000;
    const WallNanos silent = now - state.last_at;
    if (open == nullptr || state.last_at == 0 || silent < limit) {
        clear_alarm(state, LoopSignal::silence, 0);
        return;
    }
    LoopSign sign{LoopSignal::silence, Severity::info, 0, 1, state.last_id};
    if (silent >= silence_warn_factor * limit) sign.severity = Severity::warning;
    if (!raise_alarm(state, sign)) return;
    LoopTelling telling;
    telling.signal = sign.signal;
    telling.severity = sign.severity;
    telling.first_event_id = state.last_id;
    telling.last_event_id = state.last_id;
    telling.at = now;
    telling.repeats = 1;
    telling.cost_so_far_usd = state.cost_usd;
    telling.text = fmt::format(
        "a call has not been answered, and nothing came for {} s", silent / 1'000'000'000
    );
    told.push_back(std::move(telling));
}

}  // namespace spangate
