// What a stored record of any class tells about evidence: its commitment on operational and detail,
// one chunk on evidence. From JSON or protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "digest/sha256.h"
#include "session/event_fields.h"
#include "session/event_reader.h"

namespace spangate {

struct EvidenceRecord {
    EventClass event_class = EventClass::operational;
    std::string tenant_id;
    std::string session_id;
    std::string event_id;    // of the event that the evidence belongs to: the primary one
    std::string commitment;  // hex; empty: the event has no evidence

    // Of evidence only.
    std::uint32_t index = 0;
    std::uint32_t count = 0;
    std::string salt;     // bytes
    std::string payload;  // bytes
    std::string key_id;   // empty: in clear

    // c_i of the contract.
    [[nodiscard]] Sha256Digest leaf(Sha256& hasher) const;
};

// One thread.
class EvidenceRecordReader {
  public:
    // False when the record is none of ours or is damaged.
    [[nodiscard]] bool read(const StoredEvent& event, EvidenceRecord& record);

  private:
    [[nodiscard]] bool read_json(std::string_view value, EvidenceRecord& record);

    EventFields fields_;
};

}  // namespace spangate
