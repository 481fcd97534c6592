#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "app/report_faults.h"
#include "app/spool.h"
#include "config/load_config.h"

namespace spangate {

tl::expected<SpoolPlaces, ExitCode> spool_places(
    const SpoolArguments& arguments, const char* command
) {
    SpoolPlaces places;
    places.directory = arguments.directory;
    if (places.directory.empty()) {
        if (arguments.config_path.empty()) {
            std::fprintf(stderr, "spangate spool %s: give --from DIR or --config FILE\n", command);
            return tl::unexpected(ExitCode::usage);
        }
        const auto config = load_config(arguments.config_path);
        if (!config) {
            report_faults(config.error());
            return tl::unexpected(ExitCode::usage);
        }
        places.directory = config->spool.directory;
    }
    const std::vector<std::string>& wanted = arguments.classes;
    for (const std::string& name : wanted) {
        const auto& names = spool_line_names;
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        std::fprintf(
            stderr,
            "spangate spool %s: no class %s; there are operational, detail, evidence and "
            "dead_letter\n",
            command,
            name.c_str()
        );
        return tl::unexpected(ExitCode::usage);
    }
    for (std::size_t i = 0; i < spool_lines_count; ++i) {
        const std::string name(spool_line_names[i]);
        const bool is_wanted =
            wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
        const std::string path = places.directory + "/" + name;
        std::error_code error;
        if (is_wanted && std::filesystem::is_directory(path, error)) {
            places.lines.emplace_back(static_cast<SpoolLine>(i), path);
        }
    }
    if (!places.lines.empty()) return places;
    std::fprintf(
        stderr, "spangate spool %s: there is no spool in %s\n", command, places.directory.c_str()
    );
    return tl::unexpected(ExitCode::not_found);
}

ExitCode spool_failure(const char* command, const Error& error) {
    std::fprintf(stderr, "spangate spool %s: %s\n", command, error.message.c_str());
    switch (error.code) {
        case ErrorCode::not_found:
            return ExitCode::not_found;
        case ErrorCode::conflict:
            return ExitCode::usage;
        default:
            return ExitCode::broken;
    }
}

}  // namespace spangate
