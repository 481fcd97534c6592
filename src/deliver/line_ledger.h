// The ledger of one line (contract §8), and the ritual that goes with each entry: count the record,
// settle its ticket once, let it go. Two ways to the end:
//
//   accept ─▶ in_flight ─▶ store: delivered
//                     ├──▶ withdraw
//                     ├──▶ bury: dead_lettered
//                     └──▶ spool: spooled ─▶ deliver_spooled: delivered
//   recover ─────────────────────▶ spooled ─▶ bury_spooled: dead_lettered
//
// Thread-safe; what concerns the spool is the line's thread's.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "deliver/ledger_series.h"
#include "deliver/sink_ledger.h"
#include "deliver/withdrawal.h"
#include "model/record.h"
#include "observe/metrics.h"

namespace spangate {

class LineLedger {
  public:
    // `class_name` is the label value. With `is_required` the sink's tickets are settled here; a
    // listener, where there is one, hears of what gets no place: it outlives the ledger.
    LineLedger(
        Metrics& metrics,
        std::string_view class_name,
        bool is_required,
        WithdrawalListener* listener
    );

    void accept(std::uint64_t count);

    // The records may be gone afterwards. Neighbours with the same ticket are settled together.
    void store(std::span<OutboundRecord* const> records);
    void spool(std::span<OutboundRecord* const> records);
    void withdraw(std::span<OutboundRecord* const> records, const Withdrawal& withdrawal);

    // Replaced by a dead letter, which is stored; its client hears `message`.
    void bury(OutboundRecord& record, WithdrawalReason reason, std::string_view message);

    // Records read back from the spool; bury_spooled() lets the record go, deliver_spooled() too.
    void deliver_spooled(std::span<OutboundRecord* const> records);
    void bury_spooled(OutboundRecord& record, WithdrawalReason reason);
    void withdraw_spooled(OutboundRecord& record, WithdrawalReason reason);

    // The spool holds `count` records now: what is more was found, what is less was damaged.
    void align_spooled(std::uint64_t count);

    [[nodiscard]] std::int64_t in_flight() const { return series_.in_flight.value(); }

    [[nodiscard]] std::int64_t spooled() const { return series_.spooled.value(); }

  private:
    void tell_stored(std::span<OutboundRecord* const> records);
    void tell_lost(const OutboundRecord& record, WithdrawalReason reason);

    const bool is_required_;
    WithdrawalListener* const listener_;
    LedgerSeries series_;
    WithdrawalCounters withdrawals_;
    std::array<Counter*, withdrawal_reason_names.size()> dead_letters_{};
};

}  // namespace spangate
