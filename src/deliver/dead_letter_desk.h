// Where a line takes a record that can never be delivered, and how it hears what became of the
// letter: answers come from the thread of the dead-letter line, and wait in a box for the owner's.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "deliver/withdrawal.h"
#include "model/record.h"
#include "model/ticket.h"

namespace spangate {

class DeadLetterDesk {
  public:
    virtual ~DeadLetterDesk() = default;

    // Writes a dead letter of `lost`, whose bytes are read during the call only, and hands it over.
    // `receipt` hears once, from any thread, perhaps before this returns. From a line's thread.
    virtual void take(
        const OutboundRecord& lost, WithdrawalReason reason, std::unique_ptr<Responder> receipt
    ) = 0;
};

// Thread-safe. Lives as long as a receipt that may still be answered.
class LetterBox {
  public:
    struct Answer {
        OutboundRecord* lost = nullptr;
        bool is_stored = false;
    };

    void put(Answer answer) {
        const std::lock_guard lock(mutex_);
        answers_.push_back(answer);
    }

    [[nodiscard]] std::vector<Answer> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(answers_, {});
    }

  private:
    std::mutex mutex_;
    std::vector<Answer> answers_;
};

class LetterReceipt final : public Responder {
  public:
    // `lost` is only a name here: it is not touched.
    LetterReceipt(std::shared_ptr<LetterBox> box, OutboundRecord* lost)
        : box_(std::move(box)),
          lost_(lost) {}

    void respond(const Outcome& outcome) override { box_->put({lost_, outcome.is_success}); }

  private:
    const std::shared_ptr<LetterBox> box_;
    OutboundRecord* const lost_;
};

}  // namespace spangate
