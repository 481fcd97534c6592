// From a YAML file to a Config, or to the full list of what is wrong with it. Loading does not open
// sockets or talk to anyone; it reads the file itself and what ${file:…} names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "config/config.h"

namespace spangate {

struct ConfigFault {
    std::string place;    // file:line:column; of a warning: the key's path
    std::string message;  // what is wrong and what would be right; never a secret
};

// Who reads the file. Only a gateway needs the hash key: who reads topics must not have to hold it.
enum class ConfigUse : std::uint8_t { gateway, reader };

// The faults are sorted by place. Without brokers and without a jsonl directory the directory
// becomes ./spangate-data, so that a gateway with an empty file does something visible.
[[nodiscard]] tl::expected<Config, std::vector<ConfigFault>> load_config(
    const std::string& path, ConfigUse use = ConfigUse::gateway
);

// `name` stands in the places of faults.
[[nodiscard]] tl::expected<Config, std::vector<ConfigFault>> load_config_text(
    std::string_view text, std::string_view name, ConfigUse use = ConfigUse::gateway
);

// What is allowed and probably not meant. Looks whether the files that are named can be read.
[[nodiscard]] std::vector<ConfigFault> config_warnings(const Config& config);

// The effective configuration as YAML that loads; secrets print as ***.
[[nodiscard]] std::string print_config(const Config& config);

// Every key with its default and what it does, as commented YAML (config/spangate.reference.yaml).
[[nodiscard]] std::string config_reference();

// JSON Schema, draft 2020-12, for editors (config/spangate.schema.json).
[[nodiscard]] std::string config_json_schema();

}  // namespace spangate
