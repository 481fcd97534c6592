// The attribute keys that the built-in conventions table names.
#pragma once

#include <string>
#include <vector>

namespace spangate::testing {

[[nodiscard]] std::vector<std::string> builtin_table_keys();

}  // namespace spangate::testing
