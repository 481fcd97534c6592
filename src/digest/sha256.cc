// The SHA256_* functions are deprecated in OpenSSL 3 in favour of EVP, whose init alone costs more
// than a short hash: a fetch and an allocation each. They stay supported in all of OpenSSL 3.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest/sha256.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include "base/check.h"

namespace spangate {

struct Sha256::State {
    SHA256_CTX context{};

    State() { SHA256_Init(&context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::add(std::string_view bytes) {
    SHA256_Update(&state_->context, bytes.data(), bytes.size());
    return *this;
}

Sha256& Sha256::add(std::span<const std::uint8_t> bytes) {
    SHA256_Update(&state_->context, bytes.data(), bytes.size());
    return *this;
}

Sha256& Sha256::add_byte(std::uint8_t byte) {
    SHA256_Update(&state_->context, &byte, 1);
    return *this;
}

Sha256& Sha256::add_u32be(std::uint32_t number) {
    const std::array<std::uint8_t, 4> bytes = {
        static_cast<std::uint8_t>(number >> 24),
        static_cast<std::uint8_t>(number >> 16),
        static_cast<std::uint8_t>(number >> 8),
        static_cast<std::uint8_t>(number)};
    return add(bytes);
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest{};
    SHA256_Final(digest.data(), &state_->context);
    SHA256_Init(&state_->context);
    return digest;
}

void fill_random(std::span<std::uint8_t> out) {
    constexpr std::size_t call_bytes_max = 1U << 20;  // RAND_bytes counts in int
    while (!out.empty()) {
        const std::size_t count = out.size() < call_bytes_max ? out.size() : call_bytes_max;
        const bool has_random_bytes = RAND_bytes(out.data(), static_cast<int>(count)) == 1;
        SPANGATE_CHECK(has_random_bytes);
        out = out.subspan(count);
    }
}

}  // namespace spangate
