#include "digest/evidence_cipher.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/text.h"

namespace spangate {
namespace {

const std::string event_id = "0123456789abcdef0123456789abcdef";
const ChunkPlace place{"acme", event_id, 1, 3};

std::string sealed(EvidenceCipher& cipher, const AesKey& key, std::string_view text) {
    std::string room(text.size() + seal_bytes, '\0');
    text.copy(room.data() + AesGcm::nonce_size, text.size());
    cipher.seal(key, 0x0102030405060708, place, room);
    return room;
}

TEST_CASE("the AAD is the domain, the tenant with its length, event, index and count") {
    std::string aad;
    append_chunk_aad(place, aad);
    CHECK(
        aad == std::string("spangate/evidence-aad/1\0", 24) + std::string("\0\0\0\4acme", 8) +
                   event_id + std::string("\0\0\0\1\0\0\0\3", 8)
    );
}

TEST_CASE("a sealed chunk is nonce, ciphertext and tag, and opens at its place alone") {
    EvidenceCipher cipher;
    const AesKey key = AesKey::random();
    const std::string payload = sealed(cipher, key, "content");
    CHECK(payload.size() == 7 + seal_bytes);
    CHECK(payload.substr(0, 12) == std::string("\0\0\0\0\1\2\3\4\5\6\7\10", 12));
    CHECK(payload.find("content") == std::string::npos);
    CHECK(cipher.open(key, place, payload) == "content");

    CHECK_FALSE(cipher.open(AesKey::random(), place, payload));
    CHECK_FALSE(cipher.open(key, {"acmf", event_id, 1, 3}, payload));
    CHECK_FALSE(cipher.open(key, {"acm", "e" + event_id, 1, 3}, payload));
    CHECK_FALSE(cipher.open(key, {"acme", std::string(32, 'f'), 1, 3}, payload));
    CHECK_FALSE(cipher.open(key, {"acme", event_id, 2, 3}, payload));
    CHECK_FALSE(cipher.open(key, {"acme", event_id, 1, 4}, payload));
}

TEST_CASE("no bit of a payload changes unseen, and no part of one opens") {
    EvidenceCipher cipher;
    const AesKey key = AesKey::random();
    const std::string payload = sealed(cipher, key, "content");
    for (std::size_t i = 0; i < payload.size() * 8; ++i) {
        std::string changed = payload;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        CHECK_FALSE(cipher.open(key, place, changed));
    }
    for (std::size_t size = 0; size < payload.size(); ++size)
        CHECK_FALSE(cipher.open(key, place, payload.substr(0, size)));
}

}  // namespace
}  // namespace spangate
