// One chunk of evidence, sealed (contract §6). The layout that every reader needs:
//
//   payload = nonce (12 bytes) ‖ AES-256-GCM ciphertext ‖ tag (16 bytes)
//   nonce   = 4 zero bytes ‖ u64be counter of the data key
//   AAD     = "spangate/evidence-aad/1" ‖ 0 ‖ u32be |tenant_id| ‖ tenant_id ‖ event_id ‖ u32be i ‖
//             u32be n
//
// tenant_id and event_id (its 32 characters) are those that stand on the record, i is `chunk`, n is
// `chunks`. No two different places have one AAD: the only part without a fixed size has its length
// before it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "digest/aes_gcm.h"

namespace spangate {

// What a sealed chunk is longer than its text.
inline constexpr std::size_t seal_bytes = AesGcm::nonce_size + AesGcm::tag_size;

struct ChunkPlace {
    std::string_view tenant_id;
    std::string_view event_id;
    std::uint32_t index = 0;  // i
    std::uint32_t count = 1;  // n
};

// One thread.
class EvidenceCipher {
  public:
    // `room` is a nonce's room, the text, a tag's room; sealed in place.
    void seal(
        const AesKey& key,
        std::uint64_t nonce_counter,
        const ChunkPlace& place,
        std::span<char> room
    );

    // The text of `payload`; nothing when it was not sealed with this key for this place, or has
    // been changed since.
    [[nodiscard]] std::optional<std::string> open(
        const AesKey& key, const ChunkPlace& place, std::string_view payload
    );

  private:
    AesGcm cipher_;
    std::string aad_;
};

// As in the head of this file; for tests and other implementations.
void append_chunk_aad(const ChunkPlace& place, std::string& out);

}  // namespace spangate
