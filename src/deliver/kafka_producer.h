// One librdkafka producer handle and its topics. Values are lent, not copied: a record given to
// produce() stays untouched until its report. There is no thread in here: the owner's thread calls
// serve(), which hands out delivery reports in arrays. produce() may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "deliver/kafka_settings.h"
#include "deliver/topic_table.h"
#include "model/record.h"
#include "observe/log.h"
#include "observe/metrics.h"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;

namespace spangate {

// One record's fate; `code` is an rd_kafka_resp_err_t.
struct DeliveryReport {
    OutboundRecord* record = nullptr;
    int code = 0;
};

class ProducerEvents {
  public:
    virtual ~ProducerEvents() = default;

    // In the order in which librdkafka reports, which is not the order of produce().
    virtual void reported(std::span<const DeliveryReport> reports) = 0;

    // The handle is of no use any more: produce() refuses, purge() and gather what is open.
    virtual void broke(std::string_view what) = 0;
};

// What librdkafka's own threads tell, and the settings of every handle. Outlives the handles.
struct ProducerContext {
    KafkaConfig config;
    ProducerLimits limits;
    std::string client_id;
    TopicTable topics;
    Counter* throttled = nullptr;
    Counter* client_errors = nullptr;
    LogLimit log_limit;
};

class KafkaProducer {
  public:
    // Does not wait for a broker. A refused setting is invalid_argument.
    [[nodiscard]] static Result<std::unique_ptr<KafkaProducer>> open(ProducerContext& context);

    // Nothing may be open any more (open_count() is the owner's affair).
    ~KafkaProducer();
    KafkaProducer(const KafkaProducer&) = delete;
    KafkaProducer& operator=(const KafkaProducer&) = delete;

    // 0: taken, a report will come. Else the rd_kafka_resp_err_t with which it was refused.
    [[nodiscard]] int produce(OutboundRecord& record, std::uint32_t topic);

    // Waits up to `wait` for a first event, then serves what is there, at most `events_per_serve`.
    void serve(Millis wait, ProducerEvents& events);

    // Every record still open is reported soon, with success or a purge error.
    void purge();

    // Asks a broker for the topics. unavailable: no answer; else the message names the topic and
    // what is wrong with it. Waits up to `timeout`.
    [[nodiscard]] Status probe(Millis timeout);

    // librdkafka's handle, for tests that break it.
    [[nodiscard]] rd_kafka_s* handle() const { return client_; }

  private:
    static constexpr int events_per_serve = 256;

    KafkaProducer(ProducerContext& context, rd_kafka_s* client);

    [[nodiscard]] Status open_topics();
    void serve_reports(void* event, ProducerEvents& events);
    void serve_error(void* event, ProducerEvents& events);

    ProducerContext& context_;
    rd_kafka_s* client_;
    rd_kafka_queue_s* queue_;
    std::vector<rd_kafka_topic_s*> topics_;
    std::vector<DeliveryReport> reports_;  // scratch
};

}  // namespace spangate
