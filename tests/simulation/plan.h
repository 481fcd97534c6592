// What one seed's world is like: how large, which faults may come, how often. Everything is drawn
// from the seed, so that a seed is a run.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "config/config.h"

namespace spangate::simulation {

// Small and the same on every machine, unlike the standard's distributions.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}

    [[nodiscard]] std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
        return mixed ^ (mixed >> 31);
    }

    // From 0 to bound − 1; bound ≥ 1.
    [[nodiscard]] std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>((next() >> 32) * bound >> 32);
    }

    [[nodiscard]] std::uint32_t between(std::uint32_t first, std::uint32_t last) {
        return first + below(last - first + 1);
    }

    [[nodiscard]] bool chance(std::uint32_t percent) { return below(100) < percent; }

  private:
    std::uint64_t state_;
};

// A world that is wrong on purpose: shows that the checks see it.
enum class Mutant : std::uint8_t {
    none,
    broker_loses,      // Kafka acknowledges a batch and does not keep it
    log_skips_sync,    // the spool says durable and is not
    gathers_unsorted,  // after a purge, records stand in the order of their reports
    producer_doubles,  // a record's report comes twice
    broker_swaps,      // two records of a batch change places
};

struct Plan {
    Plan(std::uint64_t seed_given, Mutant mutant_given);

    std::uint64_t seed;
    Mutant mutant;

    // The gateway.
    bool has_spool = true;
    bool is_always_spooled = false;
    bool has_tickets = true;  // false: ack: memory
    std::uint32_t class_lines = 1;
    Millis ack_timeout{5'000};
    std::uint64_t spool_bytes_max = 0;
    std::uint64_t segment_bytes_max = 0;
    std::uint64_t headroom_bytes = 2'000;
    std::uint64_t window_bytes_max = 0;

    // Kafka.
    std::uint32_t partitions = 1;
    std::uint32_t batch_records_max = 1;
    std::uint32_t queue_records_max = 1'000;
    std::uint64_t client_bytes_max = 3'000;  // of a record

    // Clients.
    std::uint32_t sessions = 1;
    std::uint32_t window = 1;  // requests of a session under way together
    std::uint32_t poison_percent = 0;
    std::uint32_t large_percent = 0;

    // What happens, in parts of their sum.
    bool is_warm = false;          // everything has worked once before
    bool has_last_outage = false;  // at the end, with a spool that has room
    std::uint32_t steps = 0;
    std::uint32_t send_weight = 0;
    std::uint32_t line_weight = 0;
    std::uint32_t kafka_weight = 0;
    std::uint32_t clock_weight = 0;
    std::uint32_t kafka_fault_weight = 0;
    std::uint32_t disk_fault_weight = 0;
    std::uint32_t crash_weight = 0;
    std::uint32_t rotation_weight = 0;
    std::uint32_t restart_weight = 0;
    bool has_topic_faults = false;  // gone, forbidden, against a policy
    bool has_limit_faults = false;  // max.message.bytes
    bool has_fatal_faults = false;  // of the producer

    [[nodiscard]] bool has_letters() const {
        return poison_percent + large_percent > 0 || has_limit_faults;
    }

    // The spool can take an outage, and the producer's queue what is brought.
    [[nodiscard]] bool has_room() const {
        return spool_bytes_max > 1'000'000 && queue_records_max >= 1'000;
    }

    [[nodiscard]] std::string text() const;
};

}  // namespace spangate::simulation
