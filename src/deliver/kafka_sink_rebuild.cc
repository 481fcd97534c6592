// The part of the Kafka sink that replaces a broken producer; all on the sink's thread.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "deliver/kafka_sink.h"

namespace spangate {
namespace {

constexpr Millis rebuild_retry{1'000};

}  // namespace

void KafkaSink::broke(std::string_view what) {
    if (is_rebuilding_) return;
    is_broken_.store(true, std::memory_order_relaxed);
    {
        const std::lock_guard turn(turnstile_);
        const std::unique_lock gate(gate_);
        is_rebuilding_ = true;  // from here on nobody but this thread touches producer_
    }
    rebuilds_.add();
    log_error("deliver", "the Kafka producer broke ({}); building a new one", what);
    producer_->purge();
}

void KafkaSink::advance_rebuild() {
    if (producer_ != nullptr) {
        producer_->serve(serve_wait, *this);
        // Every report first: what is still open could be acknowledged behind our back.
        if (open_count_.load(std::memory_order_relaxed) > 0) return;
        producer_.reset();  // the old handle goes before the new one comes
    }
    if (clock_.steady() < next_rebuild_) {
        pause(serve_wait);
        return;
    }
    Result<std::unique_ptr<KafkaProducer>> made = KafkaProducer::open(context_);
    if (!made) {
        log_error("deliver", "no new Kafka producer: {}", made.error().message);
        open_circuit("the Kafka producer cannot be replaced");
        next_rebuild_ = clock_.steady() + rebuild_retry;
        return;
    }
    producer_ = std::move(*made);
    resend();
}

// Oldest first, before a sender can bring anything younger.
void KafkaSink::resend() {
    const bool gives_up = ++rebuilds_without_ack_ > rebuilds_max;
    std::vector<OutboundRecord*> records;
    {
        const std::lock_guard turn(turnstile_);
        const std::unique_lock gate(gate_);
        records = take_collected();
        is_rebuilding_ = false;
        is_broken_.store(false, std::memory_order_relaxed);
        if (!gives_up) {
            resent_.add(records.size());
            for (OutboundRecord* record : records) {
                const auto topic = topic_of(*record);
                SPANGATE_CHECK(topic.has_value());  // it had one when it was sent
                offer(*record, *topic);
            }
            return;
        }
    }
    rebuilds_without_ack_ = 0;
    open_circuit("the Kafka producer broke several times in a row");
    ledger_.withdraw(
        records, {Settlement::retry_later, WithdrawalReason::not_acknowledged, not_in_time, 5}
    );
}

std::vector<OutboundRecord*> KafkaSink::take_collected() {
    std::vector<OutboundRecord*> records = std::exchange(collected_, {});
    {
        const std::lock_guard lock(held_mutex_);
        records.insert(records.end(), held_.begin(), held_.end());
        held_.clear();
    }
    std::sort(records.begin(), records.end(), [](const auto* a, const auto* b) {
        return std::tie(a->event_class, a->delivery_no) < std::tie(b->event_class, b->delivery_no);
    });
    return records;
}

}  // namespace spangate
