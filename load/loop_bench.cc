// What watching a session costs: µs of CPU per event for the loop detector alone, bytes a session
// in memory and saved. The question: may one guard watch 100,000 sessions at once, and what share
// of a core does it take beside 100,000 events a second?
//
//     loop_bench [SESSIONS]     how many are watched at once; 20,000 when not told
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "timeline/loop_corpus.h"
#include "timeline/loop_detector.h"
#include "timeline/loop_state.h"

namespace spangate {
namespace {

constexpr int rounds = 7;

double thread_cpu_us() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double pages = 0;
    file >> pages >> pages;
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Pass {
    double us_per_event = 0;
    std::size_t events = 0;
    std::size_t told = 0;
    std::size_t saved_bytes = 0;
};

// Every session of the corpus once, each with a detector of its own.
Pass watch(const std::vector<test::CorpusSession>& sessions, const GuardConfig& config) {
    Pass pass;
    std::vector<LoopTelling> told;
    double us = 0;
    for (const test::CorpusSession& session : sessions) {
        const auto events = session.script.in_arrival_order();
        LoopDetector detector(config);
        const double before = thread_cpu_us();
        for (const auto& [event, step] : events)
            detector.observe(event, session.script.texts(), told);
        us += thread_cpu_us() - before;
        pass.events += events.size();
        pass.saved_bytes += detector.save().size();
    }
    pass.told = told.size();
    pass.us_per_event = us / static_cast<double>(pass.events);
    return pass;
}

void measure(std::size_t watched) {
    const GuardConfig config;
    for (const bool loops : {false, true}) {
        const auto sessions = loops ? test::looping_sessions(1, 15) : test::honest_sessions(1, 15);
        std::vector<double> costs;
        Pass pass;
        for (int round = 0; round < rounds; ++round) {
            pass = watch(sessions, config);
            costs.push_back(pass.us_per_event);
        }
        std::printf(
            "%-8s %6zu events, %4zu tellings: %.2f us per event, saved %zu bytes a session\n",
            loops ? "looping" : "honest",
            pass.events,
            pass.told,
            median(costs),
            pass.saved_bytes / sessions.size()
        );
    }
    const auto sessions = test::honest_sessions(1, 1);
    const double before = resident_bytes();
    std::vector<LoopDetector> detectors;
    detectors.reserve(watched);
    std::vector<LoopTelling> told;
    for (std::size_t i = 0; i < watched; ++i) {
        const test::CorpusSession& session = sessions[i % sessions.size()];
        detectors.emplace_back(config);
        detectors.back().observe(
            session.script.in_arrival_order().front().event, session.script.texts(), told
        );
    }
    std::printf(
        "%zu sessions watched: %.0f bytes each (the state is %zu)\n",
        watched,
        (resident_bytes() - before) / static_cast<double>(watched),
        sizeof(LoopState)
    );
}

}  // namespace
}  // namespace spangate

int main(int argc, char** argv) {
    spangate::measure(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000);
    return 0;
}
