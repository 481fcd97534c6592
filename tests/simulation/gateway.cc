// The gateway's process: born on what the disk holds, stopped, or killed.
#include <algorithm>
#include <utility>

#include "simulation/simulation.h"

namespace spangate::simulation {
namespace {

constexpr auto letters_line = static_cast<std::uint32_t>(SpoolLine::dead_letter);
constexpr std::uint32_t steps_to_stop_max = 5'000;

}  // namespace

// On a disk that works: else it would be started again until it does.
void Simulation::start() {
    disk_.start();
    heal_disk();
    ++process_;
    kafka_.next_process();
    epoch_ = static_cast<std::uint64_t>(clock_.wall_nanos() / 1'000'000);
    metrics_ = std::make_unique<Metrics>();
    space_ = std::make_unique<SpoolSpace>(plan_.spool_bytes_max);
    for (Session& session : sessions_) {
        session.next_seq = 1;
        session.under_way = 0;
    }
    trace_.note("process {} starts", process_);
    for (std::uint32_t line = 0; line < plan_.class_lines; ++line)
        start_line(line);
    if (plan_.has_letters()) start_line(letters_line);
    is_alive_ = true;
    is_stopping_ = false;
}

void Simulation::start_line(std::uint32_t number) {
    const auto name = static_cast<SpoolLine>(number);
    const bool is_letters = number == letters_line;
    std::unique_ptr<SpoolLog> log;
    if (plan_.has_spool) {
        SpoolLogSettings settings;
        settings.directory = "/spool/" + std::string(spangate::name_of(name));
        settings.line = name;
        settings.segment_bytes_max = plan_.segment_bytes_max;
        settings.seed = dice_.next() | 1;
        settings.fsync = plan_.mutant != Mutant::log_skips_sync;
        Result<std::unique_ptr<SpoolLog>> opened =
            SpoolLog::open(settings, disk_, *space_, *metrics_);
        if (!opened) {
            book_.fail("the spool cannot be opened: " + opened.error().message);
            return;
        }
        log = std::move(*opened);
        trace_.note("  line {}: {} records in the spool", number, log->records_count());
    }
    LineSettings settings;
    settings.line = name;
    settings.is_always_spooled = plan_.is_always_spooled && !is_letters;
    settings.opens_late = is_letters;
    settings.ack_timeout = plan_.ack_timeout;
    settings.headroom_bytes = plan_.headroom_bytes;
    settings.window_bytes_max = plan_.window_bytes_max;
    Place& place = places_[number];
    place.log = log.get();
    place.line = std::make_unique<Line>(
        settings,
        LineParts{
            LineTopics(std::string("topic")),
            kafka_.make_source(number),
            std::move(log),
            plan_.has_spool ? space_.get() : nullptr,
            is_letters ? nullptr : this,
            is_letters ? nullptr : this,
            nullptr,
            nullptr,
            slabs_,
            clock_,
            *metrics_}
    );
    place.series = std::make_unique<LedgerSeries>(*metrics_, "kafka", spangate::name_of(name));
    if (Status opened = place.line->open(); !opened) book_.fail(opened.error().message);
}

void Simulation::step_line(std::uint32_t number) {
    Line& line = *places_[number].line;
    const LineState before = line.state();
    line.step(Millis(0));
    if (line.state() != before) {
        trace_.note(
            "    line {}: {} → {}",
            number,
            spangate::name_of(before),
            spangate::name_of(line.state())
        );
        ++verdict_.entered[static_cast<std::size_t>(line.state())];
        book_.mix(static_cast<std::uint64_t>(line.state()));
    }
}

// Nothing the process does from here on reaches anybody. It is stopped all the same, with a dead
// disk and a dead Kafka, so that its memory comes back.
void Simulation::crash(bool is_power_cut) {
    ++verdict_.crashes;
    trace_.note("process {} dies{}", process_, is_power_cut ? ", the power is cut" : "");
    is_alive_ = false;
    if (is_power_cut) {
        disk_.cut_power();
    } else {
        disk_.kill();
    }
    bury_process();
    start();
}

void Simulation::bury_process() {
    is_alive_ = false;
    book_.crashed(process_);
    kafka_.cut_off();
    stop_lines(0, plan_.class_lines, clock_.steady());
    if (plan_.has_letters()) stop_lines(letters_line, letters_line + 1, clock_.steady());
    book_.watch_settlements();
    watch_answers();
    for (Session& session : sessions_)
        session.under_way = 0;
    // Clients hear nothing and ask again.
    for (const Request& request : requests_) {
        if (request.process == process_ && !request.is_heard) {
            sessions_[request.session].repeats.emplace_back(clock_.steady(), request.events);
        }
    }
    places_ = {};
}

// As on SIGTERM: the lines have their grace, whatever state Kafka is in.
void Simulation::shut_down() {
    const auto grace = Millis(dice_.chance(50) ? dice_.between(0, 500) : dice_.between(500, 8'000));
    trace_.note("process {} is told to stop within {} ms", process_, grace.count());
    is_stopping_ = true;
    const SteadyTime deadline = clock_.steady() + grace;
    stop_lines(0, plan_.class_lines, deadline);
    if (plan_.has_letters()) stop_lines(letters_line, letters_line + 1, deadline);
    if (!disk_.is_on()) {  // it died while it stopped
        bury_process();
        return;
    }
    book_.watch_settlements();
    watch_answers();
    for (std::uint32_t line = 0; line < places_.size() && !is_over(); ++line) {
        if (places_[line].line == nullptr) continue;
        check_ledger(line);
        if (places_[line].series->in_flight.value() != 0) {
            book_.fail(fmt::format("line {} has stopped with records in flight", line));
        }
    }
    is_alive_ = false;
    places_ = {};
    trace_.note("process {} has ended", process_);
}

void Simulation::stop_lines(std::uint32_t first, std::uint32_t last, SteadyTime deadline) {
    for (std::uint32_t line = first; line < last; ++line) {
        if (places_[line].line != nullptr) places_[line].line->begin_stop(deadline);
    }
    const SteadyTime latest = std::max(deadline, clock_.steady()) + Millis(7'000);
    for (std::uint32_t step = 0; step < steps_to_stop_max; ++step) {
        bool is_stopped = true;
        for (std::uint32_t line = first; line < last; ++line) {
            if (places_[line].line == nullptr || places_[line].line->is_stopped()) continue;
            is_stopped = false;
            step_line(line);
        }
        if (plan_.has_letters() && first == 0 && places_[letters_line].line != nullptr) {
            step_line(letters_line);
        };
        if (is_stopped) return;
        kafka_.move(false);
        if (is_alive_) clock_.advance(Millis(dice_.between(1, 60)));
        if (is_alive_ && clock_.steady() > latest) break;
    }
    book_.fail("a line does not stop in time");
}

void Simulation::rotate() {
    trace_.note("  credentials change");
    for (std::uint32_t line = 0; line < places_.size(); ++line) {
        if (places_[line].line != nullptr) places_[line].line->rotate(kafka_.make_source(line));
    }
}

// what the lines ask for ──────────────────────────────────────────────────────────────────────────

void Simulation::take(
    const OutboundRecord& lost, WithdrawalReason reason, std::unique_ptr<Responder> receipt
) {
    Copy* const told = book_.find(lost, "dead letter");
    if (told == nullptr) return;
    ++verdict_.letters;
    if (places_[letters_line].line == nullptr) {
        book_.fail("a dead letter where nothing can be refused for good");
        receipt->respond({});
        return;
    }
    trace_.note("    a dead letter for #{:x}: {}", told->no, spangate::name_of(reason));
    if (!told->was_refused_alone) {
        book_.fail(fmt::format("#{:x} is dead-lettered and was never refused alone", told->no));
    }
    Book::Wish wish;
    wish.line = letters_line;
    wish.process = process_;
    wish.session = told->session;
    wish.event = told->event;
    wish.lost = told->no;
    Copy& letter = book_.make(wish);
    letter.record.ticket = new Ticket(std::move(receipt), nullptr, Lease());
    OutboundRecord* const record = &letter.record;
    places_[letters_line].line->send({&record, 1});
}

void Simulation::withdrawn(const OutboundRecord& record, WithdrawalReason reason) {
    Copy* const copy = book_.find(record, "withdrawn");
    if (copy == nullptr) return;
    trace_.note("    #{:x} is withdrawn: {}", copy->no, spangate::name_of(reason));
    copy->is_withdrawn = true;
}

}  // namespace spangate::simulation
