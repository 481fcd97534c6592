// The door: gives every event its number and hands its records to every sink, in one order.
//
// Under the lock of the session's stripe the counter is found or made, the numbers are written into
// the slots that the encoder left, and the run is handed to all sinks before the lock is let go: so
// records of a session enter every sink in the order of their numbers, whichever lane brings them.
// A number once given is never taken back (contract §3); what a required sink then withdraws is
// told by a `gateway_gap` event, which tick() writes once no required sink refuses.
//
// Tickets: the router takes one hold for each record that a client waits for, and gives no ticket
// to the others (classes that are not required, `ack: memory`, the gateway's own events). Here that
// hold becomes one per required sink. `sinks_open` is set here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/clock.h"
#include "deliver/gap_book.h"
#include "deliver/session_counters.h"
#include "model/batch.h"
#include "model/gap_writer.h"
#include "model/record.h"
#include "observe/metrics.h"

namespace spangate {

// How numbers stand in a value's slots.
enum class SlotForm : std::uint8_t {
    decimal,  // JSON: epoch 13 digits; sequence 20 characters, blanks on the left
    fixed64,  // protobuf: little endian, both
};

struct DeliverySettings {
    SlotForm slots = SlotForm::decimal;
    std::size_t sessions_max = 200'000;     // counters in all stripes
    std::size_t gaps_per_tick_max = 1'000;  // gateway_gap events written in one tick
};

class Delivery {
  public:
    // The sinks, the book and the writer outlive this; at least one sink. `gap_writer` may be null:
    // then gaps stay in the book.
    Delivery(
        const DeliverySettings& settings,
        std::vector<RecordSink*> sinks,
        GapBook& gaps,
        GapWriter* gap_writer,
        const Clock& clock,
        Metrics& metrics
    );

    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    // Takes all records. From any lane; the caller holds each request's own hold meanwhile. Costs
    // one lock per run of records of one session and never waits for a sink.
    void deliver(RecordBatch batch);

    // The first refusing required sink's; asked by admission, from any thread.
    [[nodiscard]] RecordSink::Refusal refusal() const;

    // About once a second, from one thread: writes due gaps.
    void tick();

    // After the lanes have stopped: every sink in turn, to one deadline.
    void drain(SteadyTime deadline);

  private:
    static constexpr std::size_t stripes_count = 64;

    struct alignas(64) Stripe {
        explicit Stripe(std::size_t counters_max) : counters(counters_max) {}

        std::mutex mutex;
        SessionCounters counters;
    };

    using Run = std::span<OutboundRecord* const>;

    [[nodiscard]] Stripe& stripe_of(std::uint64_t session_hash) const {
        return *stripes_[session_hash % stripes_count];
    }

    [[nodiscard]] SessionCounter& counter_of(Stripe& stripe, std::uint64_t session_hash);
    void deliver_run(Run run);
    void hand_over(Run run);
    void number(Run run, SessionCounter& counter) const;
    void write_slots(OutboundRecord& record) const;
    void write_gap(Gap gap);

    const DeliverySettings settings_;
    const std::vector<RecordSink*> sinks_;
    std::uint32_t required_count_ = 0;
    GapBook& gaps_;
    GapWriter* gap_writer_;
    const Clock& clock_;
    Counter& events_;
    Counter& sessions_forgotten_;
    Gauge& sessions_;
    std::vector<std::unique_ptr<Stripe>> stripes_;
};

}  // namespace spangate
