#include "receive/credentials.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include "base/text.h"

namespace spangate {

namespace {

constexpr std::string_view bearer_scheme = "bearer ";
constexpr std::string_view basic_scheme = "basic ";
constexpr std::string_view blanks = " \t\r";

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// What follows the scheme; nothing when another scheme is used, or nothing follows.
std::optional<std::string_view> after(std::string_view scheme, std::string_view authorization) {
    if (authorization.size() <= scheme.size()) return std::nullopt;
    if (!equals_ignore_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    return trim(authorization.substr(scheme.size()));
}

tl::unexpected<Error> stranger(std::string_view why) {
    return fail(ErrorCode::unauthenticated, std::string(why));
}

}  // namespace

bool is_tenant(std::string_view text) {
    constexpr std::size_t tenant_bytes_max = 128;
    constexpr std::string_view others = "_.:@/+=#~-";
    const auto is_allowed = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               others.find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= tenant_bytes_max &&
           std::all_of(text.begin(), text.end(), is_allowed);
}

Result<std::shared_ptr<const Credentials>> Credentials::read(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail(ErrorCode::io, "cannot read the token file " + path);
    auto read = std::make_shared<Credentials>();
    std::string faults;
    Sha256 hasher;
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        const std::string_view text = trim(line);
        if (text.empty() || text.front() == '#') continue;
        const std::size_t gap = text.find_first_of(blanks);
        const std::string_view tenant =
            gap == std::string_view::npos ? std::string_view() : trim(text.substr(gap));
        if (!is_tenant(tenant)) {
            faults += "\n" + path + ":" + std::to_string(number) +
                      ": expected «token tenant», the tenant of 1 to 128 characters out of "
                      "A-Z a-z 0-9 _.:@/+=#~-";
            continue;
        }
        const Sha256Digest digest = hasher.add(text.substr(0, gap)).finish();
        if (!read->tenants_.emplace(digest, tenant).second) {
            faults += "\n" + path + ":" + std::to_string(number) + ": this token stands above";
        }
    }
    if (!faults.empty()) return fail(ErrorCode::invalid_argument, faults.substr(1));
    if (read->tenants_.empty()) {
        return fail(ErrorCode::invalid_argument, path + ": there is no token in it");
    }
    return read;
}

Result<std::string> Credentials::tenant_of(const ShownCredentials& shown) const {
    if (const auto token = after(bearer_scheme, shown.authorization)) {
        if (const std::string* const tenant = find(*token)) return *tenant;
        return stranger("the bearer token is not known here");
    }
    if (const auto encoded = after(basic_scheme, shown.authorization)) {
        return tenant_by_basic(*encoded);
    }
    if (shown.authorization.empty() && !shown.api_key.empty()) {
        if (const std::string* const tenant = find(trim(shown.api_key))) return *tenant;
        return stranger("the key in x-api-key is not known here");
    }
    return stranger(
        "this gateway wants a token: «Authorization: Bearer <token>», «Authorization: Basic» with "
        "the token as password, or «x-api-key: <token>»"
    );
}

// The pair before the password alone: it is the longer secret.
Result<std::string> Credentials::tenant_by_basic(std::string_view encoded) const {
    const std::optional<std::string> pair = from_base64(encoded);
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) {
        return stranger("the Basic credentials are not base64 of «user:password» (RFC 7617)");
    }
    if (const std::string* const tenant = find(*pair)) return *tenant;
    const std::string_view password = std::string_view(*pair).substr(colon + 1);
    if (const std::string* const tenant = find(password)) return *tenant;
    return stranger("neither the password nor the pair «user:password» is a token known here");
}

const std::string* Credentials::find(std::string_view token) const {
    const auto found = tenants_.find(Sha256().add(token).finish());
    return found == tenants_.end() ? nullptr : &found->second;
}

}  // namespace spangate
