// The ritual every sink follows with a record, in one place: count it, settle its ticket once, let
// it go. So the ledger of the contract (§8) balances by construction, per class and sink. A line of
// the Kafka sink, which has a spool besides, keeps its own (line_ledger.h).
//
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "deliver/ledger_series.h"
#include "deliver/withdrawal.h"
#include "model/event_type.h"
#include "model/record.h"
#include "observe/metrics.h"

namespace spangate {

// Why records are withdrawn and what their clients hear.
struct Withdrawal {
    Settlement settlement = Settlement::retry_later;
    WithdrawalReason reason = WithdrawalReason::refused;
    std::string_view message;  // for people; a literal, or bytes that outlive every ticket
    std::uint32_t retry_after_s = 1;
};

// Lets the records go and settles their tickets where `is_required`, neighbours with the same one
// together. Of `withdrawal`, only what the client hears matters here.
void settle_records(
    std::span<OutboundRecord* const> records, bool is_required, const Withdrawal& withdrawal
);

class SinkLedger {
  public:
    // `sink` is the label value: "kafka", "jsonl". With `is_required`, tickets are settled and
    // withdrawals are told here; what a sink that is not required misses is only counted.
    SinkLedger(
        Metrics& metrics, std::string_view sink, bool is_required, WithdrawalListener& listener
    );

    // At the start of RecordSink::send(), before any of them may be settled.
    void accept(std::span<OutboundRecord* const> records);

    // Each record of an accepted run goes through exactly one of these two, once; it may be gone
    // afterwards. Neighbours with the same ticket are settled together.
    void store(std::span<OutboundRecord* const> records);
    void withdraw(std::span<OutboundRecord* const> records, const Withdrawal& withdrawal);

    [[nodiscard]] bool is_required() const { return is_required_; }

    // Records accepted and not yet settled, all classes.
    [[nodiscard]] std::int64_t in_flight() const;

  private:
    using ClassCounts = std::array<std::uint64_t, event_classes_count>;

    [[nodiscard]] static ClassCounts count(std::span<OutboundRecord* const> records);

    const bool is_required_;
    WithdrawalListener& listener_;
    std::array<LedgerSeries, event_classes_count> classes_;
    WithdrawalCounters reasons_;
};

}  // namespace spangate
