// SHA-256 (FIPS 180-4) in pieces, over OpenSSL. A hasher belongs to one thread and is reused.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace spangate {

using Sha256Digest = std::array<std::uint8_t, 32>;

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    Sha256& add(std::string_view bytes);
    Sha256& add(std::span<const std::uint8_t> bytes);
    Sha256& add_byte(std::uint8_t byte);
    Sha256& add_u32be(std::uint32_t number);

    // The digest of all that was added; the hasher is then empty again.
    [[nodiscard]] Sha256Digest finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// `count` bytes from the operating system's random source; ends the process when there are none.
void fill_random(std::span<std::uint8_t> out);

}  // namespace spangate
