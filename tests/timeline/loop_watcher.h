// A detector that looks at a script as it is written, and what it told so far.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "timeline/loop_detector.h"
#include "timeline/loop_script.h"

namespace spangate::test {

// Instrumentation that tells everything and nothing twice.
inline Instrumentation full_instrumentation() {
    return {};
}

class LoopWatcher {
  public:
    explicit LoopWatcher(LoopThresholds limits = {}, Instrumentation how = full_instrumentation())
        : script(1, how) {
        config.loops = limits;
    }

    // The tellings of what the script did since the last look.
    std::vector<LoopTelling> look() {
        const auto events = script.in_arrival_order();
        std::vector<LoopTelling> told;
        for (; seen_ < events.size(); ++seen_)
            detector.observe(events[seen_].event, script.texts(), told);
        return told;
    }

    // The severity that the signal was told with since the last look, the worst of them; else none.
    std::optional<Severity> look_for(LoopSignal signal) {
        std::optional<Severity> worst;
        for (const LoopTelling& telling : look()) {
            if (telling.signal != signal) continue;
            worst = std::max(worst.value_or(Severity::info), telling.severity);
            last = telling;
        }
        return worst;
    }

    GuardConfig config;
    LoopScript script;
    LoopDetector detector{config};
    LoopTelling last;

  private:
    std::size_t seen_ = 0;
};

}  // namespace spangate::test
