#include "deliver/sink_ledger.h"

namespace spangate {

SinkLedger::SinkLedger(
    Metrics& metrics, std::string_view sink, bool is_required, WithdrawalListener& listener
)
    : is_required_(is_required),
      listener_(listener) {
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        const Labels labels = {{"class", event_class_names[i]}, {"sink", sink}};
        ClassCounters& counters = classes_[i];
        counters.accepted = &metrics.counter(
            "spangate_records_accepted_total", "Records handed to a sink.", labels
        );
        counters.delivered = &metrics.counter(
            "spangate_records_delivered_total",
            "Records acknowledged by Kafka, or fsynced.",
            labels,
            ReadOrder::terminal
        );
        counters.withdrawn = &metrics.counter(
            "spangate_records_withdrawn_total",
            "Records that got a number and were then not stored; a gateway_gap event tells it.",
            labels,
            ReadOrder::terminal
        );
        counters.in_flight =
            &metrics.gauge("spangate_records_in_flight", "Records under way in a sink.", labels);
        // These stay zero until there is a spool and a dead-letter topic; the sum names them now.
        (void)metrics.counter(
            "spangate_records_dead_lettered_total",
            "Records replaced by a dead-letter record.",
            labels,
            ReadOrder::terminal
        );
        (void)metrics.counter(
            "spangate_records_recovered_total", "Records found in the spool at start.", labels
        );
        (void)metrics.gauge("spangate_records_spooled", "Records in the spool.", labels);
    }
    for (std::size_t i = 0; i < reasons_.size(); ++i) {
        reasons_[i] = &metrics.counter(
            "spangate_deliver_withdrawals_total",
            "Withdrawn records by reason.",
            {{"sink", sink}, {"reason", withdrawal_reason_names[i]}},
            ReadOrder::terminal
        );
    }
}

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
        classes_[i].accepted->add(counts[i]);
        classes_[i].in_flight->add(static_cast<std::int64_t>(counts[i]));
    }
}

void SinkLedger::store(std::span<OutboundRecord* const> records) {
    const ClassCounts counts = count(records);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        classes_[i].in_flight->add(-static_cast<std::int64_t>(counts[i]));
        classes_[i].delivered->add(counts[i]);
    }
    for (const OutboundRecord* record : records) {
        if (is_required_ && record->event_type == EventType::gateway_gap) {
            listener_.gap_stored(*record);
        }
    }
    settle(records, Settlement::stored, {}, 0);
}

void SinkLedger::withdraw(std::span<OutboundRecord* const> records, const Withdrawal& withdrawal) {
    const ClassCounts counts = count(records);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        classes_[i].in_flight->add(-static_cast<std::int64_t>(counts[i]));
        classes_[i].withdrawn->add(counts[i]);
    }
    reasons_[static_cast<std::size_t>(withdrawal.reason)]->add(records.size());
    for (const OutboundRecord* record : records) {
        if (is_required_) listener_.withdrawn(*record, withdrawal.reason);
    }
    settle(records, withdrawal.settlement, withdrawal.message, withdrawal.retry_after_s);
}

void SinkLedger::settle(
    std::span<OutboundRecord* const> records,
    Settlement settlement,
    std::string_view message,
    std::uint32_t retry_after_s
) const {
    for (std::size_t i = 0; i < records.size();) {
        Ticket* const ticket = records[i]->ticket;
        std::uint32_t holds = 0;
        for (; i < records.size() && records[i]->ticket == ticket; ++i, ++holds)
            records[i]->done();
        if (ticket == nullptr || !is_required_) continue;
        if (settlement != Settlement::stored) ticket->set_retry_after(retry_after_s);
        ticket->settle(settlement, message, holds);
    }
}

std::int64_t SinkLedger::in_flight() const {
    std::int64_t sum = 0;
    for (const ClassCounters& counters : classes_)
        sum += counters.in_flight->value();
    return sum;
}

}  // namespace spangate
