#include "app/make_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include <unistd.h>

#include "base/text.h"
#include "digest/sha256.h"

namespace spangate {
namespace {

std::string gateway_name(const InterpretConfig& config) {
    if (!config.gateway_name.empty()) return config.gateway_name;
    const char* pod = std::getenv("POD_NAME");  // NOLINT(concurrency-mt-unsafe): before any thread
    return pod != nullptr && *pod != '\0' ? pod : host_name();
}

Result<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (!file) return fail(ErrorCode::io, path + ": cannot be read");
    return text;
}

}  // namespace

std::string host_name() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    if (::gethostname(name.data(), HOST_NAME_MAX) != 0) return "gateway";
    return name.data();
}

std::string make_gateway_id(const InterpretConfig& config) {
    std::array<std::uint8_t, 4> boot{};
    fill_random(boot);
    std::string name = gateway_name(config);
    std::replace_if(
        name.begin(),
        name.end(),
        [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.' && c != '_'; },
        '_'
    );
    return name.substr(0, 100) + "-" + to_hex(boot);
}

Result<std::shared_ptr<const Conventions>> read_conventions(const std::string& path) {
    const Result<std::string> text = read_text(path);
    if (!text) return tl::unexpected(text.error());
    return load_conventions(*text, path);
}

Result<std::shared_ptr<const PriceTable>> read_prices(const std::string& path) {
    const Result<std::string> text = read_text(path);
    if (!text) return tl::unexpected(text.error());
    return load_prices(*text, path);
}

Result<std::shared_ptr<const Conventions>> read_conventions(const InterpretConfig& config) {
    if (!config.conventions_file.empty()) return read_conventions(config.conventions_file);
    return load_conventions(builtin_conventions(), "built-in conventions");
}

Result<std::shared_ptr<const PriceTable>> read_prices(const InterpretConfig& config) {
    if (!config.prices_file.empty()) return read_prices(config.prices_file);
    return load_prices(builtin_prices(), "built-in prices");
}

Result<std::shared_ptr<EvidenceKeys>> read_evidence_keys(const EvidenceConfig& config) {
    if (!has_evidence_keys(config)) return nullptr;
    Result<std::shared_ptr<const TenantKeys>> tenants = TenantKeys::load(config.encrypt_key_file);
    if (!tenants) return tl::unexpected(std::move(tenants.error()));
    const KeyScope per = key_scope_from(config.encrypt_per).value_or(KeyScope::tenant);
    return std::make_shared<EvidenceKeys>(std::move(*tenants), per, config.encrypt_rotate_after);
}

namespace {

// With ack: memory nobody waits for a record: the router gives none a ticket.
Config with_promises(const Config& config) {
    Config promised = config;
    if (config.ack != "memory") return promised;
    promised.route.operational_required = false;
    promised.route.detail_required = false;
    promised.route.evidence_required = false;
    return promised;
}

}  // namespace

Result<std::shared_ptr<const Rules>> make_rules(
    const Config& config, const HashKey& hash_key, const std::string& gateway_id
) {
    Result<std::shared_ptr<const Conventions>> conventions = read_conventions(config.interpret);
    if (!conventions) return tl::unexpected(std::move(conventions.error()));
    Result<std::shared_ptr<const PriceTable>> prices = read_prices(config.interpret);
    if (!prices) return tl::unexpected(std::move(prices.error()));
    Result<std::shared_ptr<const RuleSet>> redaction = RuleSet::compile(config.redact);
    if (!redaction) return tl::unexpected(std::move(redaction.error()));
    GatewayIdentity identity{
        gateway_id, std::string((*conventions)->rules_hash()), std::string(hash_key.id())};
    Result<std::shared_ptr<EvidenceKeys>> evidence_keys = read_evidence_keys(config.route.evidence);
    if (!evidence_keys) return tl::unexpected(std::move(evidence_keys.error()));
    auto rules = std::make_shared<Rules>(
        with_promises(config),
        detect_resource(config.enrich),
        std::move(*conventions),
        std::move(*prices),
        std::move(*redaction),
        std::move(identity)
    );
    rules->evidence_keys = std::move(*evidence_keys);
    return rules;
}

}  // namespace spangate
