// What an error of librdkafka or of a broker means for a record: one table.
#pragma once

#include <cstdint>

#include "deliver/withdrawal.h"
#include "model/ticket.h"

namespace spangate {

enum class DeliveryVerdict : std::uint8_t {
    stored,
    retry_later,  // the same record may be taken later
    rejected,     // never
    resend,       // by us: the producer broke, the record is as good as it was
};

struct DeliveryError {
    DeliveryVerdict verdict = DeliveryVerdict::retry_later;
    WithdrawalReason reason = WithdrawalReason::refused;
    bool opens_circuit = false;  // others would meet the same
};

// `code` is an rd_kafka_resp_err_t of a delivery report. A code that no row names is retried later:
// nothing is lost by a code that we have not met.
[[nodiscard]] DeliveryError delivery_error(int code);

}  // namespace spangate
