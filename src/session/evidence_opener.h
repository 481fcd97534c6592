// Opens sealed evidence for whoever holds the tenants' keys. One thread; keeps the data keys it has
// unwrapped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "digest/evidence_cipher.h"
#include "digest/tenant_keys.h"
#include "session/event_reader.h"
#include "session/evidence_key_store.h"
#include "session/evidence_record.h"

namespace spangate {

enum class Opening : std::uint8_t {
    opened,
    no_data_key,    // erased, or never stored
    no_tenant_key,  // the data key is there, but not the tenant's key that wraps it
    broken,         // sealed for another place, or changed since
};

class EvidenceOpener {
  public:
    // Both outlive the opener; `tenants` may be null: then nothing sealed opens.
    EvidenceOpener(const EvidenceKeyStore& store, const TenantKeys* tenants)
        : store_(store),
          tenants_(tenants) {}

    // The chunk's bytes of the parts' JSON into `text`; a chunk in clear is its own.
    [[nodiscard]] Opening open(const EvidenceRecord& chunk, std::string& text);

  private:
    const EvidenceKeyStore& store_;
    const TenantKeys* const tenants_;
    EvidenceCipher cipher_;
    std::map<std::string, std::optional<AesKey>, std::less<>> keys_;  // nothing: does not unwrap
};

// The evidence of one telling of an event, put together from its chunks.
struct EvidenceContent {
    std::string tenant_id;
    std::string session_id;
    std::string event_id;
    std::string commitment;
    Opening opening = Opening::opened;
    bool is_whole = false;  // every chunk was there
    std::string parts_json;  // [{"key":…,"role":…,"media_type":…,"content":…}, …]; when opened
};

// Everything `reader` gives of class evidence, in the order of first chunks; holds all of it in
// memory, so give it a session. The caller has written to the audit topic who reads, and why.
[[nodiscard]] Result<std::vector<EvidenceContent>> read_evidence(
    EventReader& reader, EvidenceOpener& opener
);

}  // namespace spangate
