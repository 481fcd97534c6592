// The line's producer, its turn of the clock, and its end.
#include <algorithm>
#include <utility>

#include "deliver/line.h"
#include "deliver/line_texts.h"

namespace spangate {
namespace {

constexpr Millis open_retry{1'000};
constexpr Millis probe_timeout{1'000};
constexpr Millis reports_wait_max{5'000};  // after a purge, at the end
constexpr Millis progress_wait{2'000};     // without an acknowledgement, at the end
constexpr Millis tell_interval{1'000};
constexpr std::uint32_t retry_after_max_s = 60;

// Leaves room for a batch's framing; 0: the client's own default fits.
std::uint64_t batch_bytes_for(std::uint64_t record_bytes_max) {
    constexpr std::uint64_t client_default = 1'000'000;
    const std::uint64_t bytes = record_bytes_max - record_bytes_max / 16;
    return record_bytes_max == 0 || record_bytes_max >= client_default + 1'024 ? 0 : bytes;
}

}  // namespace

// the handle ──────────────────────────────────────────────────────────────────────────────────────

Status Line::open_producer(bool is_one_by_one) {
    const std::uint64_t batch_bytes = batch_bytes_for(record_bytes_max_);
    Result<std::unique_ptr<Producer>> made = source_->open({is_one_by_one, batch_bytes});
    if (!made) {
        next_open_ = clock_.steady() + open_retry;
        log_error("deliver", "{}: no Kafka producer: {}", name_, made.error().message);
        return tl::unexpected(std::move(made.error()));
    }
    is_one_by_one_ = is_one_by_one;
    batch_bytes_max_ = batch_bytes;
    const auto closed = gate_.close();
    producer_ = std::move(*made);
    return {};
}

bool Line::open_producer_if_due() {
    if (producer_ != nullptr) return true;
    if (clock_.steady() < next_open_) return false;
    return open_producer(one_by_one_left_ > 0).has_value();
}

// Before a rotation is taken: a producer's source is that with which it was made.
EndingProducer Line::take_producer() {
    const auto closed = gate_.close();
    return {source_, std::move(producer_)};
}

// Outside the gate: it may take its time here.
void Line::end(EndingProducer ending) {
    if (endings_ != nullptr) endings_->take(std::move(ending));
}

// With nothing open. False: there is no producer for now.
bool Line::suit_batches_to_topics() {
    if (batch_bytes_for(record_bytes_max_) == batch_bytes_max_) return true;
    end(take_producer());
    return open_producer(is_one_by_one_).has_value();
}

void Line::serve(Millis wait) {
    producer_->serve(wait, *this);
}

void Line::pause(Millis wait) {
    std::unique_lock lock(pending_mutex_);
    // Even a wait of nothing would give the core away.
    if (wait > Millis(0)) pending_came_.wait_for(lock, wait, [this] { return is_woken_; });
    is_woken_ = false;
}

void Line::ask_if_due() {
    if (circuit_.probe_is_due()) producer_->probe(probe_timeout);
}

// A line that opens late has no producer before its first record.
bool Line::is_waiting_for_first() {
    if (!settings_.opens_late || producer_ != nullptr || is_closing_) return false;
    if (log_ != nullptr && log_->records_count() > 0) return false;
    const std::lock_guard lock(pending_mutex_);
    return !has_met_record_;
}

// the clock ───────────────────────────────────────────────────────────────────────────────────────

bool Line::is_stalled() const {
    return open_.oldest_age() >= stall_limit_ && clock_.steady() >= stall_not_before_;
}

std::vector<OutboundRecord*> Line::take_pending() {
    const std::lock_guard lock(pending_mutex_);
    is_woken_ = false;
    return std::exchange(pending_, {});
}

std::vector<OutboundRecord*> Line::take_gathered() {
    std::vector<OutboundRecord*> records = std::exchange(collected_, {});
    const std::vector<OutboundRecord*> waiting = take_pending();
    records.insert(records.end(), waiting.begin(), waiting.end());
    std::sort(records.begin(), records.end(), [](const auto* a, const auto* b) {
        return a->delivery_no < b->delivery_no;
    });
    return records;
}

bool Line::has_rotation() const {
    return has_next_source_.load(std::memory_order_acquire);
}

// With no producer.
void Line::take_rotation() {
    if (!has_rotation()) return;
    numbers_.rotations.add();
    const std::lock_guard lock(rotation_mutex_);
    source_ = std::move(next_source_);
    has_next_source_.store(false, std::memory_order_relaxed);
    next_open_ = clock_.steady();
}

void Line::tell_gauges() {
    if (log_ == nullptr) return;
    ledger_.align_spooled(log_->records_count());
    const SteadyTime now = clock_.steady();
    if (now < next_tell_) return;
    next_tell_ = now + tell_interval;
    tell_drain(now);
    const std::int64_t wall_ms = clock_.wall_nanos() / 1'000'000;
    const bool is_known = log_->records_count() > 0 && oldest_timestamp_ms_ != 0;
    numbers_.oldest_age_s.set(
        is_known ? std::max<std::int64_t>(0, (wall_ms - oldest_timestamp_ms_) / 1'000) : 0
    );
}

// When to come back: when the drain has made room for one large request.
void Line::tell_drain(SteadyTime now) {
    if (state() != LineState::draining) {
        retry_after_s_.store(
            std::max(circuit_.refusal().retry_after_s, 1U), std::memory_order_relaxed
        );
        return;
    }
    const auto seconds = std::chrono::duration<double>(now - drain_since_).count();
    const double rate = seconds > 0 ? static_cast<double>(drained_bytes_) / seconds : 0;
    const double wait_s = rate > 0 ? static_cast<double>(settings_.headroom_bytes) / rate : 60;
    retry_after_s_.store(
        static_cast<std::uint32_t>(std::clamp<double>(wait_s, 1, retry_after_max_s)),
        std::memory_order_relaxed
    );
}

// What a former process left: how old it is.
void Line::look_into_log() {
    ledger_.align_spooled(log_->records_count());
    const Result<std::optional<SpoolEntry>> first = log_->read_next();
    if (first && first->has_value()) oldest_timestamp_ms_ = (*first)->record.timestamp_ms;
    log_->rewind();
}

// the end ─────────────────────────────────────────────────────────────────────────────────────────

void Line::watch_stop() {
    if (!is_stopping_.load(std::memory_order_acquire) || is_closing_) return;
    const bool is_time = clock_.steady() >= close_at_.load(std::memory_order_relaxed);
    if (!is_time && !has_nothing_to_wait_for()) return;
    is_closing_ = true;
    if (state() != LineState::collecting) {
        collect();
    } else if (!is_purged_ && producer_ != nullptr) {
        is_purged_ = true;
        producer_->purge();
    }
}

bool Line::has_nothing_to_wait_for() {
    for (const auto& [record, letter] : letters_) {
        if (letter.is_under_way) return false;
    }
    {
        const std::lock_guard lock(pending_mutex_);
        if (!pending_.empty() || !refused_.empty()) return false;
    }
    switch (state()) {
        case LineState::direct:
        case LineState::refusing:
            return open_.count() == 0;
        case LineState::spooling:
            // Once more it is asked whether Kafka is there.
            return log_->records_count() == 0 || has_asked_last_ || producer_ == nullptr;
        case LineState::draining:
            if (clock_.steady() - last_progress_ > progress_wait) return true;
            return log_->records_count() == 0 && open_.count() == 0;
        case LineState::collecting:
            return is_waiting_for_first();
        case LineState::splitting:
            return false;
    }
    return true;
}

bool Line::has_run_out_of_time() const {
    return is_closing_ &&
           clock_.steady() > stop_deadline_.load(std::memory_order_relaxed) + reports_wait_max;
}

// Nothing is open: what is left goes to the log, or back to its clients.
void Line::close(std::vector<OutboundRecord*> gathered, EndingProducer ending) {
    set_path(LanePath::closed);
    bury_refused();
    settle_letters();
    give_up_letters();
    if (log_ != nullptr) {
        unsaved_ = std::move(gathered);
        spool_round();
        if (const Status saved = log_->save_cursor(); !saved) {
            log_error("deliver", "{}: {}", name_, saved.error().message);
        }
    } else {
        const std::vector<OutboundRecord*> waiting = take_pending();
        gathered.insert(gathered.end(), waiting.begin(), waiting.end());
        ledger_.withdraw(gathered, line_texts::stopped_withdrawal);
    }
    if (const std::int64_t left = open_.count(); left > 0) {
        log_error("deliver", "{}: {} records had no report at the end", name_, left);
    }
    end(std::move(ending));
    is_stopped_.store(true, std::memory_order_release);
}

}  // namespace spangate
