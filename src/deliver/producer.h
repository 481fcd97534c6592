// The producer seam: what a line needs of Kafka. KafkaProducer is the real one; a test's loses,
// tears, reorders reports and breaks at will.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "model/record.h"

namespace spangate {

// One record's fate; `code` is an rd_kafka_resp_err_t.
struct DeliveryReport {
    OutboundRecord* record = nullptr;
    int code = 0;
};

// What a broker says of the line's topics.
struct ProbeAnswer {
    // unavailable: no answer; else the message names the topic and what is wrong with it.
    Status status;
    std::uint64_t record_bytes_max = 0;  // the topics' smallest max.message.bytes; 0: not known
};

class ProducerEvents {
  public:
    virtual ~ProducerEvents() = default;

    // In the order in which librdkafka reports, which is not the order of produce().
    virtual void reported(std::span<const DeliveryReport> reports) = 0;

    // The handle is of no use any more: produce() refuses, purge() and gather what is open.
    virtual void broke(std::string_view what) = 0;

    // To the last probe().
    virtual void probed(const ProbeAnswer& answer) = 0;
};

// What is produced for one partition is stored in that order: behind a record that was refused for
// good nothing is stored any more.
class Producer {
  public:
    virtual ~Producer() = default;

    // 0: taken and lent until its report. Else the rd_kafka_resp_err_t with which it was refused.
    // `topic` is an index into LineTopics::names(). From any thread.
    [[nodiscard]] virtual int produce(OutboundRecord& record, std::uint32_t topic) = 0;

    // The rest, but wake(), from the line's thread only. Waits up to `wait` for a first event, then
    // serves what is there.
    virtual void serve(Millis wait, ProducerEvents& events) = 0;

    // Every record still open is reported soon, with success or a purge error, in any order.
    virtual void purge() = 0;

    // Asks a broker for the line's topics. The answer comes as probed(), after `timeout` at the
    // latest, unless the producer ends before. One at a time: further ones are left out until then.
    virtual void probe(Millis timeout) = 0;

    // Ends a serve() that waits now, or the next one; from any thread.
    virtual void wake() = 0;
};

struct ProducerWish {
    bool is_one_by_one = false;         // a batch for each record: what is refused is refused alone
    std::uint64_t batch_bytes_max = 0;  // 0: the client's default
};

// Makes producers of one configuration; a line's thread asks. Records are open with one at a time;
// those before it are ending, perhaps on another thread (producer_endings.h).
class ProducerSource {
  public:
    virtual ~ProducerSource() = default;

    // Does not wait for a broker. A refused setting is invalid_argument.
    [[nodiscard]] virtual Result<std::unique_ptr<Producer>> open(const ProducerWish& wish) = 0;
};

}  // namespace spangate
