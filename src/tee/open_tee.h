// exporters.otlp → a tee with the senders of its protocol.
#pragma once

#include <memory>
#include <vector>

#include "base/memory_budget.h"
#include "base/result.h"
#include "config/config.h"
#include "model/request.h"
#include "observe/metrics.h"
#include "tee/tee.h"
#include "tee/tee_sender.h"

namespace spangate {

// Fails when the endpoint is none, or TLS is asked for and the system's CAs cannot be loaded. The
// endpoint need not be there yet.
[[nodiscard]] Result<std::vector<std::unique_ptr<TeeSender>>> open_senders(
    const OtlpTeeConfig& config
);

// Starts a tee before `inbox`, which outlives it, as do `budget` and `metrics`.
[[nodiscard]] Result<std::unique_ptr<Tee>> open_tee(
    const OtlpTeeConfig& config, RequestInbox& inbox, MemoryBudget& budget, Metrics& metrics
);

}  // namespace spangate
