#include "digest/data_key.h"

#include <array>
#include <cstring>
#include <initializer_list>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"
#include "digest/sha256.h"

namespace spangate {
namespace {

constexpr std::array<std::string_view, 3> scope_names = {"tenant", "session", "user"};
constexpr std::string_view wrap_domain{"spangate/evidence-key/1\0", 24};
constexpr std::size_t wrapped_size = AesGcm::nonce_size + AesKey::size + AesGcm::tag_size;

void append_sized(std::string_view text, std::string& out) {
    const auto size = static_cast<std::uint32_t>(text.size());
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(size >> shift & 0xFF);
    out += text;
}

std::string wrap_aad(const StoredDataKey& stored) {
    std::string aad(wrap_domain);
    for (const std::string_view part :
         {std::string_view(stored.key_id),
          std::string_view(stored.tenant_id),
          name_of(stored.per),
          std::string_view(stored.subject),
          std::string_view(stored.wrapping_key_id)}) {
        append_sized(part, aad);
    }
    return aad;
}

}  // namespace

std::string_view name_of(KeyScope scope) {
    return scope_names[static_cast<std::size_t>(scope)];
}

std::optional<KeyScope> key_scope_from(std::string_view name) {
    for (std::size_t i = 0; i < scope_names.size(); ++i) {
        if (scope_names[i] == name) return static_cast<KeyScope>(i);
    }
    return std::nullopt;
}

void wrap(const AesKey& key, const TenantKey& wrapping, StoredDataKey& stored) {
    stored.wrapping_key_id = wrapping.id;
    AesGcm::Nonce nonce{};
    fill_random(nonce);
    stored.wrapped.assign(wrapped_size, '\0');
    char* const at = stored.wrapped.data();
    std::memcpy(at, nonce.data(), nonce.size());
    std::memcpy(at + nonce.size(), key.bytes().data(), AesKey::size);
    AesGcm cipher;
    const AesGcm::Tag tag =
        cipher.seal(wrapping.key, nonce, wrap_aad(stored), {at + nonce.size(), AesKey::size});
    std::memcpy(at + nonce.size() + AesKey::size, tag.data(), tag.size());
}

std::optional<AesKey> unwrap(const StoredDataKey& stored, const TenantKeys& tenants) {
    const TenantKey* const wrapping = tenants.find(stored.wrapping_key_id);
    if (wrapping == nullptr || stored.wrapped.size() != wrapped_size) return std::nullopt;
    AesGcm::Nonce nonce{};
    AesGcm::Tag tag{};
    AesKey key;
    const char* const at = stored.wrapped.data();
    std::memcpy(nonce.data(), at, nonce.size());
    std::memcpy(key.bytes().data(), at + nonce.size(), AesKey::size);
    std::memcpy(tag.data(), at + nonce.size() + AesKey::size, tag.size());
    AesGcm cipher;
    const std::span<char> bytes(
        reinterpret_cast<char*>(key.bytes().data()), AesKey::size  // NOLINT: the same bytes
    );
    if (!cipher.open(wrapping->key, nonce, wrap_aad(stored), bytes, tag)) return std::nullopt;
    return key;
}

std::string to_json(const StoredDataKey& stored) {
    return fmt::format(
        R"({{"schema_version":1,"key_id":{},"tenant_id":{},"per":"{}","subject":{},)"
        R"("wrapped":"{}","wrapping_key_id":{},"created":"{}"}})",
        json_quote(stored.key_id),
        json_quote(stored.tenant_id),
        name_of(stored.per),
        json_quote(stored.subject),
        to_base64(stored.wrapped),
        json_quote(stored.wrapping_key_id),
        to_rfc3339(stored.created)
    );
}

}  // namespace spangate
