#include "app/check.h"

#include <cstdio>

#include "app/make_rules.h"
#include "app/report_faults.h"
#include "config/load_config.h"
#include "redact/rule_set.h"

namespace spangate {
namespace {

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

// Rules that only their own room can judge: patterns and tables.
bool rooms_accept(const Config& config) {
    bool is_good = true;
    const auto complain = [&is_good](const std::string& path, const std::string& message) {
        std::fprintf(stderr, "%s: %s\n", path.c_str(), message.c_str());
        is_good = false;
    };
    if (const auto rules = RuleSet::compile(config.redact); !rules) {
        complain("processors.redact", rules.error().message);
    }
    if (const auto table = read_conventions(config.interpret); !table) {
        complain("processors.interpret.conventions_file", table.error().message);
    }
    return is_good;
}

}  // namespace

ExitCode check(const CheckOptions& options) {
    if (options.prints_reference) {
        print(config_reference());
        return ExitCode::clean;
    }
    if (options.prints_schema) {
        print(config_json_schema());
        return ExitCode::clean;
    }
    if (options.config_path.empty()) {
        std::fprintf(stderr, "spangate check: --config FILE is required\n");
        return ExitCode::usage;
    }
    const auto config = load_config(options.config_path);
    if (!config) {
        report_faults(config.error());
        return ExitCode::usage;
    }
    if (!rooms_accept(*config)) return ExitCode::usage;
    for (const ConfigFault& warning : config_warnings(*config)) {
        std::fprintf(stderr, "warning: %s: %s\n", warning.place.c_str(), warning.message.c_str());
    }
    if (options.prints) {
        print(print_config(*config));
    } else {
        std::printf("%s: good\n", options.config_path.c_str());
    }
    return ExitCode::clean;
}

}  // namespace spangate
