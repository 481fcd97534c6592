// The receipt of one client request, and the only thing that travels back.
//
//   admission ── creates ──▶ Ticket (1 hold: the request itself)
//   lane      ── hold(n) ──▶ one hold per record and required sink, then settles the request's own
//   sinks     ── settle ───▶ each hold once, from any thread
//   at zero   ── Responder::respond(outcome) once, then the ticket deletes itself
//
// The acknowledgement timer may answer earlier with expire(): the client hears `unavailable`, the
// records stay under way, and their memory stays leased until the last hold is settled.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/result.h"

namespace spangate {

// What a client is told.
struct Outcome {
    ErrorCode code = ErrorCode::internal;  // of a failure
    bool is_success = true;
    std::uint64_t rejected_items = 0;  // partial success (OTLP): exact number
    std::string message;               // for people: what and why; for partial success too
    std::uint32_t retry_after_s = 0;   // > 0 on retryable refusals

    [[nodiscard]] static Outcome failure(Error error, std::uint32_t retry_after_s = 0) {
        return {error.code, false, 0, std::move(error.message), retry_after_s};
    }
};

// Carries an outcome to the client; one per request, made by a receiver. respond() is called
// exactly once, from any thread, and must not block. The responder is destroyed with its ticket.
class Responder {
  public:
    virtual ~Responder() = default;
    virtual void respond(const Outcome& outcome) = 0;
};

// What became of the items (spans, log records) of a request, as far as the lane knows.
struct ItemCounts {
    std::uint64_t received = 0;
    std::uint64_t rejected = 0;           // invalid; told to the client as partial success
    std::uint64_t dropped_other = 0;      // no agent meaning
    std::uint64_t dropped_partial = 0;    // unfinished copies
    std::uint64_t dropped_duplicate = 0;  // told before
};

// The ledger of the contract (§8) is counted from this, once, when the ticket is answered.
// Implemented by pipeline/ledger.
class TicketObserver {
  public:
    virtual ~TicketObserver() = default;
    virtual void answered(const Outcome& outcome, const ItemCounts& items) = 0;
};

// What became of one hold, mildest first; the worst of a request decides its answer.
enum class Settlement : std::uint8_t {
    stored,       // acknowledged by Kafka, or fsynced
    retry_later,  // not stored (or not known to be); the same request may succeed later
    rejected,     // never storable
};

class Ticket {
  public:
    Ticket(std::unique_ptr<Responder> responder, TicketObserver* observer, Lease lease)
        : responder_(std::move(responder)),
          observer_(observer),
          lease_(std::move(lease)) {}

    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    // Only by whoever holds one already.
    void hold(std::uint32_t count) { holds_.fetch_add(count, std::memory_order_relaxed); }

    // Settles `count` holds. `reason` is a literal for people («Kafka did not acknowledge in
    // time»); the first one of the worst settlement is told. The ticket may be gone afterwards.
    void settle(Settlement settlement, std::string_view reason = {}, std::uint32_t count = 1) {
        if (settlement != Settlement::stored) note(settlement, reason);
        // Release what this thread wrote to the outcome; the last settler acquires it.
        if (holds_.fetch_sub(count, std::memory_order_acq_rel) == count) finish();
    }

    // Answers now with a failure, if nothing was answered yet; holds stay as they are. The caller
    // keeps a hold or a reference.
    void fail(Error error, std::uint32_t retry_after_s = 0) {
        answer(Outcome::failure(std::move(error), retry_after_s));
    }

    // A reference that is not a hold: keeps the object (not the request) alive, for the timer.
    void ref() { refs_.fetch_add(1, std::memory_order_relaxed); }

    void unref() {
        if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    // The lane's findings, before it settles the request's own hold. False when the request was
    // answered meanwhile (it waited too long): the lane then drops it whole.
    [[nodiscard]] bool set_counts(const ItemCounts& counts) {
        const std::lock_guard lock(mutex_);
        counts_ = counts;
        return !is_answered();
    }

    // Why items were rejected; the first reason is told. Lane only, before its hold is settled.
    void explain_rejected(std::string_view why) {
        if (message_.empty()) message_ = why;
    }

    // Retry-After of refusals, in seconds; from the sink's own estimate.
    void set_retry_after(std::uint32_t seconds) {
        retry_after_s_.store(seconds, std::memory_order_relaxed);
    }

    [[nodiscard]] bool is_answered() const { return answered_.load(std::memory_order_acquire); }

    [[nodiscard]] Lease& lease() { return lease_; }

  private:
    ~Ticket() = default;

    void note(Settlement settlement, std::string_view reason) {
        const std::lock_guard lock(mutex_);
        if (settlement > worst_) {
            worst_ = settlement;
            reason_ = reason;
        }
    }

    void finish() {
        if (worst_ == Settlement::stored) {
            answer({ErrorCode::internal, true, counts_.rejected, message_, 0});
        } else {
            const bool again = worst_ == Settlement::retry_later;
            answer(Outcome::failure(
                {again ? ErrorCode::unavailable : ErrorCode::invalid_argument,
                 std::string(reason_)},
                again ? retry_after_s_.load(std::memory_order_relaxed) : 0
            ));
        }
        lease_.release();  // a reference of the timer must not hold memory
        unref();
    }

    void answer(const Outcome& outcome) {
        ItemCounts counts;
        {
            const std::lock_guard lock(mutex_);
            if (answered_.exchange(true, std::memory_order_acq_rel)) return;
            counts = counts_;
        }
        if (observer_ != nullptr) observer_->answered(outcome, counts);
        responder_->respond(outcome);
    }

    std::unique_ptr<Responder> responder_;
    TicketObserver* observer_;
    Lease lease_;
    std::atomic<std::uint32_t> holds_{1};
    std::atomic<std::uint32_t> refs_{1};
    std::atomic<bool> answered_{false};
    std::atomic<std::uint32_t> retry_after_s_{1};
    std::string message_;  // lane thread only, until the request's hold is settled
    std::mutex mutex_;
    ItemCounts counts_;                      // guarded by mutex_; stable after the last settle
    Settlement worst_ = Settlement::stored;  // guarded by mutex_; read after the last settle
    std::string_view reason_;                // likewise
};

}  // namespace spangate
