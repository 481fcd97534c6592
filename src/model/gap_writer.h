// Makes the event that explains a hole in a session's numbers (contract §3, `gateway_gap`).
#pragma once

#include <cstdint>
#include <string_view>

#include "model/record.h"
#include "model/session_key.h"

namespace spangate {

struct GapNotice {
    SessionKey session;          // borrowed for the call
    std::uint64_t epoch = 0;     // gateway_epoch the numbers were given in
    std::uint64_t seq_from = 0;  // first and last number that was given and not delivered
    std::uint64_t seq_to = 0;
    std::string_view reason;  // a literal of the contract's form Name
};

// Called by the delivery room from one thread at a time, about once a second.
class GapWriter {
  public:
    virtual ~GapWriter() = default;

    // An operational record of the type gateway_gap with `session_hash` and both slots set and one
    // slab reference of its own; it has no ticket. Null: it cannot be made now, ask again later.
    [[nodiscard]] virtual OutboundRecord* make_gap(const GapNotice& notice) = 0;
};

}  // namespace spangate
