// What a line counts beside its ledger. Counters without a class are those of all lines together.
#pragma once

#include <array>
#include <string_view>

#include "observe/metrics.h"

namespace spangate {

struct LineNumbers {
    LineNumbers(
        Metrics& metrics, std::string_view class_name, const std::array<std::string_view, 6>& states
    );

    Gauge& state;
    std::array<Counter*, 6> transitions{};
    Counter& splits;
    Counter& rebuilds;
    Counter& resent;
    Counter& rotations;
    Counter& drained_bytes;
    Counter& read_failures;
    Gauge& oldest_age_s;
    Gauge& circuit_is_open;
    Counter& circuit_opened;
    Counter& probes_failed;
};

}  // namespace spangate
