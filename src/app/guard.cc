// `spangate guard`: the process around guard/kafka_guard.h.
#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include <unistd.h>

#include "app/guard_once.h"
#include "app/reading_commands.h"
#include "guard/guard_server.h"
#include "guard/kafka_guard.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view room = "guard";

std::atomic<bool> is_stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

// A second signal ends the process where it stands: what is not saved is read again.
void stop(int) {
    if (is_stopping.exchange(true, std::memory_order_relaxed)) ::_exit(1);
}

ExitCode fail_to_start(const Error& error) {
    log_error(room, "cannot start: {}", error.message);
    return error.code == ErrorCode::invalid_argument ? ExitCode::usage : ExitCode::broken;
}

// How the log says it and how the exit code does.
ExitCode ended_by(const Error& error) {
    log_error(room, "ends: {}", error.message);
    switch (error.code) {
        case ErrorCode::not_found:
            return ExitCode::not_found;
        case ErrorCode::permission_denied:
        case ErrorCode::unauthenticated:
            return ExitCode::no_rights;
        case ErrorCode::conflict:
        case ErrorCode::invalid_argument:
        case ErrorCode::unsupported:
            return ExitCode::usage;
        default:
            return ExitCode::broken;
    }
}

ExitCode watch_on(const ReadingPlace& place) {
    const Config& config = place.config;
    set_up_log(config.log.level, config.log.format);
    const SystemClock clock;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::signal(SIGPIPE, SIG_IGN);
    Metrics metrics;
    Health health;
    GuardCounters counters(metrics);
    std::unique_ptr<Webhook> webhook;
    if (!config.guard.webhook.empty()) {
        Result<std::unique_ptr<Webhook>> opened = Webhook::open(config.guard.webhook, counters);
        if (!opened) return fail_to_start(opened.error());
        webhook = std::move(*opened);
    }
    const Result<std::unique_ptr<KafkaGuard>> guard = KafkaGuard::open(
        {config.exporters.kafka, config.guard, place.tenant_id, place.since},
        {clock, health, counters, webhook.get(), is_stopping}
    );
    if (!guard) return fail_to_start(guard.error());
    std::unique_ptr<GuardServer> server;
    if (!config.guard.endpoint.empty()) {
        const std::string& tenant = config.enrich.tenant_id;
        Result<std::unique_ptr<GuardServer>> started = GuardServer::start(
            config.guard.endpoint,
            {metrics,
             health,
             clock,
             [&guard](const SessionKey& key) { return (*guard)->verdict(key); },
             tenant.empty() ? "default" : tenant}
        );
        if (!started) return fail_to_start(started.error());
        server = std::move(*started);
        log_info(room, "answers GET /guard/SESSION on port {}", server->port());
    }
    log_info(
        room,
        "group {} watches {}, keeps its state on {}",
        config.guard.group,
        config.exporters.kafka.topics.operational,
        config.guard.state_topic
    );
    const Status ran = (*guard)->run();
    if (!ran) return ended_by(ran.error());
    log_info(room, "stopped");
    return ExitCode::clean;
}

}  // namespace

ExitCode guard(const GuardArguments& arguments) {
    const tl::expected<ReadingPlace, ExitCode> place = reading_place_of("guard", arguments.from);
    if (!place) return place.error();
    if (!place->config.guard.enabled) {
        std::fputs("spangate guard: guard.enabled is false in the configuration\n", stderr);
        return ExitCode::usage;
    }
    const bool reads_files = !place->directory.empty();
    if (reads_files || arguments.checks_once) return guard_once(*place);
    return watch_on(*place);
}

}  // namespace spangate
