// Reads the operational class once, event by event, into a SessionLedger.
#pragma once

#include <cstdint>
#include <string>

#include "app/reading_place.h"
#include "base/result.h"
#include "report/session_ledger.h"

namespace spangate {

// `tenant_id`, `session_id`: empty for all. The number of records that could not be read.
[[nodiscard]] Result<std::uint64_t> read_sessions(
    const ReadingPlace& place, const std::string& session_id, SessionLedger& ledger
);

// «DIR», «agent.operational on host:9092».
[[nodiscard]] std::string source_of(const ReadingPlace& place);

}  // namespace spangate
