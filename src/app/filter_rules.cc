#include "app/filter_rules.h"

#include <array>
#include <cstdio>

#include "app/report_faults.h"
#include "base/text.h"
#include "config/load_config.h"
#include "digest/sha256.h"

namespace spangate {

std::optional<FilterRules> make_filter_rules(const std::string& config_path) {
    if (config_path.empty()) return make_filter_rules(RedactConfig{});
    const auto config = load_config(config_path);
    if (!config) {
        report_faults(config.error());
        return std::nullopt;
    }
    return make_filter_rules(config->redact);
}

std::optional<FilterRules> make_filter_rules(const RedactConfig& config) {
    Result<std::shared_ptr<const RuleSet>> rules = RuleSet::compile(config);
    if (!rules) {
        std::fprintf(stderr, "processors.redact: %s\n", rules.error().message.c_str());
        return std::nullopt;
    }
    FilterRules made;
    made.rules = std::move(*rules);
    made.is_key_made = config.hash_key.empty();
    if (made.is_key_made) {
        std::array<std::uint8_t, 32> bytes{};
        fill_random(bytes);
        made.key = std::make_unique<HashKey>(to_hex(bytes));
    } else {
        made.key = std::make_unique<HashKey>(config.hash_key.reveal());
    }
    return made;
}

}  // namespace spangate
