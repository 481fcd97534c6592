#include "simulation/plan.h"

#include <fmt/format.h>

namespace spangate::simulation {

// Most worlds lack most faults: what is rare together is found where little else happens.
Plan::Plan(std::uint64_t seed_given, Mutant mutant_given) : seed(seed_given), mutant(mutant_given) {
    Dice dice(seed * 2 + 1);
    has_spool = dice.chance(80);
    is_always_spooled = has_spool && dice.chance(20);
    has_tickets = !dice.chance(5);
    class_lines = dice.chance(20) ? 2 : 1;
    ack_timeout = Millis(dice.chance(70) ? 5'000 : 1'000);
    spool_bytes_max = dice.chance(80) ? 64ULL * 1024 * 1024 : dice.between(10'000, 60'000);
    segment_bytes_max = dice.between(600, 6'000);
    window_bytes_max = dice.between(300, 6'000);

    partitions = dice.between(1, 3);
    batch_records_max = dice.between(1, 6);
    queue_records_max = dice.chance(85) || !has_spool ? 1'000 : dice.between(2, 12);

    sessions = dice.between(1, 5);
    window = dice.chance(70) ? 1 : dice.between(2, 4);
    poison_percent = dice.chance(25) ? dice.between(2, 20) : 0;
    large_percent = dice.chance(30) ? dice.between(5, 40) : 0;

    is_warm = dice.chance(60);
    has_last_outage = has_spool && has_tickets && dice.chance(30) && ack_timeout > Millis(1'000);
    steps = dice.between(20, 90);
    send_weight = dice.between(10, 60);
    line_weight = dice.between(20, 60);
    kafka_weight = dice.between(10, 60);
    clock_weight = dice.between(5, 25);
    kafka_fault_weight = dice.chance(75) ? dice.between(2, 20) : 0;
    disk_fault_weight = dice.chance(35) ? dice.between(2, 12) : 0;
    crash_weight = dice.chance(40) ? dice.between(1, 6) : 0;
    rotation_weight = dice.chance(20) ? dice.between(1, 6) : 0;
    restart_weight = dice.chance(20) ? dice.between(1, 4) : 0;
    has_topic_faults = dice.chance(35);
    has_limit_faults = dice.chance(25);
    has_fatal_faults = dice.chance(35);
}

std::string Plan::text() const {
    return fmt::format(
        "{} line(s), {} partition(s), {} session(s) with {} request(s) each under way; {}{}; "
        "ack_timeout {} ms; spool {} bytes, segments {}, window {}; batches of {}, queue of {}; "
        "poison {} %, large {} %",
        class_lines,
        partitions,
        sessions,
        window,
        !has_spool          ? "no spool"
        : is_always_spooled ? "ack: spool"
                            : "ack: kafka with a spool",
        has_tickets ? "" : ", ack: memory",
        ack_timeout.count(),
        spool_bytes_max,
        segment_bytes_max,
        window_bytes_max,
        batch_records_max,
        queue_records_max,
        poison_percent,
        large_percent
    );
}

}  // namespace spangate::simulation
