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
    std::vector<std::string> session_ids;
    std::vector<std::string> agents;
    std::vector<std::string> tools;
    std::string tenant_id;
    std::string since;
    bool reads_all_partitions = false;
    bool follows = false;
    bool prints_json = false;
};

[[nodiscard]] ExitCode tail(const TailArguments& arguments);

}  // namespace spangate
