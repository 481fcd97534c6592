// Low-level SHA256_* on purpose (see sha256.cc): the inner and outer states of the HMAC are made
// once and copied (112 bytes each), so that a short HMAC is two compressions and no allocation.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest/hash_key.h"

#include <cstring>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/text.h"

namespace spangate {
namespace {

constexpr std::size_t block_bytes = 64;  // of SHA-256 (RFC 2104: B)
constexpr std::string_view zero{"\0", 1};
constexpr std::size_t short_digest_bytes = 16;  // what a published digest keeps

SHA256_CTX started_with(const std::array<std::uint8_t, block_bytes>& key, std::uint8_t pad) {
    std::array<std::uint8_t, block_bytes> block{};
    for (std::size_t i = 0; i < block_bytes; ++i)
        block[i] = key[i] ^ pad;
    SHA256_CTX context{};
    SHA256_Init(&context);
    SHA256_Update(&context, block.data(), block.size());
    OPENSSL_cleanse(block.data(), block.size());
    return context;
}

void write_short(const Sha256Digest& digest, char* out) {
    write_hex(std::span(digest).first(short_digest_bytes), out);
}

}  // namespace

struct HashKey::State {
    SHA256_CTX inner{};
    SHA256_CTX outer{};
};

HashKey::HashKey(std::string_view key) : state_(std::make_unique<State>()) {
    Sha256 hasher;
    const Sha256Digest hashed = hasher.add(key).finish();
    std::array<char, 64> hex{};
    write_hex(hashed, hex.data());
    std::memcpy(id_.data(), hex.data(), id_.size());

    std::array<std::uint8_t, block_bytes> block{};
    if (key.size() <= block_bytes) {
        std::memcpy(block.data(), key.data(), key.size());
    } else {
        std::memcpy(block.data(), hashed.data(), hashed.size());
    }
    state_->inner = started_with(block, 0x36);
    state_->outer = started_with(block, 0x5C);
    OPENSSL_cleanse(block.data(), block.size());
}

HashKey::~HashKey() {
    OPENSSL_cleanse(state_.get(), sizeof(State));
}

Sha256Digest HashKey::hmac(std::span<const std::string_view> pieces) const {
    SHA256_CTX context = state_->inner;
    for (const std::string_view piece : pieces)
        SHA256_Update(&context, piece.data(), piece.size());
    Sha256Digest digest{};
    SHA256_Final(digest.data(), &context);
    context = state_->outer;
    SHA256_Update(&context, digest.data(), digest.size());
    SHA256_Final(digest.data(), &context);
    return digest;
}

void HashKey::write_token(std::string_view value, char* out) const {
    const std::array<std::string_view, 1> pieces = {value};
    out[0] = 'h';
    out[1] = ':';
    write_short(hmac(pieces), out + 2);
}

void HashKey::write_user_ref(std::string_view tenant_id, std::string_view user_id, char* out)
    const {
    const std::array<std::string_view, 5> pieces = {"user/1", zero, tenant_id, zero, user_id};
    write_short(hmac(pieces), out);
}

void HashKey::write_reference(std::string_view tenant_id, std::string_view value, char* out) const {
    const std::array<std::string_view, 5> pieces = {"ref/1", zero, tenant_id, zero, value};
    write_short(hmac(pieces), out);
}

void HashKey::write_digest(
    std::string_view tenant_id, std::string_view role, std::string_view canonical, char* out
) const {
    const std::array<std::string_view, 7> pieces = {
        "digest/1", zero, tenant_id, zero, role, zero, canonical};
    std::memcpy(out, id_.data(), id_.size());
    out[id_.size()] = ':';
    write_short(hmac(pieces), out + id_.size() + 1);
}

}  // namespace spangate
