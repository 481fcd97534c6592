// The tenants' keys: what wraps the data keys of evidence. From a file that only the gateways and
// the readers with the right to evidence have:
//
//   tenants:                      YAML, or the same as JSON
//     acme:                       newest first: the first one wraps, the others only unwrap
//       - {id: acme-2, key: <32 bytes as 64 hex digits or as base64>}
//       - {id: acme-1, key: …}
//     default:                    for every tenant that is not listed; may be left out
//       - {id: all-1, key: …}
//
// Taking a key out of every copy of the file destroys what it wrapped, for good. Immutable,
// thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "digest/aes_gcm.h"

namespace spangate {

struct TenantKey {
    std::string id;  // of the Id form, once in a file
    AesKey key;
};

class TenantKeys {
  public:
    // Refused when others than its owner may read or change the file; its group may read it,
    // because that is how Kubernetes mounts secrets for a process that is not root. Messages name
    // places and ids, never a key.
    [[nodiscard]] static Result<std::shared_ptr<const TenantKeys>> load(const std::string& path);

    // `name` stands in messages.
    [[nodiscard]] static Result<std::shared_ptr<const TenantKeys>> parse(
        std::string_view text, std::string_view name
    );

    // The key that wraps now; null when the tenant is not listed and there is no default.
    [[nodiscard]] const TenantKey* newest(std::string_view tenant_id) const;

    // For unwrapping; null when it is not in the file (any more).
    [[nodiscard]] const TenantKey* find(std::string_view key_id) const;

    [[nodiscard]] bool has_default() const { return newest_.contains("default"); }

  private:
    std::vector<TenantKey> keys_;
    std::map<std::string, std::size_t, std::less<>> newest_;  // tenant → index into keys_
    std::map<std::string, std::size_t, std::less<>> by_id_;
};

}  // namespace spangate
