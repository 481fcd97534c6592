// The evidence of one item (contract §6): its raw content parts as JSON, cut into chunks, sealed
// where evidence is encrypted, and bound by a commitment. Belongs to one lane.
//
//   parts_json = [{"key":…,"role":…,"media_type":…,"content":…}, …]
//   payload_i  = bytes [i × chunk_bytes, (i + 1) × chunk_bytes) of parts_json, cut at exact byte
//                positions; sealed one by one (digest/evidence_cipher.h) under a data key
//   c_i        = SHA-256("spangate/evidence/1" 0 event_id i n salt payload_i), i and n as u32be
//   commitment = SHA-256("spangate/evidence-root/1" 0 c_0 … c_n-1), in hex
//
// `event_id` is the primary event's id as its 32 characters.
//
// `content` is always a string: a string attribute's own text, any other value as its JSON. `key`
// is the attribute's key with its place before it unless it is the span's own:
// `event:<event name>[<index>].<key>`, `link[<index>].<key>`, `resource.<key>`, `scope.<key>`;
// `status_message`, `span_name`, `scope_name`, `scope_version`, `event[<index>].name` and a log
// record's `body`, `severity_text`, `event_name` are what is no attribute.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/arena.h"
#include "digest/evidence_cipher.h"
#include "digest/evidence_keys.h"
#include "digest/sha256.h"
#include "model/batch.h"
#include "model/record_limits.h"
#include "model/span_view.h"
#include "observe/metrics.h"

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

// Whose evidence it is, as published.
struct EvidenceOwner {
    std::string_view tenant_id;
    std::string_view session_id;
    std::string_view user_ref;  // empty: nobody is known
    EventId event_id;           // the primary event's
    WallNanos received_at = 0;
};

class EvidenceWriter {
  public:
    explicit EvidenceWriter(std::uint64_t chunk_bytes_max) : chunk_bytes_max_(chunk_bytes_max) {}

    // From now on evidence is sealed. What has no tenant key is then withheld and counted.
    void seal_with(std::shared_ptr<EvidenceKeys> keys, Metrics& metrics);

    // From now on a record fits what `limits` (which outlives the writer) says, too.
    void fit(const RecordLimits& limits) { limits_ = &limits; }

    // The payload of an item whose parts are not empty; its bytes stand in `arena`. Empty when it
    // must be withheld.
    [[nodiscard]] EvidencePayload write(
        const EvidenceParts& parts, const EvidenceOwner& owner, Arena& arena
    );

  private:
    static constexpr std::size_t salt_bytes = 32;
    static constexpr std::size_t salts_count = 64;  // taken from the system at once
    static constexpr std::size_t keys_kept_max = 1'024;

    void take_salt(std::array<std::uint8_t, salt_bytes>& salt);
    [[nodiscard]] std::uint64_t chunk_bytes() const;
    [[nodiscard]] DataKey* key_for(const EvidenceOwner& owner);
    void seal(
        std::string_view parts, const EvidenceOwner& owner, Arena& arena, EvidencePayload& payload
    );
    void commit(const EventId& event_id, EvidencePayload& payload);

    std::uint64_t chunk_bytes_max_;
    const RecordLimits* limits_ = nullptr;
    std::array<std::uint8_t, salt_bytes * salts_count> salts_{};
    std::size_t salts_left_ = 0;
    Sha256 chunk_hash_;
    Sha256 root_hash_;

    std::shared_ptr<EvidenceKeys> keys_;  // null: in clear
    Counter* withheld_ = nullptr;
    Counter* keys_used_ = nullptr;
    EvidenceCipher cipher_;
    std::unordered_map<std::string, std::shared_ptr<DataKey>> kept_keys_;  // by append_name()
    std::string name_;                                                     // scratch
};

}  // namespace spangate
