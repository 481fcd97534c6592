// Sessions that loop and sessions that only look so: the quality corpus of the loop detector.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "timeline/loop_script.h"

namespace spangate::test {

struct CorpusSession {
    std::string kind;
    bool is_loop = false;
    std::uint64_t seed = 0;
    LoopScript script;
};

// `each` sessions of each kind.
[[nodiscard]] std::vector<CorpusSession> looping_sessions(std::uint64_t seed, int each);
[[nodiscard]] std::vector<CorpusSession> honest_sessions(std::uint64_t seed, int each);

// How a client tells a session, by chance.
[[nodiscard]] Instrumentation any_instrumentation(std::uint64_t seed);

// Healthy work: thoughts and calls that bring something new.
void work(LoopScript& script, int steps);

}  // namespace spangate::test
