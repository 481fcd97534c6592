// What the producer tells a line, and the records that nobody will ever take.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include "deliver/kafka_settings.h"
#include "deliver/line.h"
#include "deliver/line_texts.h"

namespace spangate {
namespace {

constexpr Millis letter_retry{1'000};

std::string_view text_of(int code) {
    return rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code));
}

std::uint64_t bytes_of(const OutboundRecord& record) {
    return record.key.size() + record.value_bytes;
}

}  // namespace

// reports ─────────────────────────────────────────────────────────────────────────────────────────

void Line::reported(std::span<const DeliveryReport> reports) {
    stored_.clear();
    drained_.clear();
    for (std::size_t i = 0; i < reports.size();) {
        const std::uint32_t tick = reports[i].record->sent_tick;
        std::uint32_t count = 0;
        for (; i < reports.size() && reports[i].record->sent_tick == tick; ++i, ++count)
            sort_out(*reports[i].record, reports[i].code);
        open_.remove(tick, count);
    }
    if (stored_.empty() && drained_.empty()) return;
    rebuilds_without_ack_ = 0;
    last_progress_ = clock_.steady();
    circuit_.acknowledged();
    if (!stored_.empty()) ledger_.store(stored_);
    if (!drained_.empty()) finish_drained();
}

// The record stays where it is until all reports of the call are sorted, unless it failed.
void Line::sort_out(OutboundRecord& record, int code) {
    const bool is_from_log = record.spool_entry_no != 0;
    if (is_from_log) {
        --window_records_;
        window_bytes_ -= bytes_of(record);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        report_failed(record, code);
    } else if (is_from_log) {
        drained_.push_back(&record);
    } else {
        stored_.push_back(&record);
    }
}

void Line::finish_drained() {
    for (const OutboundRecord* record : drained_) {
        log_->acknowledge(record->spool_entry_no);
        drained_bytes_ += bytes_of(*record);
        numbers_.drained_bytes.add(bytes_of(*record));
    }
    ledger_.deliver_spooled(drained_);
}

void Line::report_failed(OutboundRecord& record, int code) {
    const DeliveryError error = delivery_error(code);
    if (error.verdict == DeliveryVerdict::split && is_one_by_one_) {
        fault_.asks_to_split = true;  // the others are still to be tried
        bury(record, error.reason);
        return;
    }
    if (error.verdict == DeliveryVerdict::collect && log_ == nullptr) {
        give_back(record, error, code);
        return;
    }
    note(error, reason_of(error, record, code));
    if (record.spool_entry_no != 0) {
        ++released_;
        record.done();  // it still stands in the log
    } else {
        collected_.push_back(&record);
    }
}

// Without a log: to its client, and others are refused at once.
void Line::give_back(OutboundRecord& record, const DeliveryError& error, int code) {
    const std::string reason = reason_of(error, record, code);
    if (state() == LineState::direct) {
        refuse(reason);
    } else {
        open_circuit(reason);
    }
    withdraw_one(record, withdrawal_of(error));
}

// Empty: Kafka is silent, and the circuit tells for how long.
std::string Line::reason_of(const DeliveryError& error, const OutboundRecord& record, int code)
    const {
    if (error.verdict != DeliveryVerdict::collect) return std::string(text_of(code));
    if (error.reason == WithdrawalReason::not_acknowledged) return {};
    return fmt::format(
        "Kafka refuses records for topic {}: {}", topics_.name_of(record), text_of(code)
    );
}

void Line::note(const DeliveryError& error, std::string reason) {
    switch (error.verdict) {
        case DeliveryVerdict::stored:
        case DeliveryVerdict::purged:
            return;
        case DeliveryVerdict::collect:
            if (error.reason == WithdrawalReason::queue_full) {
                fault_.is_flooded = true;
            } else {
                fault_.asks_to_wait = true;
            }
            break;
        case DeliveryVerdict::split:
            fault_.asks_to_split = true;
            break;
        case DeliveryVerdict::rebuild:
            fault_.is_broken = true;
            break;
    }
    if (fault_.reason.empty()) fault_.reason = std::move(reason);
}

void Line::note_diverted() {
    if (!is_diverted_.load(std::memory_order_relaxed)) return;
    const int code = diverted_code_.load(std::memory_order_relaxed);
    note(delivery_error(code), std::string(text_of(code)));
}

void Line::broke(std::string_view what) {
    fault_.is_broken = true;
    if (fault_.reason.empty()) fault_.reason = what;
}

// probes ──────────────────────────────────────────────────────────────────────────────────────────

void Line::probed(const ProbeAnswer& answer) {
    is_limit_asked_ = false;
    if (answer.record_bytes_max > 0) learn_limit(answer.record_bytes_max);
    if (!circuit_.is_open()) return;
    if (!answer.status) {
        numbers_.probes_failed.add();
        has_asked_last_ = is_stopping_.load(std::memory_order_relaxed);
        const Error& error = answer.status.error();
        const bool is_specific = error.code != ErrorCode::unavailable;
        circuit_.probe_failed(is_specific ? error.message : std::string_view());
        if (log_limit_.allows()) log_warn("deliver", "{}: {}", name_, error.message);
        return;
    }
    if (!circuit_.probe_passed()) return;
    numbers_.circuit_is_open.set(0);
    log_info("deliver", "{}: Kafka takes records", name_);
}

// Our own client takes no larger records, whatever the brokers would take.
void Line::learn_limit(std::uint64_t bytes) {
    record_bytes_max_ = bytes;
    if (record_limits_ == nullptr || settings_.line != SpoolLine::evidence) return;
    record_limits_->evidence_bytes.store(
        std::min<std::uint64_t>(bytes, record_bytes_max), std::memory_order_relaxed
    );
}

void Line::open_circuit(std::string_view reason) {
    if (!circuit_.open(reason)) return;
    numbers_.circuit_opened.add();
    numbers_.circuit_is_open.set(1);
    log_warn(
        "deliver",
        "{}: {}; {} until a probe passes",
        name_,
        circuit_.refusal().reason,
        log_ != nullptr ? "records are spooled" : "new requests are refused"
    );
}

// dead letters ────────────────────────────────────────────────────────────────────────────────────

void Line::bury_refused() {
    std::vector<std::pair<OutboundRecord*, WithdrawalReason>> refused;
    {
        const std::lock_guard lock(pending_mutex_);
        refused.swap(refused_);
    }
    for (const auto& [record, reason] : refused)
        bury(*record, reason);
}

void Line::bury(OutboundRecord& record, WithdrawalReason reason) {
    if (record.spool_entry_no != 0) buried_entries_.insert(record.spool_entry_no);
    Letter& letter = letters_[&record];
    letter.reason = reason;
    rebuilds_without_ack_ = 0;  // it is progress, too
    if (log_limit_.allows()) {
        log_warn(
            "deliver",
            "{}: a record of {} bytes can never be delivered ({})",
            name_,
            record.value_bytes,
            spangate::name_of(reason)
        );
    }
    send_letter(record, letter);
}

void Line::send_letter(OutboundRecord& record, Letter& letter) {
    letter.is_under_way = true;
    if (desk_ == nullptr) {
        letter_box_->put({&record, false});
        return;
    }
    desk_->take(record, letter.reason, std::make_unique<LetterReceipt>(letter_box_, &record));
}

void Line::settle_letters() {
    for (const LetterBox::Answer& answer : letter_box_->take()) {
        const auto letter = letters_.find(answer.lost);
        if (letter == letters_.end()) continue;  // given up at the end
        // What is in the log waits there until its letter is durable.
        if (!answer.is_stored && desk_ != nullptr && answer.lost->spool_entry_no != 0) {
            letter->second.is_under_way = false;
            letter->second.next_try = clock_.steady() + letter_retry;
            continue;
        }
        const WithdrawalReason reason = letter->second.reason;
        letters_.erase(letter);
        settle_lost(*answer.lost, reason, answer.is_stored);
    }
    for (auto& [record, letter] : letters_) {
        if (!letter.is_under_way && clock_.steady() >= letter.next_try) {
            send_letter(*record, letter);
        }
    }
}

void Line::settle_lost(OutboundRecord& record, WithdrawalReason reason, bool has_letter) {
    if (const std::uint64_t entry_no = record.spool_entry_no; entry_no != 0) {
        log_->acknowledge(entry_no);
        buried_entries_.erase(entry_no);
        if (has_letter) {
            ledger_.bury_spooled(record, reason);
        } else {
            ledger_.withdraw_spooled(record, reason);
        }
        return;
    }
    const std::string_view text = burial_text(reason);
    if (has_letter) {
        ledger_.bury(record, reason, text);
    } else {
        withdraw_one(record, {Settlement::rejected, reason, text, 0});
    }
}

// At the end: what came from the log stays there, the rest goes back to its clients.
void Line::give_up_letters() {
    for (const auto& [record, letter] : letters_) {
        if (record->spool_entry_no != 0) {
            record->done();
        } else {
            withdraw_one(
                *record, {Settlement::rejected, letter.reason, burial_text(letter.reason), 0}
            );
        }
    }
    letters_.clear();
}

std::string_view Line::burial_text(WithdrawalReason reason) const {
    if (reason == WithdrawalReason::too_large) return too_large_;
    return reason == WithdrawalReason::no_topic ? line_texts::no_topic : line_texts::invalid;
}

}  // namespace spangate
