// One librdkafka producer handle and its topics. Values are lent, not copied: a record given to
// produce() stays untouched until its report. The owner's thread calls serve(), which hands out
// delivery reports in arrays; a probe has a thread of its own while it waits for the brokers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "deliver/first_batch_gate.h"
#include "deliver/kafka_settings.h"
#include "deliver/producer.h"
#include "model/record.h"
#include "observe/log.h"
#include "observe/metrics.h"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;

namespace spangate {

// The settings of every handle of a line, and what librdkafka's own threads tell. Outlives its
// handles.
class KafkaProducerSource final : public ProducerSource {
  public:
    struct Settings {
        KafkaConfig kafka;
        ProducerLimits limits;
        std::string client_id;
        std::vector<std::string> topics;
        bool asks_for_limits = true;  // probes ask for max.message.bytes, too; the mock knows none
    };

    KafkaProducerSource(Settings settings, Metrics& metrics);

    [[nodiscard]] Result<std::unique_ptr<Producer>> open(const ProducerWish& wish) override;

    // Of librdkafka's threads.
    void throttled(std::string_view broker, std::string_view client, int throttle_ms);

    void client_failed() { client_errors_.add(); }

    [[nodiscard]] bool may_log() { return log_limit_.allows(); }

    [[nodiscard]] const Settings& settings() const { return settings_; }

  private:
    const Settings settings_;
    Counter& throttled_;
    Counter& client_errors_;
    LogLimit log_limit_;
};

class KafkaProducer final : public Producer {
  public:
    // The client's topics; nothing may be open any more when it ends.
    [[nodiscard]] static Result<std::unique_ptr<KafkaProducer>> open(
        KafkaProducerSource& source, const ProducerWish& wish
    );

    ~KafkaProducer() override;
    KafkaProducer(const KafkaProducer&) = delete;
    KafkaProducer& operator=(const KafkaProducer&) = delete;

    [[nodiscard]] int produce(OutboundRecord& record, std::uint32_t topic) override;

    // At most `events_per_serve` events.
    void serve(Millis wait, ProducerEvents& events) override;
    void purge() override;
    void probe(Millis timeout) override;
    void wake() override;

    // librdkafka's handle, for tests that break it.
    [[nodiscard]] rd_kafka_s* handle() const { return client_; }

  private:
    static constexpr int events_per_serve = 256;

    KafkaProducer(KafkaProducerSource& source, rd_kafka_s* client);

    [[nodiscard]] Status open_topics();
    [[nodiscard]] int send(OutboundRecord& record, std::uint32_t topic);
    void report_given_up(ProducerEvents& events);
    void serve_event(void* event, ProducerEvents& events);
    void serve_reports(void* event, ProducerEvents& events);
    void serve_error(void* event, ProducerEvents& events);
    [[nodiscard]] ProbeAnswer ask(Millis timeout);
    void serve_answer(ProducerEvents& events);

    KafkaProducerSource& source_;
    rd_kafka_s* client_;
    rd_kafka_queue_s* queue_;
    std::vector<rd_kafka_topic_s*> topics_;
    std::vector<std::unique_ptr<FirstBatchGate>> gates_;  // by topic
    std::vector<DeliveryReport> reports_;                 // scratch
    std::vector<DeliveryReport> given_up_;                // by the gates, not told yet

    bool is_probing_ = false;
    std::mutex answer_mutex_;
    std::optional<ProbeAnswer> answer_;  // guarded by answer_mutex_
    std::thread probe_thread_;
};

}  // namespace spangate
