#include "app/tail.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "app/report_faults.h"
#include "app/terminal.h"
#include "base/clock.h"
#include "config/load_config.h"
#include "session/tail.h"

namespace spangate {
namespace {

std::atomic<bool> is_stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void stop(int) {
    is_stopping.store(true, std::memory_order_relaxed);
}

ExitCode failed(const Error& error) {
    std::fprintf(stderr, "spangate tail: %s\n", error.message.c_str());
    switch (error.code) {
        case ErrorCode::invalid_argument:
            return ExitCode::usage;
        case ErrorCode::not_found:
            return ExitCode::not_found;
        case ErrorCode::permission_denied:
        case ErrorCode::unauthenticated:
            return ExitCode::no_rights;
        default:
            return ExitCode::broken;
    }
}

Result<TailOptions> options_of(const TailArguments& arguments) {
    TailOptions options;
    options.directory = arguments.directory;
    options.filter.session_ids = arguments.session_ids;
    options.filter.agents = arguments.agents;
    options.filter.tools = arguments.tools;
    options.filter.tenant_id = arguments.tenant_id;
    options.reads_all_partitions = arguments.reads_all_partitions;
    options.follows = arguments.follows;
    options.prints_json = arguments.prints_json;
    options.has_colours = wants_colours();
    for (const std::string& name : arguments.classes) {
        bool is_known = false;
        for (std::size_t i = 0; i < event_classes_count; ++i) {
            if (event_class_names[i] != name) continue;
            options.classes.push_back(static_cast<EventClass>(i));
            is_known = true;
        }
        if (!is_known) {
            return fail(
                ErrorCode::invalid_argument, "--class " + name + ": operational, detail or evidence"
            );
        }
    }
    if (!arguments.since.empty()) {
        Result<WallNanos> since = since_from(arguments.since, SystemClock().wall_nanos());
        if (!since) return tl::unexpected(std::move(since.error()));
        options.since = *since;
    }
    return options;
}

// From the file, with --brokers in its place or over it.
tl::expected<KafkaConfig, ExitCode> kafka_of(const TailArguments& arguments) {
    KafkaConfig kafka;
    if (!arguments.config_path.empty()) {
        auto config = load_config(arguments.config_path);
        if (!config) {
            report_faults(config.error());
            return tl::unexpected(ExitCode::usage);
        }
        kafka = config->exporters.kafka;
    }
    if (!arguments.brokers.empty()) {
        kafka.brokers.clear();
        std::istringstream list(arguments.brokers);
        for (std::string broker; std::getline(list, broker, ',');)
            kafka.brokers.push_back(broker);
    }
    return kafka;
}

}  // namespace

ExitCode tail(const TailArguments& arguments) {
    const Result<TailOptions> options = options_of(arguments);
    if (!options) return failed(options.error());
    tl::expected<KafkaConfig, ExitCode> kafka = kafka_of(arguments);
    if (!kafka) return kafka.error();
    if (options->directory.empty() && kafka->brokers.empty()) {
        std::fprintf(
            stderr, "spangate tail: give --from DIR, --brokers HOST:PORT, or --config FILE\n"
        );
        return ExitCode::usage;
    }
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::signal(SIGPIPE, SIG_IGN);
    const Result<std::uint64_t> printed = run_tail(*options, &*kafka, std::cout, is_stopping);
    if (!printed) return failed(printed.error());
    const bool found_none =
        *printed == 0 && !options->filter.session_ids.empty() && !options->follows;
    return found_none ? ExitCode::not_found : ExitCode::clean;
}

}  // namespace spangate
