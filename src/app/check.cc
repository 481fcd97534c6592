#include "app/check.h"

#include <cstdio>

#include <fmt/format.h>

#include "app/make_rules.h"
#include "app/redact_samples.h"
#include "app/report_faults.h"
#include "config/load_config.h"
#include "config/units.h"
#include "redact/rule_set.h"

namespace spangate {
namespace {

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

// Faults say their places in the table themselves: each has a line of its own.
std::string table_faults(const Error& error) {
    return error.code == ErrorCode::io ? error.message : "\n" + error.message;
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
        complain("processors.interpret.conventions_file", table_faults(table.error()));
    }
    if (const auto table = read_prices(config.interpret); !table) {
        complain("processors.interpret.prices_file", table_faults(table.error()));
    }
    if (const auto keys = read_evidence_keys(config.route.evidence); !keys) {
        complain("processors.route.evidence.encrypt.key_file", keys.error().message);
    }
    return is_good;
}

// What happens to records while Kafka is away.
std::string spool_meaning(const Config& config) {
    if (!has_spool(config)) return "spool: none; while Kafka is away requests are refused\n";
    const SpoolConfig& spool = config.spool;
    const std::string_view when = config.ack == "spool" ? "every record goes there first"
                                                        : "records go there when Kafka "
                                                          "has not acknowledged for ";
    return fmt::format(
        "spool: {}; {}{}; {} in all, at least {} for each class; full: requests are refused{}\n",
        spool.directory,
        when,
        config.ack == "spool" ? "" : duration_text(config.ack_timeout * 4 / 5),
        size_text(spool.bytes_max),
        size_text(spool.bytes_max / 5),
        spool.fsync ? "" : "; without fsync a power cut may lose some"
    );
}

// A table that no configuration has to name.
template <typename Table>
bool accepts(const std::string& path, const Result<Table>& table) {
    if (table) {
        std::printf("%s: good\n", path.c_str());
    } else {
        std::fprintf(stderr, "%s\n", table.error().message.c_str());
    }
    return table.has_value();
}

bool accept_tables(const CheckOptions& options) {
    bool is_good = true;
    if (const std::string& path = options.conventions_path; !path.empty()) {
        is_good = accepts(path, read_conventions(path)) && is_good;
    }
    if (const std::string& path = options.prices_path; !path.empty()) {
        is_good = accepts(path, read_prices(path)) && is_good;
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
    const bool names_table = !options.conventions_path.empty() || !options.prices_path.empty();
    const bool tables_are_good = accept_tables(options);
    if (options.config_path.empty()) {
        if (!options.samples_path.empty() && tables_are_good) {
            return check_redact_samples(options.samples_path, RedactConfig{});
        }
        if (names_table) return tables_are_good ? ExitCode::clean : ExitCode::usage;
        std::fprintf(
            stderr, "spangate check: --config, --conventions or --prices FILE is required\n"
        );
        return ExitCode::usage;
    }
    const auto config = load_config(options.config_path);
    if (!config) {
        report_faults(config.error());
        return ExitCode::usage;
    }
    if (!rooms_accept(*config) || !tables_are_good) return ExitCode::usage;
    for (const ConfigFault& warning : config_warnings(*config)) {
        std::fprintf(stderr, "warning: %s: %s\n", warning.place.c_str(), warning.message.c_str());
    }
    if (!options.samples_path.empty()) {
        return check_redact_samples(options.samples_path, config->redact);
    }
    if (options.prints) {
        print(print_config(*config));
    } else {
        std::printf("%s: good\n", options.config_path.c_str());
        print(spool_meaning(*config));
    }
    return ExitCode::clean;
}

}  // namespace spangate
