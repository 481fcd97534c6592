#include "digest/tenant_keys.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/text.h"
#include "config/substitution.h"
#include "config/yaml_tree.h"
#include "model/id_form.h"

namespace spangate {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{4} << 20;

tl::unexpected<Error> fault(std::string_view name, YamlPlace place, std::string_view what) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}:{}:{}: {}", name, place.line, place.column, what)
    );
}

std::optional<AesKey> key_from(std::string_view text) {
    AesKey key;
    if (read_hex(text, key.bytes())) return key;
    const std::optional<std::string> bytes = from_base64(text);
    if (!bytes || bytes->size() != AesKey::size) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), key.bytes().begin());
    return key;
}

Result<TenantKey> read_key(const YamlNode& node, std::string_view name) {
    const YamlNode* const id = node.find("id");
    const YamlNode* const text = node.find("key");
    const bool is_pair = id != nullptr && text != nullptr && id->is_scalar() && text->is_scalar() &&
                         node.entries.size() == 2;
    if (!is_pair) return fault(name, node.place, "a key is a map of id and key, and nothing else");
    if (!is_id(id->scalar)) {
        return fault(name, id->place, "an id is 1 to 128 letters, digits and _.:@/+=#~-");
    }
    const std::optional<AesKey> key = key_from(text->scalar);
    if (!key) {
        return fault(
            name,
            text->place,
            fmt::format(
                "key {} is not 32 bytes as 64 hex digits or as base64; make one with `openssl rand "
                "-hex 32`",
                id->scalar
            )
        );
    }
    return TenantKey{id->scalar, *key};
}

}  // namespace

Result<std::shared_ptr<const TenantKeys>> TenantKeys::load(const std::string& path) {
    struct ::stat facts {};

    if (::stat(path.c_str(), &facts) != 0) {
        const int error_number = errno;
        return fail(
            ErrorCode::io,
            fmt::format("cannot read {}: {}", path, std::generic_category().message(error_number))
        );
    }
    constexpr ::mode_t refused = S_IRWXO | S_IWGRP | S_IXGRP;
    if ((facts.st_mode & refused) != 0) {
        return fail(
            ErrorCode::permission_denied,
            fmt::format(
                "{} is open to others (mode {:04o}); `chmod 600` it", path, facts.st_mode & 07777U
            )
        );
    }
    const Result<std::string> text = read_bounded_file(path, file_bytes_max);
    if (!text) return tl::unexpected(text.error());
    return parse(*text, path);
}

Result<std::shared_ptr<const TenantKeys>> TenantKeys::parse(
    std::string_view text, std::string_view name
) {
    const Result<YamlNode> document = parse_yaml(text, name);
    if (!document) return tl::unexpected(document.error());
    const YamlNode* const tenants = document->find("tenants");
    if (tenants == nullptr || !tenants->is_map() || document->entries.size() != 1 ||
        tenants->entries.empty()) {
        return fault(
            name, document->place, "wants one key, `tenants`: a map from tenants to their keys"
        );
    }
    auto keys = std::make_shared<TenantKeys>();
    for (const auto& [tenant, list] : tenants->entries) {
        if (!list.is_sequence() || list.items.empty()) {
            return fault(name, tenant.place, "a tenant has a list of keys, the newest first");
        }
        keys->newest_.emplace(tenant.scalar, keys->keys_.size());
        for (const YamlNode& item : list.items) {
            Result<TenantKey> key = read_key(item, name);
            if (!key) return tl::unexpected(std::move(key.error()));
            if (!keys->by_id_.emplace(key->id, keys->keys_.size()).second) {
                return fault(
                    name,
                    item.place,
                    fmt::format("id {} stands twice; each key has its own", key->id)
                );
            }
            keys->keys_.push_back(std::move(*key));
        }
    }
    return keys;
}

const TenantKey* TenantKeys::newest(std::string_view tenant_id) const {
    auto at = newest_.find(tenant_id);
    if (at == newest_.end()) at = newest_.find(std::string_view("default"));
    return at == newest_.end() ? nullptr : &keys_[at->second];
}

const TenantKey* TenantKeys::find(std::string_view key_id) const {
    const auto at = by_id_.find(key_id);
    return at == by_id_.end() ? nullptr : &keys_[at->second];
}

}  // namespace spangate
