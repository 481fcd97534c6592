// AES-256-GCM (NIST SP 800-38D) over OpenSSL's EVP, in place. A cipher belongs to one thread and is
// reused; it keeps no key.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace spangate {

// 32 bytes that are overwritten when they go.
class AesKey {
  public:
    static constexpr std::size_t size = 32;

    AesKey() = default;
    explicit AesKey(std::span<const std::uint8_t, size> bytes);
    AesKey(const AesKey&) = default;
    AesKey& operator=(const AesKey&) = default;
    ~AesKey();

    // From the operating system's random source.
    [[nodiscard]] static AesKey random();

    [[nodiscard]] std::span<const std::uint8_t, size> bytes() const { return bytes_; }

    [[nodiscard]] std::span<std::uint8_t, size> bytes() { return bytes_; }

  private:
    std::array<std::uint8_t, size> bytes_{};
};

class AesGcm {
  public:
    static constexpr std::size_t nonce_size = 12;
    static constexpr std::size_t tag_size = 16;

    using Nonce = std::array<std::uint8_t, nonce_size>;
    using Tag = std::array<std::uint8_t, tag_size>;

    AesGcm();
    ~AesGcm();
    AesGcm(const AesGcm&) = delete;
    AesGcm& operator=(const AesGcm&) = delete;

    // Encrypts `bytes` (less than 2 GiB) where they stand. A nonce is used once under a key.
    [[nodiscard]] Tag seal(
        const AesKey& key, const Nonce& nonce, std::string_view aad, std::span<char> bytes
    );

    // Decrypts `bytes` where they stand; false, and zeros there, when key, nonce, aad, bytes or tag
    // are not those of seal().
    [[nodiscard]] bool open(
        const AesKey& key,
        const Nonce& nonce,
        std::string_view aad,
        std::span<char> bytes,
        const Tag& tag
    );

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
