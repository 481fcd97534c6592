// L9 to L12, and the state's bytes.
#include <catch2/catch.hpp>

#include "timeline/loop_corpus.h"
#include "timeline/loop_state.h"
#include "timeline/loop_watcher.h"

namespace spangate {
namespace {

using test::LoopWatcher;

constexpr auto warning = Severity::warning;
constexpr WallNanos second = 1'000'000'000;

// Thinks once in ten seconds or so.
void spend(LoopWatcher& watcher, int times, double usd) {
    for (int i = 0; i < times; ++i) {
        watcher.script.think(2'000, usd);
        watcher.script.wait_ms(8'000);
    }
}

TEST_CASE("L9 tells a session that spends three times as fast as in its first quarter") {
    LoopWatcher watcher;
    spend(watcher, 60, 0.02);
    CHECK(watcher.look().empty());
    spend(watcher, 30, 0.03);
    CHECK(watcher.look().empty());
    spend(watcher, 60, 0.10);
    CHECK(watcher.look_for(LoopSignal::cost_slope) == warning);
    CHECK(watcher.last.projected_usd > watcher.last.cost_so_far_usd);
}

TEST_CASE("L9 leaves cheap sessions alone, and those that rested first") {
    LoopWatcher cheap;
    spend(cheap, 60, 0.0005);
    spend(cheap, 60, 0.005);
    CHECK(cheap.look().empty());
    LoopWatcher rested;
    spend(rested, 30, 0.02);
    for (int i = 0; i < 5; ++i) {
        rested.script.wait_ms(3'600'000);
        spend(rested, 2, 0.02);
    }
    spend(rested, 60, 0.03);
    CHECK(rested.look().empty());
}

TEST_CASE("A cost that was counted elsewhere is not summed") {
    LoopWatcher watcher;
    std::vector<LoopTelling> told;
    watcher.script.think(100, 0.5);
    StoryEvent event = watcher.script.in_arrival_order()[0].event;
    watcher.detector.observe(event, watcher.script.texts(), told);
    event.id[0] ^= 1U;
    event.counted = Told::no;
    watcher.detector.observe(event, watcher.script.texts(), told);
    CHECK(watcher.detector.cost_usd() == Approx(0.5));
}

TEST_CASE("L10 tells a prompt that grows by a fifth five calls in a row, once it is large") {
    LoopWatcher watcher;
    int tokens = 10'000;
    for (int i = 0; i < 5; ++i) {
        watcher.script.think(tokens);
        tokens += tokens / 4;
    }
    CHECK(watcher.look().empty());
    watcher.script.think(tokens);
    CHECK(watcher.look_for(LoopSignal::context_growth) == warning);
    CHECK(watcher.last.repeats == 5);
    LoopWatcher small;
    for (int of = 100; of < 15'000; of += of / 3)
        small.script.think(of);
    CHECK(small.look().empty());
}

TEST_CASE("L10 tells a window that is nearly full, where the window is known") {
    LoopThresholds limits;
    limits.context_window_tokens = 100'000;
    LoopWatcher watcher(limits);
    watcher.script.think(89'000);
    CHECK(watcher.look().empty());
    watcher.script.think(90'000);
    CHECK(watcher.look_for(LoopSignal::context_growth) == warning);
}

TEST_CASE("L11 tells a budget that is used up, one that soon is, and one that rises by itself") {
    LoopWatcher watcher;
    for (const double left : {10.0, 8.0, 6.0, 4.0}) {
        watcher.script.tell_budget(left);
        watcher.script.think();
    }
    CHECK(watcher.look().empty());
    watcher.script.tell_budget(2.0);
    watcher.script.think();
    CHECK(watcher.look_for(LoopSignal::budget) == warning);
    watcher.script.tell_budget(0);
    watcher.script.think();
    CHECK(watcher.look_for(LoopSignal::budget) == Severity::critical);

    LoopWatcher rising;
    rising.script.tell_budget(5);
    rising.script.think();
    rising.script.tell_budget(6);
    rising.script.think();
    CHECK(rising.look_for(LoopSignal::budget) == warning);

    LoopWatcher granted;
    granted.script.tell_budget(5);
    granted.script.think();
    granted.script.tell_policy("allow");
    granted.script.tell_budget(6);
    granted.script.think();
    CHECK(granted.look().empty());
}

TEST_CASE("L11 holds a session that tells no budget against the configured one") {
    LoopWatcher watcher;
    watcher.config.budget_usd = 1;
    watcher.script.think(100, 0.7);
    CHECK(watcher.look().empty());
    watcher.script.think(100, 0.4);
    CHECK(watcher.look_for(LoopSignal::budget) == Severity::critical);
}

TEST_CASE("L12 tells a call that is not answered: info after ten minutes, a warning after thirty") {
    LoopWatcher watcher;
    std::vector<LoopTelling> told;
    watcher.script.call({"train", "{1}", "done"});
    const StoryEvent request = watcher.script.in_arrival_order()[0].event;
    watcher.detector.observe(request, watcher.script.texts(), told);
    const WallNanos at = watcher.detector.last_event_at();
    watcher.detector.tick(at + 599 * second, told);
    CHECK(told.empty());
    watcher.detector.tick(at + 600 * second, told);
    REQUIRE(told.size() == 1);
    CHECK(told[0].signal == LoopSignal::silence);
    CHECK(told[0].severity == Severity::info);
    watcher.detector.tick(at + 1'000 * second, told);
    CHECK(told.size() == 1);
    watcher.detector.tick(at + 1'800 * second, told);
    REQUIRE(told.size() == 2);
    CHECK(told[1].severity == warning);
    CHECK(watcher.detector.standing() == warning);
}

TEST_CASE("A session with nothing open may be silent") {
    LoopWatcher watcher;
    std::vector<LoopTelling> told;
    watcher.script.think();
    watcher.script.call({"train", "{1}", "done"});
    CHECK(watcher.look().empty());
    watcher.detector.tick(watcher.detector.last_event_at() + 100'000 * second, told);
    CHECK(told.empty());
}

// What is told of the events, with the detector saved and restored before each `every`-th.
std::vector<std::string> tellings(const test::CorpusSession& session, std::size_t every) {
    const GuardConfig config;
    LoopDetector detector(config);
    std::vector<LoopTelling> told;
    std::size_t count = 0;
    for (const auto& [event, step] : session.script.in_arrival_order()) {
        if (every != 0 && ++count % every == 0) {
            const std::string saved = detector.save();
            REQUIRE(saved.size() <= loop_state_bytes_max);
            Result<LoopDetector> restored = LoopDetector::restore(config, saved);
            REQUIRE(restored.has_value());
            detector = std::move(*restored);
            CHECK(detector.save() == saved);
        }
        detector.observe(event, session.script.texts(), told);
    }
    std::vector<std::string> texts;
    for (const LoopTelling& telling : told)
        texts.push_back(std::string(name_of(telling.severity)) + telling.text);
    texts.push_back(std::string(name_of(detector.standing())));
    return texts;
}

TEST_CASE("A detector that was saved and restored tells the same") {
    for (const test::CorpusSession& session : test::looping_sessions(3, 2)) {
        CAPTURE(session.kind);
        const std::vector<std::string> whole = tellings(session, 0);
        CHECK(tellings(session, 1) == whole);
        CHECK(tellings(session, 7) == whole);
    }
}

std::string saved_session() {
    const auto sessions = test::looping_sessions(4, 1);
    const GuardConfig config;
    LoopDetector detector(config);
    std::vector<LoopTelling> told;
    for (const auto& [event, step] : sessions[2].script.in_arrival_order())
        detector.observe(event, sessions[2].script.texts(), told);
    return detector.save();
}

TEST_CASE("A saved state that is cut, longer, or of another version is refused") {
    const GuardConfig config;
    const std::string saved = saved_session();
    for (std::size_t size = 0; size < saved.size(); ++size)
        REQUIRE_FALSE(LoopDetector::restore(config, saved.substr(0, size)).has_value());
    CHECK_FALSE(LoopDetector::restore(config, saved + '\0').has_value());
    std::string other = saved;
    other[0] = 99;
    CHECK_FALSE(LoopDetector::restore(config, other).has_value());
    CHECK(LoopDetector::restore(config, saved).has_value());
}

TEST_CASE("Bytes of a hostile state are refused or harmless") {
    const GuardConfig config;
    const auto sessions = test::looping_sessions(5, 1);
    const std::string good = saved_session();
    std::mt19937_64 bits(7);
    int restored_count = 0;
    for (int i = 0; i < 3'000; ++i) {
        std::string bytes = good;
        for (int flips = 1 + i % 8; flips > 0; --flips)
            bytes[bits() % bytes.size()] = static_cast<char>(bits());
        if (i % 3 == 0) bytes.assign(bits() % 4'000, static_cast<char>(bits()));
        Result<LoopDetector> restored = LoopDetector::restore(config, bytes);
        if (!restored) continue;
        ++restored_count;
        std::vector<LoopTelling> told;
        const test::CorpusSession& session =
            sessions[static_cast<std::size_t>(i) % sessions.size()];
        const auto events = session.script.in_arrival_order();
        for (std::size_t at = 0; at < std::min<std::size_t>(events.size(), 20); ++at)
            restored->observe(events[at].event, session.script.texts(), told);
        restored->tick(restored->last_event_at(), told);
        CHECK(restored->save().size() <= loop_state_bytes_max);
    }
    CHECK(restored_count > 100);
}

}  // namespace
}  // namespace spangate
