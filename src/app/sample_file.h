// The file of labelled samples of `spangate check --redact-samples`; redact_samples.h describes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/yaml_tree.h"

namespace spangate {

struct ExpectedHit {
    std::string kind;  // a rule's name
    bool has_span = false;
    std::size_t begin = 0;  // bytes of the text
    std::size_t end = 0;
    YamlPlace place;
};

struct RedactSample {
    std::string text;
    std::string key;
    std::string name;
    std::vector<ExpectedHit> expected;  // empty: clean
    std::uint32_t line = 0;
};

// Fails with `io` when the file cannot be read, else with every fault, «file:line:column: what», a
// line each.
[[nodiscard]] Result<std::vector<RedactSample>> read_redact_samples(const std::string& path);

// The same of a text; `name` stands in the faults' places.
[[nodiscard]] Result<std::vector<RedactSample>> parse_redact_samples(
    std::string_view text, std::string_view name
);

}  // namespace spangate
