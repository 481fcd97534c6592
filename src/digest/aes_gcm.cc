#include "digest/aes_gcm.h"

#include <algorithm>
#include <climits>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "digest/sha256.h"

namespace spangate {
namespace {

struct FreeCipher {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT: OpenSSL's byte type
}

unsigned char* bytes_of(std::span<char> text) {
    return reinterpret_cast<unsigned char*>(text.data());  // NOLINT: OpenSSL's byte type
}

}  // namespace

AesKey::AesKey(std::span<const std::uint8_t, size> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

AesKey::~AesKey() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

AesKey AesKey::random() {
    AesKey key;
    fill_random(key.bytes_);
    return key;
}

// Fetched once: a fetch for every message costs more than a small message.
struct AesGcm::State {
    std::unique_ptr<EVP_CIPHER, FreeCipher> cipher{
        EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
    std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context{EVP_CIPHER_CTX_new()};
};

AesGcm::AesGcm() : state_(std::make_unique<State>()) {
    SPANGATE_CHECK(state_->cipher != nullptr && state_->context != nullptr);
}

AesGcm::~AesGcm() = default;

AesGcm::Tag AesGcm::seal(
    const AesKey& key, const Nonce& nonce, std::string_view aad, std::span<char> bytes
) {
    SPANGATE_CHECK(bytes.size() <= INT_MAX && aad.size() <= INT_MAX);
    EVP_CIPHER_CTX* const context = state_->context.get();
    Tag tag{};
    int written = 0;
    bool is_sealed = EVP_EncryptInit_ex2(
                         context, state_->cipher.get(), key.bytes().data(), nonce.data(), nullptr
                     ) == 1;
    is_sealed =
        is_sealed && EVP_EncryptUpdate(
                         context, nullptr, &written, bytes_of(aad), static_cast<int>(aad.size())
                     ) == 1;
    is_sealed =
        is_sealed &&
        EVP_EncryptUpdate(
            context, bytes_of(bytes), &written, bytes_of(bytes), static_cast<int>(bytes.size())
        ) == 1;
    is_sealed = is_sealed && EVP_EncryptFinal_ex(context, tag.data(), &written) == 1;
    is_sealed =
        is_sealed && EVP_CIPHER_CTX_ctrl(
                         context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_size), tag.data()
                     ) == 1;
    // Nothing of the input can make this fail, and what is not sealed must not leave.
    SPANGATE_CHECK(is_sealed);
    return tag;
}

bool AesGcm::open(
    const AesKey& key,
    const Nonce& nonce,
    std::string_view aad,
    std::span<char> bytes,
    const Tag& tag
) {
    SPANGATE_CHECK(bytes.size() <= INT_MAX && aad.size() <= INT_MAX);
    EVP_CIPHER_CTX* const context = state_->context.get();
    Tag expected = tag;  // OpenSSL takes it without const
    int written = 0;
    std::array<unsigned char, tag_size> rest{};
    bool is_open = EVP_DecryptInit_ex2(
                       context, state_->cipher.get(), key.bytes().data(), nonce.data(), nullptr
                   ) == 1;
    is_open = is_open && EVP_DecryptUpdate(
                             context, nullptr, &written, bytes_of(aad), static_cast<int>(aad.size())
                         ) == 1;
    is_open =
        is_open &&
        EVP_DecryptUpdate(
            context, bytes_of(bytes), &written, bytes_of(bytes), static_cast<int>(bytes.size())
        ) == 1;
    is_open =
        is_open && EVP_CIPHER_CTX_ctrl(
                       context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_size), expected.data()
                   ) == 1;
    is_open = is_open && EVP_DecryptFinal_ex(context, rest.data(), &written) == 1;
    if (!is_open) OPENSSL_cleanse(bytes.data(), bytes.size());
    return is_open;
}

}  // namespace spangate
