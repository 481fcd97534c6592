// Recall, false alarms and delay of the loop detector over the corpus; printed with -s or on
// failure, and always as one line for each kind on standard output.
#include "timeline/loop_corpus.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include <catch2/catch.hpp>

#include "timeline/loop_detector.h"

namespace spangate {
namespace {

using test::CorpusSession;
using test::LoopScript;

struct Verdict {
    std::optional<int> step;  // of the first warning or worse
    std::string text;
};

Verdict verdict_on(const CorpusSession& session, const std::vector<LoopScript::Event>& events) {
    const GuardConfig config;
    LoopDetector detector(config);
    std::vector<LoopTelling> told;
    Verdict verdict;
    for (const auto& [event, step] : events) {
        told.clear();
        detector.observe(event, session.script.texts(), told);
        for (const LoopTelling& telling : told) {
            if (telling.severity == Severity::info || verdict.step) continue;
            verdict.step = step;
            verdict.text = std::string(name_of(telling.signal)) + ": " + telling.text;
        }
    }
    return verdict;
}

struct Score {
    int sessions = 0;
    int told = 0;
    int early = 0;  // loops told before they began
    int late = 0;   // more than a step after the threshold
    int delay_sum = 0;
    int delay_max = 0;
};

using Scores = std::map<std::string, Score>;

void score(const CorpusSession& session, const Verdict& verdict, Score& score) {
    ++score.sessions;
    if (!verdict.step) return;
    ++score.told;
    if (!session.is_loop) return;
    const int delay = *verdict.step - session.script.due_step().value_or(0);
    score.delay_sum += std::max(delay, 0);
    score.delay_max = std::max(score.delay_max, delay);
    if (delay > 1) ++score.late;
}

Score summed(const Scores& scores, const char* what) {
    Score all;
    for (const auto& [kind, one] : scores) {
        std::printf(
            "%-22s %3d sessions, %3d told, delay %.2f steps, at most %d\n",
            kind.c_str(),
            one.sessions,
            one.told,
            one.told == 0 ? 0.0 : 1.0 * one.delay_sum / one.told,
            one.delay_max
        );
        all.sessions += one.sessions;
        all.told += one.told;
        all.late += one.late;
    }
    std::printf(
        "%s: %d of %d told = %.3f\n", what, all.told, all.sessions, 1.0 * all.told / all.sessions
    );
    return all;
}

// How often the detector said so of an order of the events, and where it was wrong.
struct Outcomes {
    Scores loops;
    Scores honest;
    int order_matters = 0;
};

void look_at(const CorpusSession& session, bool in_story_order, Outcomes& outcomes) {
    const Verdict arrival = verdict_on(session, session.script.in_arrival_order());
    const Verdict story = verdict_on(session, session.script.in_story_order());
    if (arrival.step.has_value() != story.step.has_value()) ++outcomes.order_matters;
    const Verdict& verdict = in_story_order ? story : arrival;
    score(session, verdict, (session.is_loop ? outcomes.loops : outcomes.honest)[session.kind]);
    const int due = session.script.due_step().value_or(-1);
    const bool is_right =
        session.is_loop ? verdict.step && *verdict.step <= due + 1 : !verdict.step.has_value();
    if (is_right) return;
    std::printf(
        "  %s, seed %llu: step %d, due %d: %s\n",
        session.kind.c_str(),
        static_cast<unsigned long long>(session.seed),
        verdict.step.value_or(-1),
        due,
        verdict.text.c_str()
    );
}

}  // namespace

TEST_CASE("Loops are told at their threshold and honest sessions are left alone") {
    const std::uint64_t seed = GENERATE(1, 2);
    const bool in_story_order = GENERATE(false, true);
    CAPTURE(seed, in_story_order);
    Outcomes outcomes;
    for (const CorpusSession& session : test::looping_sessions(seed, 15))
        look_at(session, in_story_order, outcomes);
    for (const CorpusSession& session : test::honest_sessions(seed, 15))
        look_at(session, in_story_order, outcomes);
    const Score found = summed(outcomes.loops, "recall");
    const Score alarmed = summed(outcomes.honest, "false alarms");
    CHECK(found.sessions >= 150);
    CHECK(alarmed.sessions >= 150);
    CHECK(found.told >= 0.95 * found.sessions);
    CHECK(found.late <= 0.02 * found.sessions);
    CHECK(alarmed.told <= 0.02 * alarmed.sessions);
    CHECK(outcomes.order_matters == 0);
}

}  // namespace spangate
