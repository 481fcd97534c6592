// What an error of librdkafka or of a broker means for a record: one table.
#pragma once

#include <cstdint>

#include "deliver/withdrawal.h"

namespace spangate {

enum class DeliveryVerdict : std::uint8_t {
    stored,
    collect,  // the same record may be taken later: to the spool, or back to the client
    split,    // refused for what may be one record of its batch: tried alone, then dead-lettered
    rebuild,  // the producer broke: the record is as good as it was
    purged,   // we took it back ourselves; it may be in the log all the same
};

struct DeliveryError {
    DeliveryVerdict verdict = DeliveryVerdict::collect;
    WithdrawalReason reason = WithdrawalReason::refused;
};

// `code` is an rd_kafka_resp_err_t of a delivery report or of produce(). A code that no row names
// is retried later: nothing is lost by a code that we have not met.
[[nodiscard]] DeliveryError delivery_error(int code);

}  // namespace spangate
