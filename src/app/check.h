// `spangate check`: everything that can be known of a configuration without talking to anyone.
#pragma once

#include <string>

#include "app/commands.h"

namespace spangate {

struct CheckOptions {
    std::string config_path;
    std::string conventions_path;   // instead: a table of conventions alone
    std::string prices_path;        // instead: a price table alone
    std::string samples_path;       // labelled texts for the redaction rules
    bool prints = false;            // the effective configuration
    bool prints_reference = false;  // instead: every key with its default
    bool prints_schema = false;     // instead: the JSON Schema
};

[[nodiscard]] ExitCode check(const CheckOptions& options);

}  // namespace spangate
