#include "simulation/simulation.h"

#include <algorithm>
#include <array>

#include <librdkafka/rdkafka.h>

namespace spangate::simulation {
namespace {

constexpr std::array disk_operations = {
    "append", "sync", "sync_directory", "open_append", "open_read", "truncate", "rename", "remove"};
// Of a broker, for good as far as librdkafka is concerned.
constexpr std::array refusals = {
    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
    RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR};
// The longest that a line may have to wait for the next closing of its circuit is 16 s.
constexpr Millis healing_max{90'000};
constexpr std::uint64_t disk_slack_bytes = 300;  // cursor and its forerunner, a torn write

}  // namespace

Simulation::Simulation(std::uint64_t seed, Mutant mutant, bool has_trace)
    : plan_(seed, mutant),
      dice_(seed),
      trace_(has_trace, clock_),
      book_(plan_, trace_),
      slabs_(4'096, 16),
      disk_(seed + 1),
      kafka_(plan_, dice_, clock_, trace_, book_),
      sessions_(plan_.sessions) {
    kafka_.set_lanes([this] { act_as_clients(15); });
    disk_.before_sync([this] { act_as_clients(15); });
    trace_.note("seed {}: {}", seed, plan_.text());
}

Simulation::~Simulation() = default;

Verdict Simulation::run() {
    start();
    if (plan_.is_warm) warm_up();
    for (std::uint32_t step = 0; step < plan_.steps && !is_over(); ++step) {
        take_step();
        if (!disk_.is_on()) {
            crash(false);
        }
        look_around();
    }
    trace_.note("everything is healed");
    heal();
    is_quiet_ = true;
    are_events_plain_ = true;
    const SteadyTime healed_at = clock_.steady();
    if (!is_over()) settle_down();
    verdict_.healing_s = std::chrono::duration<double>(clock_.steady() - healed_at).count();
    if (!is_over()) send_fresh();
    if (!is_over() && plan_.has_last_outage) suffer_outage();
    if (is_over()) {
        bury_process();
    } else {
        shut_down();
        book_.check_all_settled();
        book_.check_nothing_is_lost();
        book_.check_order();
        book_.check_holes();
        if (slabs_.bytes_out() > 0) book_.fail("memory of records read from the spool is left");
    }
    verdict_.wrong = book_.wrong();
    verdict_.digest = book_.digest();
    return verdict_;
}

void Simulation::warm_up() {
    is_quiet_ = true;
    settle_down();
    is_quiet_ = false;
    trace_.note("everything has worked once");
}

void Simulation::take_step() {
    const std::array weights = {
        plan_.send_weight,
        plan_.line_weight,
        plan_.kafka_weight,
        plan_.clock_weight,
        plan_.kafka_fault_weight,
        plan_.disk_fault_weight,
        plan_.crash_weight,
        plan_.rotation_weight,
        plan_.restart_weight};
    std::uint32_t all = 0;
    for (const std::uint32_t weight : weights)
        all += weight;
    std::uint32_t drawn = dice_.below(all);
    std::size_t choice = 0;
    while (drawn >= weights[choice])
        drawn -= weights[choice++];
    constexpr std::array waits_ms = {1, 10, 50, 100, 300, 800, 1'100, 3'000, 8'000};
    switch (choice) {
        case 0:
            act_as_clients(40);
            break;
        case 1:
            for (std::uint32_t line = 0; line < places_.size(); ++line) {
                if (places_[line].line != nullptr && dice_.chance(80)) step_line(line);
            }
            break;
        case 2:
            kafka_.move(false);
            break;
        case 3:
            clock_.advance(Millis(waits_ms[dice_.below(waits_ms.size())]));
            break;
        case 4:
            break_kafka();
            break;
        case 5:
            break_disk();
            break;
        case 6:
            if (dice_.chance(50)) {
                crash(dice_.chance(60));
            } else {
                disk_.stop_before(dice_.between(1, 12), dice_.chance(60));
            }
            break;
        case 7:
            if (dice_.chance(20)) kafka_.fail_opens(dice_.between(1, 3));
            rotate();
            break;
        default:
            shut_down();
            start();
            break;
    }
}

// One thing breaks, or is whole again.
void Simulation::break_kafka() {
    Topic& topic = kafka_.topics[dice_.chance(75) ? dice_.below(plan_.class_lines) : 3];
    const std::uint32_t what = dice_.below(10);
    if (what < 3) {
        kafka_.is_reachable = !kafka_.is_reachable;
    } else if (what == 3) {
        kafka_.has_replicas = !kafka_.has_replicas;
    } else if (what == 4) {
        bool& has_leader = topic.has_leader[dice_.below(plan_.partitions)];
        has_leader = !has_leader;
    } else if (what == 5 && plan_.has_topic_faults) {
        topic.exists = !topic.exists;
    } else if (what == 6 && plan_.has_topic_faults) {
        topic.refusal = topic.refusal == 0 ? refusals[dice_.below(refusals.size())] : 0;
    } else if (what == 7 && plan_.has_limit_faults) {
        topic.batch_bytes_max = dice_.chance(30) ? 1'048'588 : dice_.between(160, 1'500);
    } else if (what == 8 && plan_.has_fatal_faults) {
        kafka_.break_one();
    } else if (dice_.chance(30)) {
        kafka_.heal();
    }
    trace_.note(
        "  Kafka: {}, {}, topic: {}, {}, {} bytes",
        kafka_.is_reachable ? "reachable" : "away",
        kafka_.has_replicas ? "in sync" : "too few replicas",
        topic.exists ? "there" : "gone",
        topic.refusal == 0 ? "takes records" : "refuses them",
        topic.batch_bytes_max
    );
}

void Simulation::break_disk() {
    if (dice_.chance(30)) {
        const bool is_full = dice_.chance(60);
        disk_.set_capacity(is_full ? disk_.bytes_used() + dice_.below(2'000) : UINT64_MAX);
        trace_.note("  the disk {}", is_full ? "is about to be full" : "has room");
        return;
    }
    const char* operation = disk_operations[dice_.below(disk_operations.size())];
    const ErrorCode code = dice_.chance(50) ? ErrorCode::io : ErrorCode::unavailable;
    disk_.fail_next(operation, code, static_cast<int>(dice_.between(1, 3)));
    trace_.note("  the next {} fails", operation);
}

void Simulation::heal() {
    kafka_.heal();
    heal_disk();
}

void Simulation::heal_disk() {
    disk_.set_capacity(UINT64_MAX);
    for (const char* operation : disk_operations)
        disk_.fail_next(operation, ErrorCode::io, 0);
    disk_.stop_before(0, false);
}

// The end ─────────────────────────────────────────────────────────────────────────────────────────

// With nothing broken any more: every client is answered and the spool empties.
void Simulation::settle_down() {
    const SteadyTime since = clock_.steady();
    Millis wait{2};
    while (!is_over()) {
        const std::uint64_t progress = book_.progress();
        act_as_clients(100);
        kafka_.move(true);
        for (std::uint32_t line = 0; line < places_.size(); ++line) {
            if (places_[line].line != nullptr) step_line(line);
        }
        look_around();
        if (is_at_rest()) return;
        if (clock_.steady() - since > healing_max) {
            book_.fail("all is well, and records still wait");
            return;
        }
        wait = progress != book_.progress() ? Millis(2) : std::min(wait * 2, Millis(500));
        clock_.advance(wait);
    }
}

bool Simulation::is_at_rest() {
    for (const Session& session : sessions_) {
        if (session.under_way > 0 || !session.repeats.empty()) return false;
    }
    for (std::uint32_t number = 0; number < places_.size(); ++number) {
        const Place& place = places_[number];
        if (place.line == nullptr) continue;
        if (place.series->in_flight.value() != 0) return false;
        if (place.log != nullptr && place.log->records_count() > 0) return false;
        const bool is_direct = place.line->state() == LineState::direct;
        if (number < plan_.class_lines && !plan_.is_always_spooled && !is_direct) return false;
    }
    return true;
}

// Fresh records are taken.
void Simulation::send_fresh() {
    if (!plan_.has_tickets) return;  // nobody hears
    const std::uint32_t first = book_.size();
    for (std::uint32_t session = 0; session < plan_.sessions; ++session)
        send(session, {sessions_[session].next_event++});
    settle_down();
    for (std::uint32_t session = 0; session < plan_.sessions && !is_over(); ++session) {
        bool is_taken = false;
        for (std::uint32_t no = first; no < book_.size(); ++no) {
            const Copy& copy = book_.at(no);
            const bool is_it =
                copy.session == session && copy.event + 1 == sessions_[session].next_event;
            is_taken = is_taken || (is_it && copy.is_accepted);
        }
        if (!is_taken) book_.fail(fmt::format("session {}: a fresh event was not taken", session));
    }
}

// Kafka stops in one of many ways, the disk works and has room: nobody may notice. The line is
// stepped as its thread would step it.
void Simulation::suffer_outage() {
    clock_.advance(Millis(1'500));  // a disk that failed is not trusted for a second
    trace_.note("the last outage begins");
    Topic& topic = kafka_.topics[dice_.below(plan_.class_lines)];
    switch (dice_.below(6)) {
        case 0:
            kafka_.is_reachable = false;
            break;
        case 1:
            kafka_.has_replicas = false;
            break;
        case 2:
            topic.has_leader[dice_.below(plan_.partitions)] = false;
            break;
        case 3:
            topic.exists = false;
            break;
        case 4:
            topic.refusal = refusals[dice_.below(refusals.size())];
            break;
        default:
            kafka_.break_one();
            break;
    }
    const std::uint32_t refused = verdict_.refused;
    const SteadyTime end = clock_.steady() + plan_.ack_timeout * 2;
    while (clock_.steady() < end && !is_over()) {
        is_quiet_ = clock_.steady() + plan_.ack_timeout > end;
        are_events_plain_ = true;
        act_as_clients(20);
        kafka_.move(false);
        for (std::uint32_t line = 0; line < places_.size(); ++line) {
            if (places_[line].line != nullptr) step_line(line);
        }
        look_around();
        clock_.advance(Millis(dice_.between(20, 100)));
    }
    if (verdict_.refused != refused && plan_.has_room()) {
        book_.fail("a request was refused while only Kafka was broken");
    }
    trace_.note("the last outage ends");
    heal();
    is_quiet_ = true;
    if (!is_over()) settle_down();
}

// Between any two steps ───────────────────────────────────────────────────────────────────────────

void Simulation::look_around() {
    book_.watch_settlements();
    watch_answers();
    for (std::uint32_t line = 0; line < places_.size(); ++line) {
        if (places_[line].line != nullptr) check_ledger(line);
    }
    if (!plan_.has_spool) return;
    if (space_->bytes_used() > plan_.spool_bytes_max) {
        book_.fail("the spool counts more bytes than it may take");
    }
    if (disk_.bytes_used() > plan_.spool_bytes_max + disk_slack_bytes) {
        book_.fail(fmt::format(
            "{} bytes stand on the disk, {} are allowed", disk_.bytes_used(), plan_.spool_bytes_max
        ));
    }
}

void Simulation::check_ledger(std::uint32_t line) {
    const LedgerSeries& series = *places_[line].series;
    const auto in = static_cast<std::int64_t>(series.accepted.value() + series.recovered.value());
    const auto out = static_cast<std::int64_t>(
        series.delivered.value() + series.dead_lettered.value() + series.withdrawn.value()
    );
    if (in == out + series.spooled.value() + series.in_flight.value()) return;
    book_.fail(fmt::format(
        "line {}: accepted {} + recovered {} ≠ delivered {} + spooled {} + dead_lettered {} + "
        "withdrawn {} + in_flight {}",
        line,
        series.accepted.value(),
        series.recovered.value(),
        series.delivered.value(),
        series.spooled.value(),
        series.dead_lettered.value(),
        series.withdrawn.value(),
        series.in_flight.value()
    ));
}

}  // namespace spangate::simulation
