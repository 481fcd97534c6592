// `spangate serve`: starts the gateway, obeys signals, drains, ends.
#pragma once

#include <string>

#include "app/commands.h"

namespace spangate {

struct ServeOptions {
    std::string config_path;  // empty: defaults
    bool has_dev_broker = false;
    std::string dev_directory;
};

[[nodiscard]] ExitCode serve(const ServeOptions& options);

}  // namespace spangate
