// Makes the record that tells of one that can never be delivered (contract §1, dead letters): who
// and where it was, why, and how large; no content.
#pragma once

#include <string_view>

#include "model/record.h"

namespace spangate {

// Called by the delivery room from any thread, rarely; thread-safe.
class DeadLetterWriter {
  public:
    virtual ~DeadLetterWriter() = default;

    // A record with one slab reference of its own and without a ticket, keyed like `lost`, whose
    // bytes are only read. `reason` is a literal of the contract's form Name. Never null.
    [[nodiscard]] virtual OutboundRecord* make_dead_letter(
        const OutboundRecord& lost, std::string_view reason
    ) = 0;
};

}  // namespace spangate
