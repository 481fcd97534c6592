// The line as the lanes see it.
#include "deliver/line.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "deliver/kafka_settings.h"
#include "deliver/line_texts.h"

namespace spangate {
namespace {

// The age at which an open record is given up on. With a log at four fifths of what the client
// waits, so that the fsync still fits; without one a little before it, because whoever comes back
// then must be refused at once.
Millis stall_limit(const LineSettings& settings, bool has_log) {
    const Millis wait = settings.ack_timeout;
    return has_log ? wait * 4 / 5 : std::max(wait / 2, wait - Millis(300));
}

}  // namespace

Line::Line(const LineSettings& settings, LineParts parts)
    : settings_(settings),
      topics_(std::move(parts.topics)),
      name_(spangate::name_of(settings.line)),
      stall_limit_(stall_limit(settings, parts.log != nullptr)),
      source_(std::move(parts.source)),
      log_(std::move(parts.log)),
      space_(parts.space),
      desk_(parts.desk),
      record_limits_(parts.record_limits),
      endings_(parts.endings),
      clock_(parts.clock),
      ledger_(parts.metrics, name_, settings.is_required, parts.listener),
      circuit_(parts.clock, line_texts::not_reached),
      too_large_(fmt::format(
          "a record is larger than Kafka takes (spangate's limit is {} bytes, a topic's is "
          "max.message.bytes)",
          record_bytes_max
      )),
      numbers_(parts.metrics, name_, line_state_names),
      state_(log_ != nullptr ? LineState::spooling : LineState::refusing),
      open_(stall_limit_),
      slab_writer_(parts.slabs) {}

Line::~Line() = default;

Status Line::open() {
    open_.advance(clock_.steady());
    if (log_ != nullptr) {
        look_into_log();
        enter(LineState::spooling);
    } else if (settings_.opens_late) {
        enter(LineState::collecting);
    } else {
        set_path(LanePath::refuse);
        enter(LineState::refusing);
    }
    if (settings_.opens_late) return {};
    return open_producer(false);
}

// lanes ───────────────────────────────────────────────────────────────────────────────────────────

void Line::send(std::span<OutboundRecord* const> records) {
    ledger_.accept(records.size());
    const auto lane = gate_.enter();
    switch (path_) {
        case LanePath::produce:
        case LanePath::queue:
            for (OutboundRecord* record : records)
                take(*record);
            return;
        case LanePath::refuse:
            refuse_all(records);
            return;
        case LanePath::closed:
            ledger_.withdraw(records, line_texts::stopped_withdrawal);
            return;
    }
}

// With the gate held.
void Line::take(OutboundRecord& record) {
    if (!topics_.index_of(record)) {
        withdraw_one(record, line_texts::no_topic_withdrawal);
        return;
    }
    // The caller holds the session's stripe, so numbers rise in the order of the session.
    record.delivery_no = next_delivery_no_.fetch_add(1, std::memory_order_relaxed);
    if (path_ == LanePath::produce) {
        offer(record);
    } else {
        queue(record);
    }
}

// With the gate held, shared or not.
void Line::offer(OutboundRecord& record) {
    if (is_diverted_.load(std::memory_order_relaxed)) {
        queue(record);
        return;
    }
    const std::uint32_t tick = open_.add();
    record.sent_tick = tick;
    const int code = producer_->produce(record, topics_.index_of(record).value_or(0));
    if (code == 0) return;  // the record may be gone already
    open_.remove(tick);
    take_refused(record, code);
}

void Line::take_refused(OutboundRecord& record, int code) {
    const DeliveryError error = delivery_error(code);
    if (error.verdict == DeliveryVerdict::split) {
        {
            const std::lock_guard lock(pending_mutex_);
            refused_.emplace_back(&record, error.reason);
        }
        nudge();
        return;
    }
    if (error.verdict == DeliveryVerdict::collect && log_ == nullptr) {
        withdraw_one(record, withdrawal_of(error));
        return;
    }
    diverted_code_.store(code, std::memory_order_relaxed);
    is_diverted_.store(true, std::memory_order_relaxed);
    queue(record);
    nudge();
}

// Bounded by what admission leases; the limit is for records that nobody waits for.
void Line::queue(OutboundRecord& record) {
    bool is_first = false;
    bool is_taken = false;
    {
        const std::lock_guard lock(pending_mutex_);
        is_first = pending_.empty();
        is_taken = pending_.size() < pending_max;
        if (is_taken) pending_.push_back(&record);
        has_met_record_ = true;
    }
    if (!is_taken) withdraw_one(record, line_texts::queue_withdrawal);
    if (is_first) nudge();
}

void Line::withdraw_one(OutboundRecord& record, const Withdrawal& withdrawal) {
    const std::array<OutboundRecord*, 1> records = {&record};
    ledger_.withdraw(records, withdrawal);
}

void Line::refuse_all(std::span<OutboundRecord* const> records) {
    const RecordSink::Refusal refusal = circuit_.refusal();
    const std::string_view reason =
        refusal.reason.empty() ? line_texts::not_in_time : refusal.reason;
    ledger_.withdraw(
        records,
        {Settlement::retry_later, WithdrawalReason::sink_refusing, reason, refusal.retry_after_s}
    );
}

Withdrawal Line::withdrawal_of(const DeliveryError& error) const {
    if (error.reason == WithdrawalReason::queue_full) return line_texts::queue_full_withdrawal;
    const RecordSink::Refusal refusal = circuit_.refusal();
    const bool is_silent =
        error.reason == WithdrawalReason::not_acknowledged || refusal.reason.empty();
    return {
        Settlement::retry_later,
        error.reason,
        is_silent ? line_texts::not_in_time : refusal.reason,
        std::max(refusal.retry_after_s, 1U)};
}

RecordSink::Refusal Line::refusal() const {
    if (is_stopping_.load(std::memory_order_relaxed)) return {line_texts::stopped, 1};
    if (log_ == nullptr) {
        const RecordSink::Refusal refusal = circuit_.refusal();
        // The circuit closes an instant before the way is free.
        const bool is_still_shut = refusal.reason.empty() && state() == LineState::refusing;
        return is_still_shut ? RecordSink::Refusal{line_texts::not_in_time, 1} : refusal;
    }
    if (state() == LineState::direct) return {};
    const std::uint32_t retry_after_s = retry_after_s_.load(std::memory_order_relaxed);
    if (clock_.steady() < disk_refuses_until_.load(std::memory_order_relaxed)) {
        const bool is_broken = disk_is_broken_.load(std::memory_order_relaxed);
        return {is_broken ? line_texts::spool_broken : line_texts::spool_full, retry_after_s};
    }
    if (space_ != nullptr && space_->bytes_left(settings_.line) < settings_.headroom_bytes) {
        return {line_texts::spool_full, retry_after_s};
    }
    return {};
}

// Whoever calls holds the gate, or is the line's thread.
void Line::nudge() {
    {
        const std::lock_guard lock(pending_mutex_);
        is_woken_ = true;
    }
    pending_came_.notify_one();
    if (producer_ != nullptr) producer_->wake();
}

void Line::wake() {
    const auto lane = gate_.enter();
    nudge();
}

void Line::rotate(std::unique_ptr<ProducerSource> source) {
    {
        const std::lock_guard lock(rotation_mutex_);
        next_source_ = std::move(source);
    }
    has_next_source_.store(true, std::memory_order_release);
    wake();
}

void Line::begin_stop(SteadyTime deadline) {
    const SteadyTime now = clock_.steady();
    const auto time = std::max(deadline - now, SteadyTime::duration{});
    // With a log, what is left must still reach it.
    const auto reserve =
        log_ == nullptr
            ? SteadyTime::duration{}
            : std::min(std::max(time / 5, SteadyTime::duration(Millis(1'000))), time / 2);
    stop_deadline_.store(deadline, std::memory_order_relaxed);
    close_at_.store(deadline - reserve, std::memory_order_relaxed);
    is_stopping_.store(true, std::memory_order_release);  // publishes the two
    wake();
}

}  // namespace spangate
