// The redaction rules and the hash key of commands that redact without a gateway.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "digest/hash_key.h"
#include "redact/rule_set.h"

namespace spangate {

struct FilterRules {
    std::shared_ptr<const RuleSet> rules;
    std::unique_ptr<HashKey> key;
    bool is_key_made = false;  // for this run alone: its hashes mean nothing elsewhere
};

// Of the file at `config_path`, or of the defaults when it is empty. What is wrong stands on stderr
// when there are none.
[[nodiscard]] std::optional<FilterRules> make_filter_rules(const std::string& config_path);

// The same of a configuration that is loaded already.
[[nodiscard]] std::optional<FilterRules> make_filter_rules(const RedactConfig& config);

}  // namespace spangate
