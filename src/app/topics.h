// `spangate topics create|check`.
#pragma once

#include <string>

#include "app/commands.h"

namespace spangate {

struct TopicsOptions {
    std::string config_path;
    bool creates = false;
};

[[nodiscard]] ExitCode topics(const TopicsOptions& options);

}  // namespace spangate
