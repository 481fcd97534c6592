// The balancing ledger of the contract (§8), item side:
//
//   items_received{signal} = accepted + rejected{reason} + refused{reason}
//   accepted               = produced + dropped{reason}
//
// Exact whenever no request is under way. Thread-safe.
#pragma once

#include <map>
#include <string_view>

#include "model/request.h"
#include "model/ticket.h"
#include "observe/metrics.h"

namespace spangate {

class Ledger final : public TicketObserver {
  public:
    explicit Ledger(Metrics& metrics);

    // A request was decoded; its ticket will tell how its items end.
    void received(Signal signal, std::uint64_t items);

    void answered(const Outcome& outcome, const ItemCounts& items) override;

  private:
    Counter& received_traces_;
    Counter& received_logs_;
    Counter& accepted_;
    Counter& produced_;
    Counter& rejected_invalid_;
    Counter& rejected_request_;
    Counter& refused_unavailable_;
    Counter& refused_internal_;
    Counter& dropped_other_;
    Counter& dropped_partial_;
    Counter& dropped_duplicate_;
};

}  // namespace spangate
