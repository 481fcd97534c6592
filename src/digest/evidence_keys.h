// The data keys under which a gateway seals evidence. They are made when they are first needed,
// live in memory only, and are known to others as their wrapped record (data_key.h), which travels
// with the evidence they seal. See README.md here for the whole design.
//
//   key_for(scope, tenant, subject, now) ─▶ DataKey ─take_nonces─▶ EvidenceCipher
//                                             └ record: written with evidence until it is stored
//
// A data key belongs to one gateway process and is never read back, so its counter alone makes
// nonces unique. Thread-safe; lanes keep the keys they use and ask again when is_spent().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "digest/aes_gcm.h"
#include "digest/data_key.h"
#include "digest/tenant_keys.h"
#include "model/evidence_key.h"

namespace spangate {

class DataKey {
  public:
    // Far below what GCM allows under one key with counted nonces (2^32 blocks a message, any
    // number of messages); a bound on what one lost key can open.
    static constexpr std::uint64_t messages_max = std::uint64_t{1} << 31;

    DataKey(AesKey key, std::shared_ptr<EvidenceKeyRecord> record, WallNanos spent_at)
        : key_(key),
          record_(std::move(record)),
          spent_at_(spent_at) {}

    [[nodiscard]] const AesKey& key() const { return key_; }

    [[nodiscard]] const std::string& id() const { return record_->key_id; }

    [[nodiscard]] const std::shared_ptr<EvidenceKeyRecord>& record() const { return record_; }

    // Too old, used too often, or retired: a successor is due.
    [[nodiscard]] bool is_spent(WallNanos now) const {
        return now >= spent_at_ || next_nonce_.load(std::memory_order_relaxed) >= messages_max ||
               is_retired_.load(std::memory_order_relaxed);
    }

    // Somebody has erased it: whoever keeps it asks for another one. What it seals at this moment
    // is erased with the rest. Relaxed: nothing else is published with it. The counter goes on, so
    // that no nonce comes twice.
    void retire() { is_retired_.store(true, std::memory_order_relaxed); }

    // The first of `count` counters that nobody else gets. Relaxed: only the value matters.
    [[nodiscard]] std::uint64_t take_nonces(std::uint32_t count) {
        return next_nonce_.fetch_add(count, std::memory_order_relaxed);
    }

  private:
    const AesKey key_;
    const std::shared_ptr<EvidenceKeyRecord> record_;
    const WallNanos spent_at_;
    std::atomic<std::uint64_t> next_nonce_{0};
    std::atomic<bool> is_retired_{false};
};

class EvidenceKeys {
  public:
    // Data keys kept for further use, about 0.8 KiB each; above it the oldest is forgotten, and its
    // subject gets a new one when it comes again.
    static constexpr std::size_t keys_max = 20'000;

    EvidenceKeys(
        std::shared_ptr<const TenantKeys> tenants,
        KeyScope per,
        std::chrono::milliseconds rotate_after
    );

    [[nodiscard]] KeyScope per() const { return per_; }

    // Null: the tenant has no key. `scope` is per(), or session for what has no user. Takes a lock;
    // makes a key (about 10 µs) when there is none or it is spent.
    [[nodiscard]] std::shared_ptr<DataKey> key_for(
        KeyScope scope, std::string_view tenant_id, std::string_view subject, WallNanos now
    );

    // The data key of that id was erased: it is used no more, and its subject gets a new one when
    // it comes again. False: it is not one of those in use here.
    bool retire(std::string_view key_id);

    // A subject's name, for maps: appends scope, tenant and subject, unambiguously.
    static void append_name(
        KeyScope scope, std::string_view tenant_id, std::string_view subject, std::string& out
    );

  private:
    void forget_oldest();
    [[nodiscard]] std::shared_ptr<DataKey> make(
        const TenantKey& wrapping,
        KeyScope scope,
        std::string_view tenant_id,
        std::string_view subject,
        WallNanos now
    ) const;

    const std::shared_ptr<const TenantKeys> tenants_;
    const KeyScope per_;
    const WallNanos rotate_after_;
    std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<DataKey>> keys_;  // guarded by mutex_
    std::deque<std::string> order_;  // names in keys_, the oldest first; guarded by mutex_
    // The keys of keys_ by their ids; guarded by mutex_.
    std::map<std::string, std::shared_ptr<DataKey>, std::less<>> by_id_;
};

}  // namespace spangate
