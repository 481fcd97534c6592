// Kafka as a line meets it, with librdkafka in front: logs by partition, batches in flight, and
// everything that may go wrong with them. Nothing moves but in move(), where the dice say what.
//
//   produce() ─▶ queued ─▶ sent ─▶ appended ─▶ answered
//                                      └ the answer may never come: the record is in the log and
//                                        its report says that it failed
//
// What librdkafka promises holds here too (idempotence, enable.gapless.guarantee=true): batches of
// a partition are appended in order; after one that is refused for good the producer is fatally
// broken, and nothing behind it in that partition is appended (of a first batch
// deliver/first_batch_gate.h sees to that). A purge reports in any order, the
// newest first, too; what was sent may still arrive at the broker after its report, even after the
// next producer's records.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "deliver/producer.h"
#include "simulation/book.h"
#include "simulation/plan.h"
#include "support/manual_clock.h"

namespace spangate::simulation {

class SimulatedProducer;

struct Topic {
    bool exists = true;
    int refusal = 0;                            // a code with which every batch is refused
    std::uint64_t batch_bytes_max = 1'048'588;  // max.message.bytes
    std::array<bool, 8> has_leader{true, true, true, true, true, true, true, true};
};

class Kafka {
  public:
    Kafka(const Plan& plan, Dice& dice, const testing::ManualClock& clock, Trace& trace, Book& book)
        : plan_(plan),
          dice_(dice),
          clock_(clock),
          trace_(trace),
          book_(book) {}

    // A topic for each line. `lanes` is called where a line's thread waits or works without a lock,
    // so that lanes come in between.
    [[nodiscard]] std::unique_ptr<ProducerSource> make_source(std::uint32_t line);

    void set_lanes(std::function<void()> lanes) { lanes_ = std::move(lanes); }

    // Everything under way moves on as the dice say; `is_eager`: as far as it can.
    void move(bool is_eager);

    // The gateway's process is dead: its producers reach nothing any more.
    void cut_off();

    void next_process() {
        ++process_;
        opens_to_fail_ = 0;
    }

    void fail_opens(std::uint32_t times) { opens_to_fail_ = times; }

    // Fatal for one of the producers that live.
    void break_one();

    void heal();

    std::array<Topic, spool_lines_count> topics;
    bool is_reachable = true;
    bool has_replicas = true;

  private:
    friend class SimulatedProducer;
    friend class SimulatedSource;

    // Sent by a producer that has given it up; in the order of its partition.
    struct Straggler {
        std::uint32_t line = 0;
        std::uint32_t partition = 0;
        std::vector<std::uint32_t> copies;
    };

    void append(std::uint32_t line, std::uint32_t partition, std::uint32_t copy);
    void move_stragglers();

    const Plan& plan_;
    Dice& dice_;
    const testing::ManualClock& clock_;
    Trace& trace_;
    Book& book_;
    std::function<void()> lanes_ = [] {
    };
    std::vector<SimulatedProducer*> producers_;
    std::vector<Straggler> stragglers_;
    std::uint32_t process_ = 0;
    std::uint32_t dead_processes_ = 0;  // all below are dead
    std::uint32_t opens_to_fail_ = 0;
};

class SimulatedProducer final : public Producer {
  public:
    SimulatedProducer(Kafka& kafka, std::uint32_t line, const ProducerWish& wish);
    ~SimulatedProducer() override;

    int produce(OutboundRecord& record, std::uint32_t topic) override;
    void serve(Millis wait, ProducerEvents& events) override;
    void purge() override;
    void probe(Millis timeout) override;

    void wake() override {}

    void move(bool is_eager);
    void become_fatal(std::string_view what);

    [[nodiscard]] std::uint64_t window_bytes() const { return window_bytes_; }

    [[nodiscard]] std::uint32_t line() const { return line_; }

  private:
    struct Message {
        OutboundRecord* record = nullptr;
        std::uint32_t copy = 0;
        std::uint32_t bytes = 0;
        SteadyTime given_at{};
    };

    // messages: those of `answers_due`, then those of `sent`, then the queued ones.
    struct Partition {
        std::vector<Message> messages;
        std::vector<std::uint32_t> answers_due;  // appended batches, by their number of records
        std::vector<std::uint32_t> sent;
        bool is_stuck = false;  // a batch was refused for good; nothing behind it is appended
    };

    struct Event {
        std::vector<DeliveryReport> reports;
        std::string broke;
        bool is_probe_answer = false;
        ProbeAnswer answer{};
    };

    [[nodiscard]] Topic& topic() { return kafka_.topics[line_]; }

    [[nodiscard]] bool is_cut_off() const { return process_ < kafka_.dead_processes_; }

    void move_partition(std::uint32_t number, bool is_eager);
    [[nodiscard]] bool send_batch(Partition& partition);
    [[nodiscard]] bool bring_batch(std::uint32_t number);
    void answer_batch(Partition& partition);
    void refuse_batch(Partition& partition, std::uint32_t count, int code);
    [[nodiscard]] int judge(const Partition& partition, std::uint32_t count);
    void lose_topic(int code);
    void expire(std::uint32_t number);
    void leave_stragglers(std::uint32_t number);
    void report(Partition& partition, std::uint32_t count, int code);
    void deliver(Event event, ProducerEvents& events);
    void answer_probe();
    void check_window();

    Kafka& kafka_;
    Dice& dice_;
    const std::uint32_t line_;
    const std::uint32_t process_;
    const ProducerWish wish_;
    std::vector<Partition> partitions_;
    std::vector<Event> events_;  // oldest first
    std::vector<Event> later_;   // of a purge, not there yet
    std::uint32_t open_ = 0;
    std::uint64_t window_bytes_ = 0;  // of records from the spool
    bool is_fatal_ = false;
    int topic_error_ = 0;
    bool is_probed_ = false;
    SteadyTime probe_answer_at_{};
    SteadyTime probe_deadline_{};
};

}  // namespace spangate::simulation
