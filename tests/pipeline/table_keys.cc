#include "table_keys.h"

#include <catch2/catch.hpp>

#include "interpret/convention_table.h"
#include "interpret/conventions.h"

namespace spangate::testing {

std::vector<std::string> builtin_table_keys() {
    const auto conventions = load_conventions(builtin_conventions(), "built-in");
    REQUIRE(conventions.has_value());
    const std::vector<std::string>& keys = (*conventions)->table().keys;
    return {keys.begin() + 1, keys.end()};  // the first is unused
}

}  // namespace spangate::testing
