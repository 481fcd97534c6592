#include "digest/evidence_keys.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "digest/sha256.h"

namespace spangate {
namespace {

constexpr WallNanos nanos_per_ms = 1'000'000;
constexpr std::size_t key_id_bytes = 16;

}  // namespace

EvidenceKeys::EvidenceKeys(
    std::shared_ptr<const TenantKeys> tenants, KeyScope per, std::chrono::milliseconds rotate_after
)
    : tenants_(std::move(tenants)),
      per_(per),
      rotate_after_(rotate_after.count() * nanos_per_ms) {}

// No id holds a zero byte.
void EvidenceKeys::append_name(
    KeyScope scope, std::string_view tenant_id, std::string_view subject, std::string& out
) {
    out += static_cast<char>('0' + static_cast<int>(scope));
    out += tenant_id;
    out += '\0';
    out += subject;
}

std::shared_ptr<DataKey> EvidenceKeys::key_for(
    KeyScope scope, std::string_view tenant_id, std::string_view subject, WallNanos now
) {
    const TenantKey* const wrapping = tenants_->newest(tenant_id);
    if (wrapping == nullptr) return nullptr;
    std::string name;
    append_name(scope, tenant_id, subject, name);
    const std::lock_guard lock(mutex_);
    const auto known = keys_.find(name);
    if (known != keys_.end() && !known->second->is_spent(now)) return known->second;
    std::shared_ptr<DataKey> made = make(*wrapping, scope, tenant_id, subject, now);
    by_id_.emplace(made->id(), made);
    if (known != keys_.end()) {
        by_id_.erase(known->second->id());
        known->second = made;
        return made;
    }
    if (keys_.size() >= keys_max) forget_oldest();
    keys_.emplace(name, made);
    order_.push_back(std::move(name));
    return made;
}

// Lanes that still keep it ask again, so that no key is in use which retire() would not find.
void EvidenceKeys::forget_oldest() {
    const auto oldest = keys_.find(order_.front());
    oldest->second->retire();
    by_id_.erase(oldest->second->id());
    keys_.erase(oldest);
    order_.pop_front();
}

bool EvidenceKeys::retire(std::string_view key_id) {
    const std::lock_guard lock(mutex_);
    const auto known = by_id_.find(key_id);
    if (known == by_id_.end()) return false;
    known->second->retire();
    return true;
}

std::shared_ptr<DataKey> EvidenceKeys::make(
    const TenantKey& wrapping,
    KeyScope scope,
    std::string_view tenant_id,
    std::string_view subject,
    WallNanos now
) const {
    const AesKey key = AesKey::random();
    std::array<std::uint8_t, key_id_bytes> id{};
    fill_random(id);
    StoredDataKey stored;
    stored.key_id = to_hex(id);
    stored.tenant_id = tenant_id;
    stored.per = scope;
    stored.subject = subject;
    stored.created = now;
    wrap(key, wrapping, stored);
    auto record = std::make_shared<EvidenceKeyRecord>();
    record->key_id = stored.key_id;
    record->tenant_id = stored.tenant_id;
    record->value = to_json(stored);
    return std::make_shared<DataKey>(key, std::move(record), now + rotate_after_);
}

}  // namespace spangate
