// Reads a parsed document into described settings and collects every fault on the way, each with
// its place. A fault says what is wrong and what would be right. What a substitution put in, and
// what a secret setting holds, is never quoted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/setting.h"
#include "config/yaml_tree.h"

namespace spangate {

inline constexpr std::size_t faults_max = 200;  // one more line says that there are more

struct PlacedFault {
    YamlPlace place;
    std::string path;  // dotted, of the setting; empty: the document
    std::string message;
};

struct SettingsRead {
    std::vector<PlacedFault> faults;
    std::map<std::string, YamlPlace> places;  // of every setting in the document, by dotted path
};

// Settings that the document leaves out, or leaves null, keep their value.
[[nodiscard]] SettingsRead read_settings(const YamlNode& document, const Group& settings);

// The word of `known` that `word` is most likely meant to be; empty when none is near.
[[nodiscard]] std::string nearest_word(
    std::string_view word, const std::vector<std::string_view>& known
);

}  // namespace spangate
