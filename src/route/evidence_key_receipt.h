// The receipt of one wrapped data key: evidence must not be acknowledged to a client before the key
// that opens it is. So a key's record has a ticket of its own, whose answer is passed on to the
// request's ticket and tells the key that it need not be written again.
#pragma once

#include <memory>
#include <utility>

#include "model/evidence_key.h"
#include "model/ticket.h"

namespace spangate {

class EvidenceKeyReceipt final : public Responder {
  public:
    // `waiting` has been given a hold for this; null: nobody waits for evidence.
    EvidenceKeyReceipt(std::shared_ptr<EvidenceKeyRecord> key, Ticket* waiting)
        : key_(std::move(key)),
          waiting_(waiting) {}

    void respond(const Outcome& outcome) override {
        if (outcome.is_success) key_->is_stored.store(true, std::memory_order_release);
        if (waiting_ == nullptr) return;
        if (outcome.is_success) {
            waiting_->settle(Settlement::stored);
            return;
        }
        const bool again = Error{outcome.code, {}}.retryable();
        if (again) waiting_->set_retry_after(outcome.retry_after_s);
        waiting_->settle(
            again ? Settlement::retry_later : Settlement::rejected,
            "the data key of evidence was not stored"
        );
    }

  private:
    const std::shared_ptr<EvidenceKeyRecord> key_;
    Ticket* const waiting_;
};

}  // namespace spangate
