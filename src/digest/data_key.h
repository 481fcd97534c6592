// A data key as it is stored: wrapped by its tenant's key, with all that tells whose content it
// opens. One JSON object, the value of a record whose key is `key_id`:
//
//   {"schema_version":1,"key_id":…,"tenant_id":…,"per":"tenant"|"session"|"user","subject":…,
//    "wrapped":<base64>,"wrapping_key_id":…,"created":<RFC 3339>}
//
//   wrapped = nonce (12 random bytes) ‖ AES-256-GCM(tenant's key, data key) (32) ‖ tag (16)
//   AAD     = "spangate/evidence-key/1" ‖ 0 ‖ each of key_id, tenant_id, per, subject,
//             wrapping_key_id as u32be length ‖ bytes
//
// So a wrapped key that is moved to another tenant or subject does not open.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "digest/aes_gcm.h"
#include "digest/tenant_keys.h"

namespace spangate {

// Whose content one data key covers, and erases with it.
enum class KeyScope : std::uint8_t { tenant, session, user };

[[nodiscard]] std::string_view name_of(KeyScope scope);
[[nodiscard]] std::optional<KeyScope> key_scope_from(std::string_view name);

struct StoredDataKey {
    std::string key_id;
    std::string tenant_id;
    KeyScope per = KeyScope::tenant;
    std::string subject;  // tenant_id, session_id or user_ref, as published
    std::string wrapped;  // bytes
    std::string wrapping_key_id;
    WallNanos created = 0;
};

// Fills `wrapped` and `wrapping_key_id`. Random nonces under one tenant key: take a new one before
// 2^32 data keys (SP 800-38D §8.3).
void wrap(const AesKey& key, const TenantKey& wrapping, StoredDataKey& stored);

// Nothing when no tenant key of that id is known, or it does not open.
[[nodiscard]] std::optional<AesKey> unwrap(const StoredDataKey& stored, const TenantKeys& tenants);

[[nodiscard]] std::string to_json(const StoredDataKey& stored);

}  // namespace spangate
