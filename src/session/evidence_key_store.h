// The wrapped data keys that exist now: from their topic, or from the file beside JSONL evidence.
// What is not in here opens nothing any more.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "digest/data_key.h"
#include "session/event_fields.h"

namespace spangate {

class EvidenceKeyStore {
  public:
    // Reads the topic to its end as of now; the last value of a key counts, a tombstone removes
    // it. not_found: there is no such topic.
    [[nodiscard]] static Result<EvidenceKeyStore> read(const KafkaConfig& config);

    // not_found: there is no such file.
    [[nodiscard]] static Result<EvidenceKeyStore> read(const std::string& directory);

    // One record; an empty value removes the key, as of `stored_at` (0: not known). Values that are
    // no key are counted.
    void add(std::string_view key_id, std::string_view value, WallNanos stored_at = 0);

    [[nodiscard]] const StoredDataKey* find(std::string_view key_id) const;

    // The keys of one subject; without one, all of the tenant.
    [[nodiscard]] std::vector<const StoredDataKey*> of(
        std::string_view tenant_id, KeyScope per, std::string_view subject
    ) const;

    [[nodiscard]] std::vector<const StoredDataKey*> of(std::string_view tenant_id) const;

    // When the key was erased, while its tombstone is there to tell.
    [[nodiscard]] std::optional<WallNanos> erased_at(std::string_view key_id) const;

    [[nodiscard]] std::size_t size() const { return keys_.size(); }

    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

  private:
    std::map<std::string, StoredDataKey, std::less<>> keys_;
    std::map<std::string, WallNanos, std::less<>> erased_;
    EventFields fields_;
    std::uint64_t damaged_ = 0;
};

}  // namespace spangate
