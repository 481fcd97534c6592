// From configuration to the rules a pipeline walks under, and to the name of this gateway.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "digest/evidence_keys.h"
#include "digest/hash_key.h"
#include "pipeline/rules.h"

namespace spangate {

[[nodiscard]] std::string host_name();

// `<name>-<boot id>`: a restarted gateway is another one, so its numbers start anew. Call it before
// threads start.
[[nodiscard]] std::string make_gateway_id(const InterpretConfig& config);

// The built-in table, or the file that replaces it.
[[nodiscard]] Result<std::shared_ptr<const Conventions>> read_conventions(
    const InterpretConfig& config
);

// The same for the price table.
[[nodiscard]] Result<std::shared_ptr<const PriceTable>> read_prices(const InterpretConfig& config);

// One file alone, as `spangate check` looks at it.
[[nodiscard]] Result<std::shared_ptr<const Conventions>> read_conventions(const std::string& path);
[[nodiscard]] Result<std::shared_ptr<const PriceTable>> read_prices(const std::string& path);

// Whether there are wrapped data keys to store.
[[nodiscard]] inline bool has_evidence_keys(const EvidenceConfig& config) {
    return config.enabled && !config.encrypt_key_file.empty();
}

// From the tenants' key file; null when evidence is off or in clear.
[[nodiscard]] Result<std::shared_ptr<EvidenceKeys>> read_evidence_keys(const EvidenceConfig& config
);

// Reads the tables and compiles patterns; fails with all that is wrong in them.
[[nodiscard]] Result<std::shared_ptr<const Rules>> make_rules(
    const Config& config, const HashKey& hash_key, const std::string& gateway_id
);

}  // namespace spangate
