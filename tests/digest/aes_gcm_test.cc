#include "digest/aes_gcm.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/text.h"

namespace spangate {
namespace {

std::string bytes_from(std::string_view hex) {
    std::string bytes(hex.size() / 2, '\0');
    const std::span<std::uint8_t> out(
        reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()  // NOLINT: the same bytes
    );
    REQUIRE(read_hex(hex, out));
    return bytes;
}

std::string hex_of(std::string_view bytes) {
    return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}
                  // NOLINT: the same
    );
}

template <std::size_t size>
std::array<std::uint8_t, size> array_from(std::string_view hex) {
    std::array<std::uint8_t, size> bytes{};
    REQUIRE(read_hex(hex, bytes));
    return bytes;
}

// McGrew and Viega, «The Galois/Counter Mode of Operation», appendix B: AES-256.
struct Vector {
    const char* key;
    const char* nonce;
    const char* text;
    const char* aad;
    const char* sealed;
    const char* tag;
};

constexpr const char* zero_key = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr const char* key_16 = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

const std::array<Vector, 3> vectors = {{
    {zero_key, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {zero_key,
     "000000000000000000000000",
     "00000000000000000000000000000000",
     "",
     "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {key_16,
     "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
}};

TEST_CASE("AES-256-GCM gives the known answers, both ways") {
    AesGcm cipher;
    for (const Vector& vector : vectors) {
        const AesKey key(array_from<AesKey::size>(vector.key));
        const auto nonce = array_from<AesGcm::nonce_size>(vector.nonce);
        const std::string aad = bytes_from(vector.aad);
        std::string text = bytes_from(vector.text);
        const AesGcm::Tag tag = cipher.seal(key, nonce, aad, text);
        CHECK(hex_of(text) == vector.sealed);
        CHECK(to_hex(tag) == vector.tag);
        CHECK(cipher.open(key, nonce, aad, text, tag));
        CHECK(hex_of(text) == vector.text);
    }
}

TEST_CASE("what was changed does not open and leaves zeros") {
    AesGcm cipher;
    const AesKey key = AesKey::random();
    const AesGcm::Nonce nonce{1, 2, 3};
    std::string sealed = "some content";
    const AesGcm::Tag tag = cipher.seal(key, nonce, "place", sealed);
    const auto opens = [&](AesKey with, AesGcm::Nonce used, std::string aad, std::string text) {
        const bool is_open = cipher.open(with, used, aad, text, tag);
        CHECK((is_open || text == std::string(text.size(), '\0')));
        return is_open;
    };
    CHECK(opens(key, nonce, "place", sealed));
    CHECK_FALSE(opens(AesKey::random(), nonce, "place", sealed));
    CHECK_FALSE(opens(key, {1, 2, 4}, "place", sealed));
    CHECK_FALSE(opens(key, nonce, "Place", sealed));
    for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
        std::string changed = sealed;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        CHECK_FALSE(opens(key, nonce, "place", changed));
    }
}

}  // namespace
}  // namespace spangate
