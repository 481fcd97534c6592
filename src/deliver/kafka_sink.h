// Records → Kafka. One thread serves reports, the circuit and the rebuilding of the producer.
//
//   send() ──▶ librdkafka ──report──▶ acknowledged: stored
//                                     expired, refused: withdrawn, the circuit opens
//                                     producer broke: collected
//
//   producer broke: purge, gather every open report, destroy the old handle, make a new one, send
//   the collected records and those held meanwhile in order of delivery_no, then go on. Nothing
//   younger overtakes. Records reported as purged may be in the log all the same; they are sent
//   again with the same event_id. After `rebuilds_max` without one acknowledgement between them the
//   records are withdrawn and the circuit opens.
//
// While the circuit is open send() withdraws at once. It starts open: ready is who has seen the
// leaders of all partitions of its topics.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "deliver/circuit.h"
#include "deliver/delivery_error.h"
#include "deliver/kafka_producer.h"
#include "deliver/sink_ledger.h"
#include "model/record.h"
#include "model/record_limits.h"
#include "observe/health.h"
#include "observe/metrics.h"

namespace spangate {

struct KafkaSinkSettings {
    KafkaConfig kafka;
    ProducerLimits limits;
    bool is_required = true;
    std::string client_id = "spangate";
    bool has_evidence_keys = false;         // evidence is encrypted
    RecordLimits* record_limits = nullptr;  // told what the topics take; outlives the sink
};

class KafkaSink final : public RecordSink, private ProducerEvents {
  public:
    static constexpr std::uint32_t rebuilds_max = 3;
    static constexpr std::size_t held_max = 100'000;

    // Does not wait for a broker. The other arguments outlive the sink.
    [[nodiscard]] static Result<std::unique_ptr<KafkaSink>> open(
        const KafkaSinkSettings& settings,
        WithdrawalListener& listener,
        Health& health,
        const Clock& clock,
        Metrics& metrics
    );

    ~KafkaSink() override;

    void send(std::span<OutboundRecord* const> records) override;

    [[nodiscard]] bool is_required() const override { return ledger_.is_required(); }

    [[nodiscard]] Refusal refusal() const override;
    void drain(SteadyTime deadline) override;

    // Makes librdkafka report a fatal error, as a broken broker state would: for fault drills.
    void break_producer();

  private:
    static constexpr Millis serve_wait{100};
    static constexpr std::string_view not_in_time = "Kafka did not acknowledge in time";

    KafkaSink(
        const KafkaSinkSettings& settings,
        TopicTable topics,
        WithdrawalListener& listener,
        Health& health,
        const Clock& clock,
        Metrics& metrics
    );

    // Any lane.
    void send_one(OutboundRecord& record);
    void offer(OutboundRecord& record, std::uint32_t topic);
    void hold(OutboundRecord& record);
    void withdraw_one(OutboundRecord& record, const Withdrawal& withdrawal);
    [[nodiscard]] Withdrawal withdrawal_of(const DeliveryError& error) const;
    [[nodiscard]] std::optional<std::uint32_t> topic_of(const OutboundRecord& record) const;

    // The sink's thread.
    void run();
    void watch_progress();
    void reported(std::span<const DeliveryReport> reports) override;
    void broke(std::string_view what) override;
    void report_failed(OutboundRecord& record, int code);
    void open_circuit(std::string_view reason);
    void tell_health(std::string_view reason);
    void probe();
    void learn_record_limits();
    void advance_rebuild();
    void resend();
    void close_down();
    [[nodiscard]] std::vector<OutboundRecord*> take_collected();
    void pause(Millis duration);
    void tell_if_idle();

    void stop();

    ProducerContext context_;
    Health& health_;
    const Clock& clock_;
    SinkLedger ledger_;
    Circuit circuit_;
    Counter& circuit_opened_;
    Gauge& circuit_is_open_;
    Counter& probes_failed_;
    Counter& rebuilds_;
    Counter& resent_;
    const std::string too_large_;
    RecordLimits* const record_limits_;
    std::array<std::atomic<std::uint64_t>, event_classes_count> next_delivery_no_{};

    // Shared by senders; exclusive when `is_rebuilding_` changes. A sender uses `producer_` only
    // under it and while not rebuilding; the sink's thread alone replaces it, while rebuilding.
    // The turnstile keeps new senders back while the sink's thread waits for the gate, which else
    // prefers them.
    std::mutex turnstile_;
    std::shared_mutex gate_;
    bool is_rebuilding_ = false;
    std::unique_ptr<KafkaProducer> producer_;

    std::atomic<std::int64_t> open_count_{0};  // records in `producer_` without a report
    std::atomic<bool> is_broken_{false};       // someone saw that it is of no use any more

    std::mutex held_mutex_;
    std::vector<OutboundRecord*> held_;  // sent while rebuilding

    // The sink's thread only.
    std::vector<OutboundRecord*> stored_;  // scratch
    std::vector<OutboundRecord*> collected_;
    std::uint32_t rebuilds_without_ack_ = 0;
    SteadyTime next_rebuild_{};
    SteadyTime last_progress_{};  // when nothing was under way, or Kafka acknowledged something

    std::atomic<bool> is_stopping_{false};
    std::mutex idle_mutex_;
    std::condition_variable idle_;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace spangate
