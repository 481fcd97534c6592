// What the guard writes to Kafka: policy events and saved sessions, with acks=all and the
// idempotent producer. It never gives a record up: while the brokers are away everything waits; a
// record that they refuse for good is a failure, after which the guard ends and the next one, which
// begins at what is saved, makes the same records again. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "guard/guard_counters.h"
#include "guard/policy_event.h"

struct rd_kafka_s;
struct rd_kafka_message_s;

namespace spangate {

class Outbox {
  public:
    // `stop`: nothing waits for room any more. Both outlive the outbox.
    [[nodiscard]] static Result<std::unique_ptr<Outbox>> open(
        const KafkaConfig& config, GuardCounters& counters, const std::atomic<bool>& stop
    );

    // What is not acknowledged is dropped.
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    // By the session's key, with the partitioner of the contract.
    void put_event(
        const std::string& topic,
        std::string_view session_id,
        const PolicyEvent& event,
        WallNanos at
    );

    // To the partition of the session's events, whatever its key. No value: a tombstone.
    void put_state(
        const std::string& topic,
        std::int32_t partition,
        std::string_view key,
        const std::optional<std::string>& value
    );

    // The states put since the last call belong together; the number under which is_settled() tells
    // whether these and all before are stored.
    [[nodiscard]] std::uint64_t close_generation() { return generation_++; }

    [[nodiscard]] bool is_settled(std::uint64_t generation) const;

    // Whether all policy events are stored.
    [[nodiscard]] bool has_stored_events() const { return events_open_ == 0; }

    // Hears what the brokers say, for up to `wait`.
    void serve(Millis wait);

    // serve() until it is so, at most `timeout`; whether it is so.
    [[nodiscard]] bool wait_for_events(Millis timeout);
    [[nodiscard]] bool wait_for(std::uint64_t generation, Millis timeout);

    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

    // For tests that look at the topics.
    [[nodiscard]] rd_kafka_s* client() const { return client_; }

  private:
    struct Outgoing;

    Outbox(GuardCounters& counters, const std::atomic<bool>& stop)
        : counters_(counters),
          stop_(stop) {}

    static void on_report(rd_kafka_s* client, const rd_kafka_message_s* message, void* opaque);
    void take_report(const rd_kafka_message_s& message);
    void put(const Outgoing& record);

    GuardCounters& counters_;
    const std::atomic<bool>& stop_;
    rd_kafka_s* client_ = nullptr;
    std::uint64_t generation_ = 1;
    std::size_t events_open_ = 0;
    std::map<std::uint64_t, std::size_t> states_open_;  // by generation; never zero
    std::optional<Error> failure_;
};

}  // namespace spangate
