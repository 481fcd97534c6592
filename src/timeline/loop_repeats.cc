// L1, L3, L4 and L7: what repeats among the last steps.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "timeline/loop_moment.h"
#include "timeline/loop_rounds.h"
#include "timeline/loop_words.h"

namespace spangate {
namespace {

// A model that waits for something by asking again pays for each look: so many are let pass.
constexpr std::size_t thinking_polls_max = 12;
// Receipts for different writes are equal; so many in a row are still no surprise.
constexpr std::size_t writes_factor = 4;
constexpr std::size_t differing_factor = 2;
// Blocks of one period must go round so often before changing results alone do not excuse them.
constexpr std::size_t mixed_cycles_factor = 2;

std::string_view tool_name(const LoopMoment& moment) {
    const std::string_view name = moment.text(moment.event.tool_name);
    return name.empty() ? std::string_view("a tool") : name;
}

struct RunFacts {
    double cost_usd = 0;
    std::size_t thoughts = 0;
    bool is_retry = false;
    bool has_news = false;  // of any lane, between its first step and its last
};

RunFacts facts_of(const LoopState& state, LoopRounds& rounds, std::size_t count) {
    RunFacts facts;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        facts.cost_usd += rounds[i].cost_usd;
        facts.thoughts += rounds[i].thoughts;
        facts.is_retry = facts.is_retry || (rounds[i].marks & is_retry) != 0;
    }
    for (std::size_t back = 0; back < rounds[count - 1].back; ++back)
        facts.has_news = facts.has_news || (step_back(state, back).marks & is_new) != 0;
    return facts;
}

// More than the last steps can show: counted on from what was told.
std::uint32_t counted_on(
    const LoopState& state,
    LoopSignal signal,
    const LoopLane& lane,
    LoopRounds& rounds,
    std::size_t count
) {
    const auto seen = static_cast<std::uint32_t>(count);
    const LoopAlarm* alarm = find_alarm(state, signal, lane.name);
    if (rounds.has(count) || alarm == nullptr || alarm->count < seen) return seen;
    const bool is_full = !rounds.has(1) || rounds[0].size == rounds[1].size;
    return alarm->count + (is_full && alarm->count < UINT32_MAX ? 1U : 0U);
}

// The severity of rounds that are equal, the newest `kept` of `count`; nothing below the threshold.
std::optional<Severity> repeat_severity(
    const LoopMoment& moment, LoopRounds& rounds, std::size_t kept, std::size_t count
) {
    const LoopThresholds& limits = moment.limits();
    // Results that were not told may have differed.
    const std::size_t warn = rounds[0].has_results ? limits.repeats_warn : limits.repeats_critical;
    if (count < warn || !rounds[0].has_calls) return std::nullopt;
    const RunFacts facts = facts_of(moment.state, rounds, kept);
    // Handing work to the same agent again is a repeat only when nothing came of it.
    if ((rounds[0].marks & is_handoff) != 0 && facts.has_news) return std::nullopt;
    const bool is_failed = rounds[0].is_failed;
    const bool is_waiting = is_failed ? is_backed_off(moment.state, rounds, kept)
                                      : !facts.is_retry && is_paced_run(moment.state, rounds, kept);
    if (!is_waiting) {
        const bool is_critical = count >= limits.repeats_critical && rounds[0].has_results;
        return is_critical ? Severity::critical : Severity::warning;
    }
    const bool is_too_much = is_failed ? count >= std::size_t{2} * limits.repeats_warn
                                       : count > limits.polls_max ||
                                             facts.cost_usd > limits.polls_cost_usd ||
                                             (facts.thoughts > 0 && count > thinking_polls_max);
    return is_too_much ? Severity::warning : Severity::info;
}

void judge_same(LoopMoment& moment, const LoopLane& lane, LoopRounds& rounds) {
    const std::size_t count = same_rounds(rounds, &LoopRound::pairs);
    const std::uint32_t counted =
        counted_on(moment.state, LoopSignal::no_progress_repeat, lane, rounds, count);
    const auto severity = repeat_severity(moment, rounds, count, counted);
    if (!severity) {
        // A round of several calls that is still filling has broken nothing yet.
        const bool is_filling = rounds.has(1) && rounds[0].size < rounds[1].size;
        if (!is_filling) clear_alarm(moment.state, LoopSignal::no_progress_repeat, lane.name);
        return;
    }
    LoopSign sign{LoopSignal::no_progress_repeat, *severity, lane.name};
    sign.count = counted;
    sign.first = id_back(moment.state, rounds[count - 1].back);
    if (!raise_alarm(moment, sign)) return;
    const std::string_view what = rounds[0].size > 1 ? " and the calls beside it" : "";
    const std::string_view result =
        rounds[0].has_results ? "the same result" : "no result that was told";
    const std::string_view wait = *severity == Severity::info ? ", with waits in between" : "";
    tell(
        moment,
        sign,
        fmt::format(
            "{}{} repeated {} times: same arguments, {}{}",
            tool_name(moment),
            what,
            sign.count,
            result,
            wait
        )
    );
}

void judge_variations(LoopMoment& moment, const LoopLane& lane, LoopRounds& rounds) {
    const std::size_t warn = moment.limits().variations_warn;
    std::size_t count =
        rounds[0].has_shapes && rounds[0].has_results ? same_rounds(rounds, &LoopRound::shapes) : 0;
    std::size_t calls = 1;  // changes of the arguments
    for (std::size_t i = 0; i + 1 < count; ++i) {
        if ((rounds[i].marks & after_new_state) != 0) count = i + 1;
        if (i + 1 < count && rounds[i].calls != rounds[i + 1].calls) ++calls;
    }
    const bool is_write = count >= warn && is_writing_tool(moment.text(moment.event.tool_name));
    // Equal answers in a row are less of a sign where the answers were known to differ.
    const bool has_differed = count > 0 && rounds.has(count) && rounds[count].has_shapes &&
                              rounds[count].forms == rounds[0].forms;
    const std::size_t factor = is_write ? writes_factor : has_differed ? differing_factor : 1;
    const std::size_t least = factor * warn;
    if (count < least || calls < 2) {
        clear_alarm(moment.state, LoopSignal::cosmetic_variation, lane.name);
        return;
    }
    LoopSign sign{LoopSignal::cosmetic_variation, Severity::warning, lane.name};
    if (is_write) sign.severity = Severity::info;
    sign.count = counted_on(moment.state, sign.signal, lane, rounds, count);
    sign.first = id_back(moment.state, rounds[count - 1].back);
    if (!raise_alarm(moment, sign)) return;
    tell(
        moment,
        sign,
        fmt::format(
            "{} called {} times with arguments that differ only in numbers, ids or times: "
            "same result",
            tool_name(moment),
            sign.count
        )
    );
}

// Whether each of the blocks holds a wait.
bool is_paced_cycle(const LoopState& state, LoopRounds& rounds, const LoopCycle& cycle) {
    for (std::size_t block = 0; block + 1 < cycle.times; ++block) {
        bool has_wait = false;
        for (std::size_t i = 0; i < cycle.period; ++i)
            has_wait = has_wait || is_paced(state, rounds[block * cycle.period + i]);
        if (!has_wait) return false;
    }
    return true;
}

struct CycleFacts {
    bool has_calls = true;  // none of its calls' arguments is unknown
    bool has_tools = false;
    bool has_results = true;
    bool has_variety = false;  // its rounds are not all alike
    bool has_new_state = false;
    bool has_news = false;          // of any lane
    bool repeats_a_result = false;  // some call gave what it gave the block before
    double cost_usd = 0;
    std::size_t thoughts = 0;
};

CycleFacts facts_of(const LoopState& state, LoopRounds& rounds, const LoopCycle& cycle) {
    CycleFacts facts;
    const std::size_t length = cycle.period * cycle.times;
    for (std::size_t i = 0; i < length; ++i) {
        const LoopRound& round = rounds[i];
        facts.has_calls = facts.has_calls && round.has_calls;
        facts.has_results = facts.has_results && round.has_results;
        facts.has_tools = facts.has_tools || round.has_tools;
        if (i < cycle.period)
            facts.has_variety = facts.has_variety || round.calls != rounds[0].calls;
        // A state told before the first block belongs to what was before.
        if (i + 1 < length)
            facts.has_new_state = facts.has_new_state || (round.marks & after_new_state) != 0;
        if (i + cycle.period < length && round.pairs == rounds[i + cycle.period].pairs)
            facts.repeats_a_result = true;
        facts.cost_usd += round.cost_usd;
        facts.thoughts += round.thoughts;
    }
    for (std::size_t back = 0; back < rounds[length - 1].back; ++back)
        facts.has_news = facts.has_news || (step_back(state, back).marks & is_new) != 0;
    return facts;
}

std::optional<Severity> cycle_severity(
    const LoopMoment& moment, LoopRounds& rounds, const LoopCycle& cycle, bool is_exact
) {
    const LoopThresholds& limits = moment.limits();
    if (cycle.period < 2 || cycle.times < limits.cycles_warn) return std::nullopt;
    const CycleFacts facts = facts_of(moment.state, rounds, cycle);
    if (!facts.has_calls || !facts.has_variety) return std::nullopt;
    const bool is_critical = cycle.times >= limits.cycles_critical;
    if (is_exact && facts.has_results && facts.has_tools) {
        // A state that is new each time may be a mere number of the step.
        if (facts.has_new_state)
            return is_critical ? std::optional(Severity::warning) : std::nullopt;
        if (!is_paced_cycle(moment.state, rounds, cycle))
            return is_critical ? Severity::critical : Severity::warning;
        const bool is_too_much = cycle.times > limits.polls_max ||
                                 facts.cost_usd > limits.polls_cost_usd ||
                                 (facts.thoughts > 0 && cycle.times > thinking_polls_max);
        return is_too_much ? Severity::warning : Severity::info;
    }
    // Decisions alone, or results that change or were not told: time must speak too.
    if (facts.has_new_state || (facts.has_tools && !facts.repeats_a_result)) return std::nullopt;
    if (!facts.has_tools && facts.has_news) return std::nullopt;
    const std::size_t least =
        facts.has_tools ? mixed_cycles_factor * limits.cycles_critical : limits.cycles_critical;
    return cycle.times >= least ? std::optional(Severity::warning) : std::nullopt;
}

// True when a cycle was found.
bool judge_cycle_of(LoopMoment& moment, std::uint16_t key, LoopRounds& rounds) {
    for (const bool is_exact : {true, false}) {
        const LoopCycle cycle = cycle_of(
            rounds,
            is_exact ? &LoopRound::pairs : &LoopRound::calls,
            moment.limits().cycle_period_max
        );
        const auto severity = cycle_severity(moment, rounds, cycle, is_exact);
        if (!severity) continue;
        LoopSign sign{LoopSignal::cycle, *severity, key};
        sign.count = static_cast<std::uint32_t>(cycle.times);
        sign.first = id_back(moment.state, rounds[cycle.period * cycle.times - 1].back);
        if (raise_alarm(moment, sign)) {
            tell(
                moment,
                sign,
                fmt::format(
                    "a block of {} steps went round {} times{}{}",
                    cycle.period,
                    cycle.times,
                    is_exact && rounds[0].has_tools ? " with the same results" : "",
                    *severity == Severity::info ? ", with waits in between" : ""
                )
            );
        }
        return true;
    }
    return false;
}

// Failures of one class in a row of the lane's newest tool, one a round.
struct Streak {
    std::size_t count = 0;
    std::size_t same_calls = 0;  // of these, the newest with one call
};

Streak streak_of(LoopRounds& rounds, const LoopState& state) {
    Streak streak;
    const LoopStep& newest = step_back(state, rounds[0].back);
    bool is_same_call = true;
    for (std::size_t i = 0; rounds.has(i); ++i) {
        const LoopStep& step = step_back(state, rounds[i].back);
        if (step.tool != newest.tool || step.failure != newest.failure) break;
        ++streak.count;
        is_same_call = is_same_call && newest.call != 0 && step.call == newest.call;
        if (is_same_call) ++streak.same_calls;
        if ((rounds[i].marks & starts_turn) != 0) break;
    }
    return streak;
}

// How many failures in a row are one too many, with the same arguments or with any.
struct FailureLimits {
    std::size_t same_call = 0;
    std::size_t any_call = 0;
};

FailureLimits limits_of(const LoopMoment& moment, LoopRounds& rounds, const Streak& streak) {
    const LoopThresholds& limits = moment.limits();
    const std::size_t failures = limits.failures_warn;
    const FailureNature nature =
        moment.event.outcome == EventOutcome::blocked
            ? FailureNature::permanent
            : nature_of(moment.text(moment.event.error_class), moment.event.http_status);
    switch (nature) {
        case FailureNature::permanent:
            return {limits.permanent_failures_warn, failures};
        case FailureNature::absent:  // looking in another place is no repeat
            return {limits.permanent_failures_warn, 2 * failures};
        case FailureNature::transient:
        case FailureNature::ordinary:
            break;
    }
    const bool waits = is_backed_off(moment.state, rounds, streak.count);
    const std::size_t least = waits ? 2 * failures : failures;
    return {least, least};
}

}  // namespace

void judge_repeats(LoopMoment& moment, const LoopLane& lane) {
    LoopRounds rounds(moment.state, lane.name, RoundsOf::calls);
    if (!rounds.has(0)) return;
    judge_same(moment, lane, rounds);
    judge_variations(moment, lane, rounds);
}

void judge_cycles(LoopMoment& moment, const LoopLane& lane) {
    LoopState& state = moment.state;
    LoopRounds own(state, lane.name, RoundsOf::all);
    const bool is_found = judge_cycle_of(moment, lane.name, own);
    if (!is_found) clear_alarm(state, LoopSignal::cycle, lane.name);
    const auto lanes = std::count_if(state.lanes.begin(), state.lanes.end(), [](const auto& one) {
        return one.name != 0;
    });
    LoopRounds all(state, 0, RoundsOf::all);
    if (is_found || lanes < 2 || !judge_cycle_of(moment, 0, all))
        clear_alarm(state, LoopSignal::cycle, 0);
}

void judge_failures(LoopMoment& moment, const LoopLane& lane) {
    LoopRounds rounds(moment.state, lane.name, RoundsOf::calls);
    if (!rounds.has(0)) return;
    if (!rounds[0].is_failed) {
        clear_alarm(moment.state, LoopSignal::failure_streak, lane.name);
        return;
    }
    const Streak streak = streak_of(rounds, moment.state);
    const FailureLimits least = limits_of(moment, rounds, streak);
    if (streak.same_calls < least.same_call && streak.count < least.any_call) {
        if (streak.count < 2) clear_alarm(moment.state, LoopSignal::failure_streak, lane.name);
        return;
    }
    LoopSign sign{LoopSignal::failure_streak, Severity::warning, lane.name};
    sign.count = counted_on(moment.state, sign.signal, lane, rounds, streak.count);
    sign.first = id_back(moment.state, rounds[streak.count - 1].back);
    if (!raise_alarm(moment, sign)) return;
    const std::string_view error = moment.text(moment.event.error_class);
    tell(
        moment,
        sign,
        fmt::format(
            "{} failed {} times in a row{}{}",
            tool_name(moment),
            sign.count,
            error.empty() ? "" : ": ",
            error
        )
    );
}

}  // namespace spangate
