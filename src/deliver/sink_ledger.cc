#include "deliver/sink_ledger.h"

namespace spangate {

SinkLedger::SinkLedger(
    Metrics& metrics, std::string_view sink, bool is_required, WithdrawalListener& listener
)
    : is_required_(is_required),
      listener_(listener),
      classes_{
          LedgerSeries(metrics, sink, event_class_names[0]),
          LedgerSeries(metrics, sink, event_class_names[1]),
          LedgerSeries(metrics, sink, event_class_names[2])},
      reasons_(withdrawal_counters(metrics, sink)) {}

SinkLedger::ClassCounts SinkLedger::count(std::span<OutboundRecord* const> records) {
    ClassCounts counts{};
    for (const OutboundRecord* record : records)
        ++counts[static_cast<std::size_t>(record->event_class)];
    return counts;
}

void SinkLedger::accept(std::span<OutboundRecord* const> records) {
    const ClassCounts counts = count(records);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        classes_[i].accepted.add(counts[i]);
        classes_[i].in_flight.add(static_cast<std::int64_t>(counts[i]));
    }
}

void SinkLedger::store(std::span<OutboundRecord* const> records) {
    const ClassCounts counts = count(records);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        classes_[i].in_flight.add(-static_cast<std::int64_t>(counts[i]));
        classes_[i].delivered.add(counts[i]);
    }
    for (const OutboundRecord* record : records) {
        if (is_required_ && record->event_type == EventType::gateway_gap) {
            listener_.gap_stored(*record);
        }
    }
    settle_records(records, is_required_, {Settlement::stored, {}, {}, 0});
}

void SinkLedger::withdraw(std::span<OutboundRecord* const> records, const Withdrawal& withdrawal) {
    const ClassCounts counts = count(records);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        classes_[i].in_flight.add(-static_cast<std::int64_t>(counts[i]));
        classes_[i].withdrawn.add(counts[i]);
    }
    reasons_[static_cast<std::size_t>(withdrawal.reason)]->add(records.size());
    for (const OutboundRecord* record : records) {
        if (is_required_) listener_.withdrawn(*record, withdrawal.reason);
    }
    settle_records(records, is_required_, withdrawal);
}

void settle_records(
    std::span<OutboundRecord* const> records, bool is_required, const Withdrawal& withdrawal
) {
    for (std::size_t i = 0; i < records.size();) {
        Ticket* const ticket = records[i]->ticket;
        std::uint32_t holds = 0;
        for (; i < records.size() && records[i]->ticket == ticket; ++i, ++holds)
            records[i]->done();
        if (ticket == nullptr || !is_required) continue;
        if (withdrawal.settlement != Settlement::stored) {
            ticket->set_retry_after(withdrawal.retry_after_s);
        }
        ticket->settle(withdrawal.settlement, withdrawal.message, holds);
    }
}

std::int64_t SinkLedger::in_flight() const {
    std::int64_t sum = 0;
    for (const LedgerSeries& series : classes_)
        sum += series.in_flight.value();
    return sum;
}

}  // namespace spangate
