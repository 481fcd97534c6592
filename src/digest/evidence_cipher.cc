#include "digest/evidence_cipher.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace spangate {
namespace {

constexpr std::string_view aad_domain{"spangate/evidence-aad/1\0", 24};

void append_u32be(std::uint32_t number, std::string& out) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(number >> shift & 0xFF);
}

AesGcm::Nonce nonce_of(std::uint64_t counter) {
    AesGcm::Nonce nonce{};
    for (std::size_t i = 0; i < sizeof(counter); ++i)
        nonce[nonce.size() - 1 - i] = static_cast<std::uint8_t>(counter >> (8 * i) & 0xFF);
    return nonce;
}

}  // namespace

void append_chunk_aad(const ChunkPlace& place, std::string& out) {
    out += aad_domain;
    append_u32be(static_cast<std::uint32_t>(place.tenant_id.size()), out);
    out += place.tenant_id;
    out += place.event_id;
    append_u32be(place.index, out);
    append_u32be(place.count, out);
}

void EvidenceCipher::seal(
    const AesKey& key, std::uint64_t nonce_counter, const ChunkPlace& place, std::span<char> room
) {
    SPANGATE_CHECK(room.size() >= seal_bytes);
    const AesGcm::Nonce nonce = nonce_of(nonce_counter);
    aad_.clear();
    append_chunk_aad(place, aad_);
    const std::span<char> text = room.subspan(AesGcm::nonce_size, room.size() - seal_bytes);
    const AesGcm::Tag tag = cipher_.seal(key, nonce, aad_, text);
    std::memcpy(room.data(), nonce.data(), nonce.size());
    std::memcpy(room.data() + room.size() - tag.size(), tag.data(), tag.size());
}

std::optional<std::string> EvidenceCipher::open(
    const AesKey& key, const ChunkPlace& place, std::string_view payload
) {
    if (payload.size() < seal_bytes) return std::nullopt;
    AesGcm::Nonce nonce{};
    AesGcm::Tag tag{};
    std::memcpy(nonce.data(), payload.data(), nonce.size());
    std::memcpy(tag.data(), payload.data() + payload.size() - tag.size(), tag.size());
    aad_.clear();
    append_chunk_aad(place, aad_);
    std::string text(payload.substr(AesGcm::nonce_size, payload.size() - seal_bytes));
    if (!cipher_.open(key, nonce, aad_, text, tag)) return std::nullopt;
    return text;
}

}  // namespace spangate
