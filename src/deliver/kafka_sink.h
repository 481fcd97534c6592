// Records → Kafka: one line for each class and one for dead letters (line.h), each with a thread of
// its own, so that a class without topic, rights or leader is alone with that.
//
//   send() ─ by class ─▶ Line operational ─▶ producer, or spool/operational
//                        Line detail      ─▶ …
//                        Line evidence    ─▶ … (with the wrapped keys)
//                        Line dead_letter ◀─ what the other three can never deliver
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "base/slab.h"
#include "config/config.h"
#include "deliver/dead_letter_desk.h"
#include "deliver/kafka_settings.h"
#include "deliver/line.h"
#include "deliver/producer_endings.h"
#include "deliver/topic_table.h"
#include "model/dead_letter_writer.h"
#include "model/record.h"
#include "model/record_limits.h"
#include "observe/health.h"
#include "observe/metrics.h"
#include "spool/spool_log.h"

namespace spangate {

// What a reload may change, because no record carries it: the rules for new requests.
struct AdmissionRules {
    // Whether new requests are refused when the class can be stored nowhere.
    std::array<bool, event_classes_count> is_class_required{true, true, true};
    // Bytes of records that nobody waits for are not leased: above this new requests are refused.
    // 0: no bound.
    std::uint64_t slab_bytes_max = 0;

    // Refuses whatever one of the two refuses.
    [[nodiscard]] AdmissionRules stricter(const AdmissionRules& other) const;
};

struct KafkaSinkSettings {
    KafkaConfig kafka;
    ProducerLimits limits;
    bool is_required = true;
    AdmissionRules admission;
    std::string client_id = "spangate";
    bool has_evidence_keys = false;      // evidence is encrypted
    bool asks_for_limits = true;         // false: a toy broker, which knows none
    bool is_always_spooled = false;      // ack: spool
    std::uint64_t headroom_bytes = mib;  // of the spool, kept for requests already admitted
};

// What the sink works with; all of it outlives the sink.
struct KafkaSinkParts {
    SlabPool& slabs;
    WithdrawalListener& listener;
    Health& health;
    const Clock& clock;
    Metrics& metrics;
    DeadLetterWriter* dead_letters = nullptr;  // null: what Kafka never takes is withdrawn
    RecordLimits* record_limits = nullptr;     // told what the topics take
    const SpoolSpace* space = nullptr;         // of the logs
};

// By SpoolLine; all null: no spool.
using SpoolLogs = std::array<std::unique_ptr<SpoolLog>, spool_lines_count>;

class KafkaSink final : public RecordSink, private DeadLetterDesk {
  public:
    // Does not wait for a broker.
    [[nodiscard]] static Result<std::unique_ptr<KafkaSink>> open(
        const KafkaSinkSettings& settings, SpoolLogs logs, const KafkaSinkParts& parts
    );

    ~KafkaSink() override;

    void send(std::span<OutboundRecord* const> records) override;

    [[nodiscard]] bool is_required() const override { return settings_.is_required; }

    [[nodiscard]] Refusal refusal() const override;

    // From now on new requests are refused by these rules. What was admitted before is settled as
    // its tickets say: the sink looks at nothing else. From any thread.
    void admit_by(const AdmissionRules& rules);

    // No class refuses: each was seen to take records, or has a spool. From any thread.
    [[nodiscard]] bool takes_all_classes() const;

    void drain(SteadyTime deadline) override;

    // Goes over to new producers with these credentials and addresses, without loss or reorder.
    // Refused settings change nothing; topics must be the same.
    [[nodiscard]] Status rotate(const KafkaConfig& config);

    // Makes librdkafka report a fatal error, as a broken broker state would: for fault drills.
    void break_producer();

  private:
    static constexpr Millis step_wait{100};
    static constexpr std::size_t class_lines_count = event_classes_count;

    KafkaSink(const KafkaSinkSettings& settings, const KafkaSinkParts& parts);

    [[nodiscard]] Status add_line(SpoolLine line, LineTopics topics, std::unique_ptr<SpoolLog> log);
    [[nodiscard]] std::unique_ptr<ProducerSource> make_source(
        const KafkaConfig& config, const LineTopics& topics, bool has_spool
    ) const;
    void take(
        const OutboundRecord& lost, WithdrawalReason reason, std::unique_ptr<Responder> receipt
    ) override;
    void run(std::size_t line);
    void tell_health();
    [[nodiscard]] Refusal refusal_of_lines() const;
    void join(std::size_t line);

    const KafkaSinkSettings settings_;
    const KafkaSinkParts parts_;
    bool has_spool_ = false;
    std::atomic<bool> is_stopping_{false};
    ProducerEndings endings_;  // of all lines; waits for them when the sink ends
    std::array<std::unique_ptr<Line>, spool_lines_count> lines_;  // dead_letter may be null

    // Of admission. Relaxed: each stands for itself.
    std::array<std::atomic<bool>, class_lines_count> is_class_required_{};
    std::atomic<std::uint64_t> slab_bytes_max_{0};

    std::mutex health_mutex_;
    std::string told_;  // guarded by health_mutex_

    std::array<std::thread, spool_lines_count> threads_;  // last: they use all of the above
};

}  // namespace spangate
