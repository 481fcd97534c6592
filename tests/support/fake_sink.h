// Sinks that do as the test says: keep every record until told, or store at once.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "deliver/sink_ledger.h"
#include "model/record.h"

namespace spangate::testing {

// What a sink got, copied, because records go away.
struct SentRecord {
    std::string session;
    std::string value;
    EventType type = EventType::other;
    EventClass event_class = EventClass::operational;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
};

class FakeSink final : public RecordSink {
  public:
    FakeSink(
        Metrics& metrics,
        WithdrawalListener& listener,
        bool is_required = true,
        std::string_view name = "fake"
    )
        : ledger_(metrics, name, is_required, listener) {}

    ~FakeSink() override { drain({}); }

    void send(std::span<OutboundRecord* const> records) override {
        ledger_.accept(records);
        std::vector<OutboundRecord*> kept(records.begin(), records.end());
        {
            const std::lock_guard lock(mutex_);
            for (const OutboundRecord* record : records) {
                sent_.push_back(
                    {std::string(record->key),
                     std::string(record->value_view()),
                     record->event_type,
                     record->event_class,
                     record->gateway_epoch,
                     record->gateway_seq}
                );
            }
            if (keeps_) {
                held_.insert(held_.end(), kept.begin(), kept.end());
                return;
            }
        }
        ledger_.store(kept);
    }

    [[nodiscard]] bool is_required() const override { return ledger_.is_required(); }

    [[nodiscard]] Refusal refusal() const override { return refusal_; }

    void drain(SteadyTime /*deadline*/) override { store_held(); }

    // From now on records stay open until store_held() or withdraw_held().
    void keep(bool keeps) { keeps_ = keeps; }

    void refuse(std::string_view reason) { refusal_.reason = reason; }

    void store_held() { ledger_.store(take()); }

    void withdraw_held(Settlement settlement = Settlement::retry_later) {
        ledger_.withdraw(
            take(), {settlement, WithdrawalReason::not_acknowledged, "the test said so", 3}
        );
    }

    [[nodiscard]] std::vector<SentRecord> sent() {
        const std::lock_guard lock(mutex_);
        return sent_;
    }

    // The same, and forgets them.
    [[nodiscard]] std::vector<SentRecord> take_sent() {
        const std::lock_guard lock(mutex_);
        return std::exchange(sent_, {});
    }

    [[nodiscard]] std::size_t held_count() {
        const std::lock_guard lock(mutex_);
        return held_.size();
    }

    [[nodiscard]] const SinkLedger& ledger() const { return ledger_; }

  private:
    std::vector<OutboundRecord*> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(held_, {});
    }

    SinkLedger ledger_;
    Refusal refusal_;
    std::mutex mutex_;
    bool keeps_ = false;
    std::vector<OutboundRecord*> held_;
    std::vector<SentRecord> sent_;
};

// Sessions in order of first appearance → the numbers they got, in order.
[[nodiscard]] inline std::map<std::string, std::vector<std::uint64_t>> seqs_by_session(
    const std::vector<SentRecord>& sent
) {
    std::map<std::string, std::vector<std::uint64_t>> seqs;
    for (const SentRecord& record : sent)
        seqs[record.session].push_back(record.seq);
    return seqs;
}

}  // namespace spangate::testing
