// Many seeds, each a world of its own (simulation.h). README.md here says how to look at one.
//
//   SPANGATE_SIMULATION_SEEDS=200000     how many, instead of what a test run has time for
//   SPANGATE_SIMULATION_FIRST=1          where they begin
//   SPANGATE_SIMULATION_SEED=4711        this one only, told step by step
#include "simulation/simulation.h"

#include <array>
#include <cstdlib>
#include <ctime>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "observe/log.h"

namespace spangate::simulation {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// About a minute of one core.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::uint64_t seeds_usual = 100'000;
#else
constexpr std::uint64_t seeds_usual = 2'000;
#endif

struct Totals {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::uint64_t spooled = 0;
    std::uint64_t letters = 0;
    std::uint64_t crashes = 0;
    double healing_s_max = 0;
    std::array<std::uint64_t, line_state_names.size()> entered{};

    void add(const Verdict& verdict) {
        accepted += verdict.accepted;
        refused += verdict.refused;
        spooled += verdict.spooled;
        letters += verdict.letters;
        crashes += verdict.crashes;
        healing_s_max = std::max(healing_s_max, verdict.healing_s);
        for (std::size_t i = 0; i < entered.size(); ++i)
            entered[i] += verdict.entered[i];
    }

    void print(std::uint64_t seeds, double seconds) const {
        fmt::print(
            "simulation: {} seeds in {:.1f} s of CPU ({:.0f}/s): {} records acknowledged ({} "
            "through the spool), {} refusals, {} dead letters, {} crashes; at rest after {:.1f} s "
            "at most; states entered:",
            seeds,
            seconds,
            static_cast<double>(seeds) / seconds,
            accepted,
            spooled,
            refused,
            letters,
            crashes,
            healing_s_max
        );
        for (std::size_t i = 0; i < entered.size(); ++i)
            fmt::print(" {} {}", line_state_names[i], entered[i]);
        fmt::print("\n");
    }
};

}  // namespace

TEST_CASE("whatever breaks, nothing acknowledged is lost, reordered, or left waiting") {
    set_up_log("off", "text");
    if (const std::uint64_t seed = number_from("SPANGATE_SIMULATION_SEED", 0); seed > 0) {
        const Verdict verdict = Simulation(seed, Mutant::none, true).run();
        CHECK(verdict.wrong == "");
        return;
    }
    const std::uint64_t first = number_from("SPANGATE_SIMULATION_FIRST", 1);
    const std::uint64_t count = number_from("SPANGATE_SIMULATION_SEEDS", seeds_usual);
    Totals totals;
    std::uint64_t failures = 0;
    const std::clock_t begin = std::clock();
    std::uint64_t seed = first;
    while (seed < first + count && failures < 10) {
        const Verdict verdict = Simulation(seed++).run();
        totals.add(verdict);
        if (verdict.wrong.empty()) continue;
        FAIL_CHECK("seed " << seed - 1 << ": " << verdict.wrong);
        ++failures;
    }
    totals.print(seed - first, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
}

// The checks must be able to fail, and soon.
TEST_CASE("a world that is wrong on purpose is found out within a few seeds") {
    set_up_log("off", "text");

    struct Case {
        Mutant mutant;
        const char* name;
    };

    const std::array cases = {
        Case{Mutant::broker_loses, "Kafka acknowledges and loses"},
        Case{Mutant::log_skips_sync, "the log says durable and is not"},
        Case{Mutant::gathers_unsorted, "gathered records keep the order of their reports"},
        Case{Mutant::broker_swaps, "Kafka swaps records"},
        Case{Mutant::producer_doubles, "a report comes twice"},
    };
    constexpr std::uint64_t seeds_max = 30;
    for (const Case& told : cases) {
        std::string wrong;
        for (std::uint64_t seed = 1; wrong.empty() && seed <= seeds_max; ++seed)
            wrong = Simulation(seed, told.mutant).run().wrong;
        INFO(told.name);
        CHECK_FALSE(wrong.empty());
    }
}

TEST_CASE("worlds in which a former version failed hold") {
    set_up_log("off", "text");

    struct Regression {
        std::uint64_t seed;
        const char* story;
    };

    const std::array regressions = {
        Regression{26, "dead letters waited for ever when the spool had no room"},
        Regression{161, "dead letters waited for ever when the spool had no room"},
        Regression{11854, "one-record batches never ended after a split of the log"},
        Regression{25521, "one-record batches never ended after a split of the log"},
        Regression{13194, "a file that could not be removed cost a later round"},
        Regression{29227, "a file that could not be removed cost a later round"},
        Regression{97456, "bytes of a lost round that could not be cut off were not counted"},
    };
    for (const Regression& regression : regressions) {
        INFO("seed " << regression.seed << ": " << regression.story);
        CHECK(Simulation(regression.seed).run().wrong == "");
    }
}

TEST_CASE("one seed is one run") {
    set_up_log("off", "text");
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        CHECK(Simulation(seed).run().digest == Simulation(seed).run().digest);
    }
}

}  // namespace spangate::simulation
