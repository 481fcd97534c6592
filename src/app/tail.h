// `spangate tail`: the command line of session/tail.h.
#pragma once

#include <string>
#include <vector>

#include "app/commands.h"

namespace spangate {

struct TailArguments {
    std::string config_path;
    std::string brokers;    // instead of a configuration: host:port,…
    std::string directory;  // --from
    std::vector<std::string> classes;
    std::string session_id;
    std::string since;
    bool follows = false;
    bool prints_json = false;
};

[[nodiscard]] ExitCode tail(const TailArguments& arguments);

}  // namespace spangate
