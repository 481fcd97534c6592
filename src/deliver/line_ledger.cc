#include "deliver/line_ledger.h"

#include <array>

namespace spangate {

LineLedger::LineLedger(
    Metrics& metrics, std::string_view class_name, bool is_required, WithdrawalListener* listener
)
    : is_required_(is_required),
      listener_(listener),
      series_(metrics, "kafka", class_name),
      withdrawals_(withdrawal_counters(metrics, "kafka")) {
    for (std::size_t i = 0; i < withdrawal_reason_names.size(); ++i) {
        dead_letters_[i] = &metrics.counter(
            "spangate_deliver_dead_letters_total",
            "Records replaced by a dead letter, by reason.",
            {{"class", class_name}, {"reason", withdrawal_reason_names[i]}}
        );
    }
}

void LineLedger::accept(std::uint64_t count) {
    series_.accepted.add(count);
    series_.in_flight.add(static_cast<std::int64_t>(count));
}

void LineLedger::store(std::span<OutboundRecord* const> records) {
    series_.in_flight.add(-static_cast<std::int64_t>(records.size()));
    series_.delivered.add(records.size());
    tell_stored(records);
    settle_records(records, is_required_, {Settlement::stored, {}, {}, 0});
}

void LineLedger::spool(std::span<OutboundRecord* const> records) {
    series_.in_flight.add(-static_cast<std::int64_t>(records.size()));
    series_.spooled.add(static_cast<std::int64_t>(records.size()));
    tell_stored(records);
    settle_records(records, is_required_, {Settlement::stored, {}, {}, 0});
}

void LineLedger::withdraw(std::span<OutboundRecord* const> records, const Withdrawal& withdrawal) {
    series_.in_flight.add(-static_cast<std::int64_t>(records.size()));
    series_.withdrawn.add(records.size());
    withdrawals_[static_cast<std::size_t>(withdrawal.reason)]->add(records.size());
    for (const OutboundRecord* record : records)
        tell_lost(*record, withdrawal.reason);
    settle_records(records, is_required_, withdrawal);
}

void LineLedger::bury(OutboundRecord& record, WithdrawalReason reason, std::string_view message) {
    series_.in_flight.add(-1);
    series_.dead_lettered.add();
    dead_letters_[static_cast<std::size_t>(reason)]->add();
    tell_lost(record, reason);
    const std::array<OutboundRecord*, 1> records = {&record};
    settle_records(records, is_required_, {Settlement::rejected, reason, message, 0});
}

void LineLedger::deliver_spooled(std::span<OutboundRecord* const> records) {
    series_.spooled.add(-static_cast<std::int64_t>(records.size()));
    series_.delivered.add(records.size());
    for (OutboundRecord* record : records)
        record->done();
}

void LineLedger::bury_spooled(OutboundRecord& record, WithdrawalReason reason) {
    series_.spooled.add(-1);
    series_.dead_lettered.add();
    dead_letters_[static_cast<std::size_t>(reason)]->add();
    tell_lost(record, reason);
    record.done();
}

void LineLedger::withdraw_spooled(OutboundRecord& record, WithdrawalReason reason) {
    series_.spooled.add(-1);
    series_.withdrawn.add();
    withdrawals_[static_cast<std::size_t>(reason)]->add();
    tell_lost(record, reason);
    record.done();
}

void LineLedger::align_spooled(std::uint64_t count) {
    const std::int64_t more = static_cast<std::int64_t>(count) - series_.spooled.value();
    if (more == 0) return;
    series_.spooled.add(more);
    if (more > 0) {
        series_.recovered.add(static_cast<std::uint64_t>(more));
        return;
    }
    series_.withdrawn.add(static_cast<std::uint64_t>(-more));
    withdrawals_[static_cast<std::size_t>(WithdrawalReason::spool_damaged)]->add(
        static_cast<std::uint64_t>(-more)
    );
}

void LineLedger::tell_stored(std::span<OutboundRecord* const> records) {
    if (listener_ == nullptr) return;
    for (const OutboundRecord* record : records) {
        if (record->event_type == EventType::gateway_gap) listener_->gap_stored(*record);
    }
}

void LineLedger::tell_lost(const OutboundRecord& record, WithdrawalReason reason) {
    if (listener_ != nullptr) listener_->withdrawn(record, reason);
}

}  // namespace spangate
