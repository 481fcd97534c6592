// The cluster's hash key and what is made with it (contract §3, §5 Forms and Digests): keyed names
// for values that must not be published but must stay comparable. HMAC-SHA-256 (RFC 2104).
// Immutable and thread-safe after construction; the key never leaves.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "digest/sha256.h"
#include "model/span_view.h"

namespace spangate {

class HashKey {
  public:
    // Any non-empty bytes; 32 random bytes (as hex or base64 text) are what `check` recommends.
    explicit HashKey(std::string_view key);
    ~HashKey();
    HashKey(const HashKey&) = delete;
    HashKey& operator=(const HashKey&) = delete;

    // HMAC over the concatenation of `pieces`.
    [[nodiscard]] Sha256Digest hmac(std::span<const std::string_view> pieces) const;

    // 4 hex characters of SHA-256(key): tells readers which key made a digest.
    [[nodiscard]] std::string_view id() const { return {id_.data(), id_.size()}; }

    // `h:` + 32 hex of HMAC(value): stands for a value of a form that may not be published.
    static constexpr std::size_t token_size = 34;
    void write_token(std::string_view value, char* out) const;

    // 32 hex of HMAC(`user/1` 0 tenant 0 user id).
    static constexpr std::size_t user_ref_size = 32;
    void write_user_ref(std::string_view tenant_id, std::string_view user_id, char* out) const;

    // 32 hex of HMAC(`ref/1` 0 tenant 0 value), for `keyed:` entries of the conventions table.
    void write_reference(std::string_view tenant_id, std::string_view value, char* out) const;

    // `<id>:` + 32 hex of HMAC(`digest/1` 0 tenant 0 role 0 canonical bytes).
    static constexpr std::size_t digest_size = 37;
    void write_digest(
        std::string_view tenant_id, std::string_view role, std::string_view canonical, char* out
    ) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
    std::array<char, 4> id_{};
};

}  // namespace spangate
