// What a segment keeps of one record: all that is needed to hand it to Kafka again, exactly as it
// was. Views into a buffer of the log (or of the caller); valid until the next call to the log.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/agent_event.h"
#include "model/event_type.h"

namespace spangate {

struct SpoolRecord {
    EventClass event_class = EventClass::operational;
    EventType event_type = EventType::other;
    EventSource source = EventSource::span;
    bool starts_event = true;
    bool is_evidence_key = false;
    EventId event_id{};
    std::int64_t timestamp_ms = 0;  // Kafka's CreateTime: ts_received, kept through the spool
    std::uint64_t session_hash = 0;
    std::uint64_t gateway_epoch = 0;
    std::uint64_t gateway_seq = 0;
    std::string_view tenant_id;
    std::string_view key;
    std::string_view traceparent;
    std::string_view value;
};

}  // namespace spangate
