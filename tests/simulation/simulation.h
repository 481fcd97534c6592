// One seed, one run: clients, the delivery lines with their spool, Kafka and a disk, all in one
// thread and in a time of their own. First random steps with faults; then everything is healed, and
// what the contract promises must come true within a bounded time; then a last look at it all.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/slab.h"
#include "deliver/dead_letter_desk.h"
#include "deliver/ledger_series.h"
#include "deliver/line.h"
#include "simulation/book.h"
#include "simulation/kafka.h"
#include "simulation/plan.h"
#include "support/manual_clock.h"
#include "support/simulated_disk.h"

namespace spangate::simulation {

struct Verdict {
    std::string wrong;  // empty: all held
    std::uint64_t digest = 0;

    // How much of the product a run came to.
    std::uint32_t accepted = 0;
    std::uint32_t refused = 0;
    std::uint32_t spooled = 0;
    std::uint32_t letters = 0;
    std::uint32_t crashes = 0;
    std::array<std::uint32_t, line_state_names.size()> entered{};  // states of lines
    double healing_s = 0;  // simulated time from the last fault until everything was at rest
};

class Simulation final : private DeadLetterDesk, private WithdrawalListener {
  public:
    explicit Simulation(std::uint64_t seed, Mutant mutant = Mutant::none, bool has_trace = false);
    ~Simulation() override;

    [[nodiscard]] Verdict run();

  private:
    // A client's request: some events of one session, all records on one ticket.
    struct Request {
        std::uint32_t session = 0;
        std::vector<std::uint32_t> events;
        std::vector<std::uint32_t> copies;
        Ticket* ticket = nullptr;
        SteadyTime sent_at{};
        std::uint32_t process = 0;
        bool is_answered = false;
        bool is_heard = false;  // by its client
    };

    struct Session {
        std::uint32_t next_event = 1;
        std::uint32_t under_way = 0;                                             // requests
        std::uint64_t next_seq = 1;                                              // of this process
        std::vector<std::pair<SteadyTime, std::vector<std::uint32_t>>> repeats;  // when, events
    };

    class Answer;

    // A line of the process that lives.
    struct Place {
        std::unique_ptr<Line> line;
        SpoolLog* log = nullptr;  // the line's
        std::unique_ptr<LedgerSeries> series;
    };

    // simulation.cc: what happens
    void take_step();
    void break_kafka();
    void break_disk();
    void heal();
    void heal_disk();
    void settle_down();
    void send_fresh();
    void warm_up();
    void suffer_outage();
    [[nodiscard]] bool is_at_rest();
    void look_around();
    void check_ledger(std::uint32_t line);

    [[nodiscard]] bool is_over() const { return !book_.wrong().empty(); }

    // gateway.cc: the process
    void start();
    void start_line(std::uint32_t line);
    void crash(bool is_power_cut);
    void bury_process();
    void shut_down();
    void stop_lines(std::uint32_t first, std::uint32_t last, SteadyTime deadline);
    void step_line(std::uint32_t line);
    void rotate();
    void take(
        const OutboundRecord& lost, WithdrawalReason reason, std::unique_ptr<Responder> receipt
    ) override;
    void withdrawn(const OutboundRecord& record, WithdrawalReason reason) override;

    void gap_stored(const OutboundRecord& /*record*/) override {}

    // clients.cc
    void act_as_clients(std::uint32_t percent);
    bool send_something(std::uint32_t session);
    void send(std::uint32_t session, std::vector<std::uint32_t> events);
    void give(Request& request);
    [[nodiscard]] std::string_view refusal() const;
    [[nodiscard]] Book::Wish wish_for(std::uint32_t session, std::uint32_t event) const;
    void answered(std::size_t number, const Outcome& outcome);
    void accept(Request& request);
    void watch_answers();
    void let_go(Request& request);

    const Plan plan_;
    Dice dice_;
    testing::ManualClock clock_;
    Trace trace_;
    Book book_;
    SlabPool slabs_;
    testing::SimulatedDisk disk_;
    Kafka kafka_;

    std::unique_ptr<Metrics> metrics_;
    std::unique_ptr<SpoolSpace> space_;
    std::array<Place, spool_lines_count> places_;
    std::uint32_t process_ = 0;
    std::uint64_t epoch_ = 0;
    bool is_alive_ = false;  // the process takes requests, and its answers reach clients
    bool is_stopping_ = false;
    bool are_lanes_busy_ = false;
    bool is_quiet_ = false;          // clients send nothing of their own accord
    bool are_events_plain_ = false;  // such as any broker takes

    std::vector<Session> sessions_;
    std::deque<Request> requests_;
    std::size_t first_open_request_ = 0;
    Verdict verdict_;
};

}  // namespace spangate::simulation
