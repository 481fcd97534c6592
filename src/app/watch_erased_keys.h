// The gateway's ears for `spangate evidence erase`: what is erased is used no more.
#pragma once

#include <memory>
#include <vector>

#include "config/config.h"
#include "observe/metrics.h"
#include "pipeline/rules.h"
#include "session/erased_key_watch.h"

namespace spangate {

using ErasedKeyWatches = std::vector<std::unique_ptr<ErasedKeyWatch>>;

// One for each sink that stores keys; none where evidence is not sealed. `rules` and `metrics`
// outlive them.
[[nodiscard]] ErasedKeyWatches watch_erased_keys(
    const Config& config, const CurrentRules& rules, Metrics& metrics
);

}  // namespace spangate
