// The evidence of one item (contract §6): its raw content parts as JSON, cut into chunks and bound
// by a commitment. Belongs to one lane.
//
//   parts_json = [{"key":…,"role":…,"media_type":…,"content":…}, …]
//   c_i        = SHA-256("spangate/evidence/1" 0 event_id i n salt payload_i), i and n as u32be
//   commitment = SHA-256("spangate/evidence-root/1" 0 c_0 … c_n-1), in hex
//
// `event_id` is the primary event's id as its 32 characters; payload_i are bytes
// [i × chunk_bytes, (i + 1) × chunk_bytes) of parts_json, cut at exact byte positions.
//
// `content` is always a string: a string attribute's own text, any other value as its JSON. `key`
// is the attribute's key with its place before it unless it is the span's own:
// `event:<event name>[<index>].<key>`, `link[<index>].<key>`, `resource.<key>`, `scope.<key>`;
// `status_message`, `span_name`, `scope_name`, `scope_version`, `event[<index>].name` and a log
// record's `body`, `severity_text`, `event_name` are what is no attribute.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "digest/sha256.h"
#include "model/batch.h"
#include "model/span_view.h"

namespace spangate {

// Parts under way, without the brackets around them.
class EvidenceParts {
  public:
    void clear() { json_.clear(); }

    void add(std::string_view key, ContentRole role, const Value& value);

    // Parts made before; may be empty.
    void add_parts(std::string_view json);

    [[nodiscard]] std::string_view json() const { return json_; }

    [[nodiscard]] bool empty() const { return json_.empty(); }

    void trim();

  private:
    std::string json_;
    std::string scratch_;
};

class EvidenceWriter {
  public:
    explicit EvidenceWriter(std::uint64_t chunk_bytes_max) : chunk_bytes_max_(chunk_bytes_max) {}

    // The payload of an item whose parts are not empty; its bytes stand in `arena`.
    [[nodiscard]] EvidencePayload write(
        const EvidenceParts& parts, const EventId& event_id, Arena& arena
    );

  private:
    static constexpr std::size_t salt_bytes = 32;
    static constexpr std::size_t salts_count = 64;  // taken from the system at once

    void take_salt(std::array<std::uint8_t, salt_bytes>& salt);

    std::uint64_t chunk_bytes_max_;
    std::array<std::uint8_t, salt_bytes * salts_count> salts_{};
    std::size_t salts_left_ = 0;
    Sha256 chunk_hash_;
    Sha256 root_hash_;
};

}  // namespace spangate
