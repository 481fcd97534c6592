// The oracle: every record that the simulated gateway was given, what its client heard, and where
// it stands in Kafka. Says what the contract (§8) was broken by first.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "model/record.h"
#include "simulation/plan.h"
#include "spool/spool_space.h"
#include "support/manual_clock.h"

namespace spangate::simulation {

// One record under one number: an event as it was given to one line once. A client's repeat is a
// copy of its own with the same event_id, and so is a dead letter.
struct Copy {
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    static constexpr std::uint32_t holds = 1'000;  // ours, so that one settlement too many is seen

    OutboundRecord record;  // lent to the line
    std::string bytes;      // the record's key and value
    std::uint32_t no = 0;
    std::uint32_t line = 0;
    std::uint32_t process = 0;
    std::uint32_t session = 0;
    std::uint32_t event = 0;    // of the session, from 1
    std::uint32_t group = 0;    // the first event of its request
    std::uint32_t lost = none;  // of a dead letter: the copy that it tells of
    std::uint32_t letter = none;
    std::int64_t place = -1;  // first, in its partition
    bool is_invalid = false;  // no broker takes it
    bool is_accepted = false;
    bool must_arrive = false;   // without an answer; unless withdrawn or its process crashes
    bool is_withdrawn = false;  // told to the gap book
    bool is_dead_lettered = false;
    bool was_refused_alone = false;

    [[nodiscard]] bool is_settled() const { return record.sinks_open.load() != holds; }
};

// Printed when a seed is looked at; costs nothing else.
class Trace {
  public:
    Trace(bool is_on, const testing::ManualClock& clock) : is_on_(is_on), clock_(clock) {}

    template <typename... Args>
    void note(fmt::format_string<Args...> text, Args&&... args) {
        if (!is_on_) return;
        const double seconds =
            std::chrono::duration<double>(clock_.steady().time_since_epoch()).count() - 1;
        fmt::print("{:9.3f}  ", seconds);
        fmt::print(text, std::forward<Args>(args)...);
        fmt::print("\n");
    }

  private:
    const bool is_on_;
    const testing::ManualClock& clock_;
};

class Book {
  public:
    Book(const Plan& plan, Trace& trace) : plan_(plan), trace_(trace) {}

    // What a copy is told to be; the rest of the record follows from it.
    struct Wish {
        std::uint32_t line = 0;
        std::uint32_t process = 0;
        std::uint32_t session = 0;
        std::uint32_t event = 0;
        std::uint32_t group = 0;
        std::uint64_t epoch = 0;
        std::uint64_t seq = 0;
        std::uint32_t bytes = 40;
        bool is_invalid = false;
        std::uint32_t lost = Copy::none;
    };

    Copy& make(const Wish& wish);

    // The copy that a record is of, after a look at all that must be as it was.
    Copy* find(const OutboundRecord& record, std::string_view where);

    [[nodiscard]] Copy& at(std::uint32_t no) { return copies_[no]; }

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(copies_.size()); }

    // The marker at the front of a copy's value; no other bytes hold it.
    [[nodiscard]] static std::string marker_of(std::uint32_t no);

    void appended(Copy& copy, std::uint32_t partition);

    // Every copy that is not settled yet is looked at again; also that none is settled twice.
    void watch_settlements();

    // With its process goes what nobody was promised.
    void crashed(std::uint32_t process);

    // At the end, with everything delivered that ever will be.
    void check_nothing_is_lost();
    void check_order();
    void check_holes();
    void check_all_settled();

    void fail(std::string what);

    // Empty: nothing is wrong.
    [[nodiscard]] const std::string& wrong() const { return wrong_; }

    // Grows whenever something moves on.
    [[nodiscard]] std::uint64_t progress() const { return progress_; }

    // Of all that happened, for the comparison of two runs.
    [[nodiscard]] std::uint64_t digest() const { return digest_; }

    void mix(std::uint64_t number) {
        digest_ = (digest_ ^ number) * 0x100000001b3ULL;
        ++progress_;
    }

  private:
    [[nodiscard]] std::string name_of(const Copy& copy) const;
    void check_events_in_order(std::uint32_t line, std::uint32_t session);
    void check_numbers_in_order(std::uint32_t line, std::uint32_t session);

    const Plan& plan_;
    Trace& trace_;
    std::deque<Copy> copies_;
    std::vector<std::uint32_t> open_;                                          // not settled yet
    std::array<std::array<std::int64_t, 8>, spool_lines_count> next_place_{};  // by line, partition
    std::string wrong_;
    std::uint64_t progress_ = 0;
    std::uint64_t digest_ = 0xcbf29ce484222325ULL;
};

}  // namespace spangate::simulation
