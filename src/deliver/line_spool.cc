// The line and its log: what goes in, and what comes out to the producer.
#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "deliver/line.h"
#include "deliver/line_texts.h"

namespace spangate {
namespace {

constexpr Millis disk_retry{1'000};

SpoolRecord to_spool(const OutboundRecord& record) {
    SpoolRecord kept;
    kept.event_class = record.event_class;
    kept.event_type = record.event_type;
    kept.source = record.source;
    kept.starts_event = record.starts_event;
    kept.is_evidence_key = record.is_evidence_key;
    kept.event_id = record.event_id;
    kept.timestamp_ms = record.timestamp_ms;
    kept.session_hash = record.session_hash;
    kept.gateway_epoch = record.gateway_epoch;
    kept.gateway_seq = record.gateway_seq;
    kept.tenant_id = record.tenant_id;
    kept.key = record.key;
    kept.traceparent = record.traceparent;
    kept.value = record.value_view();
    return kept;
}

std::uint64_t bytes_of(const OutboundRecord& record) {
    return record.key.size() + record.value_bytes;
}

}  // namespace

// in ──────────────────────────────────────────────────────────────────────────────────────────────

// One round: what waits is appended, fsynced once, and then its clients hear.
void Line::spool_round() {
    std::vector<OutboundRecord*> records = std::exchange(unsaved_, {});
    const std::vector<OutboundRecord*> waiting = take_pending();
    records.insert(records.end(), waiting.begin(), waiting.end());
    if (records.empty()) return;
    if (log_->records_count() == 0) oldest_timestamp_ms_ = records.front()->timestamp_ms;
    appended_.clear();
    std::span<OutboundRecord* const> left = records;
    Status status = append(left);
    if (Status synced = log_->sync(); !synced) {
        // Nothing of this round is sure.
        spool_refuses(appended_, synced.error());
        status = std::move(synced);
    } else if (!appended_.empty()) {
        disk_is_broken_.store(false, std::memory_order_relaxed);
        ledger_.spool(appended_);
    }
    if (!left.empty()) spool_refuses(left, status.error());
}

// Moves records from the front of `left` to appended_, until one does not fit.
Status Line::append(std::span<OutboundRecord* const>& left) {
    for (; !left.empty(); left = left.subspan(1)) {
        OutboundRecord* const record = left.front();
        const Status status = log_->append(to_spool(*record));
        if (status) {
            appended_.push_back(record);
        } else if (status.error().code == ErrorCode::too_large) {
            withdraw_one(
                *record, {Settlement::rejected, WithdrawalReason::too_large, too_large_, 0}
            );
        } else {
            return status;
        }
    }
    return {};
}

// For a second nothing new is admitted; what comes then is the next try.
void Line::spool_refuses(std::span<OutboundRecord* const> records, const Error& error) {
    const bool is_full = error.code == ErrorCode::unavailable;
    disk_is_broken_.store(!is_full, std::memory_order_relaxed);
    disk_refuses_until_.store(clock_.steady() + disk_retry, std::memory_order_relaxed);
    if (log_limit_.allows()) log_error("deliver", "{}: {}", name_, error.message);
    ledger_.withdraw(
        records,
        {Settlement::retry_later,
         is_full ? WithdrawalReason::spool_full : WithdrawalReason::spool_failed,
         is_full ? line_texts::spool_full : line_texts::spool_broken,
         retry_after_s_.load(std::memory_order_relaxed)}
    );
}

// out ─────────────────────────────────────────────────────────────────────────────────────────────

bool Line::has_window_room() const {
    return window_bytes_ < settings_.window_bytes_max && window_records_ < window_records_max &&
           letters_.size() < letters_max;
}

bool Line::has_tried_alone() const {
    return is_one_by_one_ && one_by_one_left_ == 0;
}

bool Line::is_read_through() const {
    return next_ == nullptr && unsaved_.empty() && log_->is_read_through();
}

void Line::fill_window() {
    while (has_window_room() && !fault_.any()) {
        if (next_ == nullptr && has_tried_alone()) break;
        OutboundRecord* const record =
            next_ != nullptr ? std::exchange(next_, nullptr) : read_one();
        if (record == nullptr || !lend(*record)) break;
    }
    slab_writer_.finish();  // a quiet line pins no slab
}

OutboundRecord* Line::read_one() {
    while (true) {
        Result<std::optional<SpoolEntry>> entry = log_->read_next();
        if (!entry) {
            numbers_.read_failures.add();
            if (log_limit_.allows()) log_error("deliver", "{}: {}", name_, entry.error().message);
            return nullptr;
        }
        if (!entry->has_value()) return nullptr;
        if (buried_entries_.contains((*entry)->entry_no)) continue;
        if (one_by_one_left_ > 0) --one_by_one_left_;
        oldest_timestamp_ms_ = (*entry)->record.timestamp_ms;
        return restore(**entry);
    }
}

// As the router made it, but for the slots: the numbers stand in the value.
OutboundRecord* Line::restore(const SpoolEntry& entry) {
    const SpoolRecord& kept = entry.record;
    const SlabPiece piece = slab_writer_.allocate(
        sizeof(OutboundRecord) + kept.tenant_id.size() + kept.key.size() + kept.traceparent.size() +
        kept.value.size()
    );
    auto* record = new (piece.bytes) OutboundRecord;
    char* at = piece.bytes + sizeof(OutboundRecord);
    const auto put = [&at](std::string_view text) {
        std::memcpy(at, text.data(), text.size());
        const std::string_view placed(at, text.size());
        at += text.size();
        return placed;
    };
    record->event_class = kept.event_class;
    record->event_type = kept.event_type;
    record->source = kept.source;
    record->starts_event = kept.starts_event;
    record->is_evidence_key = kept.is_evidence_key;
    record->event_id = kept.event_id;
    // It was received while our clock was ahead: brokers refuse what lies in their future.
    record->timestamp_ms = std::min(kept.timestamp_ms, clock_.wall_nanos() / 1'000'000);
    record->session_hash = kept.session_hash;
    record->gateway_epoch = kept.gateway_epoch;
    record->gateway_seq = kept.gateway_seq;
    record->tenant_id = put(kept.tenant_id);
    record->key = put(kept.key);
    record->traceparent = put(kept.traceparent);
    record->value = at;
    record->value_bytes = static_cast<std::uint32_t>(kept.value.size());
    put(kept.value);
    record->spool_entry_no = entry.entry_no;
    record->slab = piece.slab;
    return record;
}

// False: the producer takes no more for now.
bool Line::lend(OutboundRecord& record) {
    const std::optional<std::uint32_t> topic = topics_.index_of(record);
    if (!topic) {  // the tenants were others when it was spooled
        bury(record, WithdrawalReason::no_topic);
        return true;
    }
    const std::uint64_t bytes = bytes_of(record);
    record.sent_tick = open_.add();
    const std::uint32_t tick = record.sent_tick;
    const int code = producer_->produce(record, *topic);
    if (code == 0) {  // the record may be gone already
        ++window_records_;
        window_bytes_ += bytes;
        return true;
    }
    open_.remove(tick);
    const DeliveryError error = delivery_error(code);
    if (error.verdict == DeliveryVerdict::split) {
        bury(record, error.reason);
        return true;
    }
    next_ = &record;
    if (error.reason != WithdrawalReason::queue_full) {
        note(error, reason_of(error, record, code));
    }
    return false;
}

// Nothing of the log is open any more.
void Line::rewind() {
    SPANGATE_CHECK(window_records_ == 0);
    if (next_ != nullptr) std::exchange(next_, nullptr)->done();
    log_->rewind();
}

}  // namespace spangate
