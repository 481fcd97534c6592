// The series of the delivery ledger (contract §8), registered alike by every sink:
//
//   records_accepted + recovered = delivered + spooled + dead_lettered + withdrawn + in_flight
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "deliver/withdrawal.h"
#include "observe/metrics.h"

namespace spangate {

// Of one class (or line) and sink. The metrics outlive it.
struct LedgerSeries {
    LedgerSeries(Metrics& metrics, std::string_view sink, std::string_view class_name);

    Counter& accepted;
    Counter& recovered;
    Counter& delivered;
    Counter& dead_lettered;
    Counter& withdrawn;
    Gauge& in_flight;
    Gauge& spooled;
};

// One for each WithdrawalReason, of all classes of the sink together.
using WithdrawalCounters = std::array<Counter*, withdrawal_reason_names.size()>;

[[nodiscard]] WithdrawalCounters withdrawal_counters(Metrics& metrics, std::string_view sink);

}  // namespace spangate
