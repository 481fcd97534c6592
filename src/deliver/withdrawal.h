// A withdrawn record is one that got its number and is then not stored. Every required sink tells
// it through its SinkLedger; the gap book turns it into a `gateway_gap` event (contract §3).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "model/record.h"

namespace spangate {

enum class WithdrawalReason : std::uint8_t {
    not_acknowledged,  // Kafka did not acknowledge in time; it may be in the log all the same
    sink_refusing,     // the sink knew that it cannot store now
    refused,           // the broker said no; it may say yes later
    too_large,         // over the broker's or the client's record limit
    queue_full,        // the client library's own limit bit first
    no_topic,          // no topic is configured for the record's tenant
    write_failed,      // a local file or device failed
    shutdown,          // the drain ended before the record was stored
    invalid_record,    // the broker will never take it
    spool_full,        // no room in the spool's share or on its device
    spool_failed,      // the spool's device failed
    spool_damaged,     // it was in the spool and cannot be read any more
};

inline constexpr std::array<std::string_view, 12> withdrawal_reason_names = {
    "not_acknowledged",
    "sink_refusing",
    "refused",
    "too_large",
    "queue_full",
    "no_topic",
    "write_failed",
    "shutdown",
    "invalid_record",
    "spool_full",
    "spool_failed",
    "spool_damaged",
};

[[nodiscard]] constexpr std::string_view name_of(WithdrawalReason reason) {
    return withdrawal_reason_names[static_cast<std::size_t>(reason)];
}

// Hears from every required sink, on any thread, perhaps under the lock of the record's session
// stripe: it must neither wait nor take a stripe's lock. The record may be gone after the call.
class WithdrawalListener {
  public:
    virtual ~WithdrawalListener() = default;

    virtual void withdrawn(const OutboundRecord& record, WithdrawalReason reason) = 0;

    // Called for records of the type gateway_gap only.
    virtual void gap_stored(const OutboundRecord& record) = 0;
};

}  // namespace spangate
