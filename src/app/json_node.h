// One line of JSON as the plain tree that YAML documents become (config/yaml_tree.h), for files
// that may be either. YAML reads most JSON, but not the surrogate pairs of its escapes.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "config/yaml_tree.h"

namespace spangate {

// `name` and `line` stand in the fault's place and in the nodes'.
[[nodiscard]] Result<YamlNode> parse_json_line(
    std::string_view text, std::string_view name, std::uint32_t line
);

}  // namespace spangate
