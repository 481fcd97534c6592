#include "app/serve.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>

#include "app/gateway.h"
#include "app/report_faults.h"
#include "config/load_config.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view room = "serve";

::sigset_t handled_signals() {
    ::sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, number);
    return set;
}

// The next signal, or 0 after `wait`.
int next_signal(const ::sigset_t& set, std::chrono::milliseconds wait) {
    const ::timespec timeout{
        static_cast<std::time_t>(wait.count() / 1000),
        static_cast<long>(wait.count() % 1000 * 1'000'000)};
    const int number = ::sigtimedwait(&set, nullptr, &timeout);
    return number < 0 ? 0 : number;
}

bool asks_to_stop(int signal_number) {
    return signal_number == SIGTERM || signal_number == SIGINT;
}

void announce(const Gateway& gateway) {
    if (!gateway.dev_broker_address().empty()) {
        log_warn(
            room,
            "dev broker (a toy: in memory, keeps only the newest data, gone at exit) at {}",
            gateway.dev_broker_address()
        );
    }
    const Config& config = gateway.config();
    if (!config.exporters.jsonl.directory.empty()) {
        log_info(room, "JSONL files in {}", config.exporters.jsonl.directory);
    }
    log_info(
        room,
        "ready to receive: OTLP/gRPC port {}, OTLP/HTTP port {}, admin port {}",
        gateway.grpc_port(),
        gateway.http_port(),
        gateway.admin_port()
    );
}

void reload(Gateway& gateway) {
    const Status reloaded = gateway.reload();
    if (!reloaded) {
        log_error(room, "reload refused, nothing changed: {}", reloaded.error().message);
    }
}

// Ticks and reloads until someone asks to stop.
void run_until_asked(Gateway& gateway, const ::sigset_t& signals) {
    while (true) {
        const int number = next_signal(signals, std::chrono::seconds(1));
        if (asks_to_stop(number)) return;
        if (number == SIGHUP) reload(gateway);
        gateway.tick();
    }
}

// The agents' last flush. False when a second signal ends it all at once.
bool keep_accepting(Gateway& gateway, const ::sigset_t& signals, std::chrono::milliseconds time) {
    gateway.announce_shutdown();
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now()
        );
        const auto step = std::min(left, std::chrono::milliseconds(1000));
        const int number = next_signal(signals, std::max(step, std::chrono::milliseconds(1)));
        if (asks_to_stop(number)) return false;
        if (number == SIGHUP) log_warn(room, "SIGHUP ignored while shutting down");
        gateway.tick();
    }
    return true;
}

}  // namespace

// While the gateway drains, another signal ends the process where it stands: what is not
// acknowledged was not answered with success, so clients send it again.
class SecondSignalWatch {
  public:
    explicit SecondSignalWatch(const ::sigset_t& signals)
        : thread_([&signals](const std::stop_token& stop) {
              while (!stop.stop_requested()) {
                  if (asks_to_stop(next_signal(signals, std::chrono::milliseconds(200)))) {
                      log_warn(room, "second signal: stopping at once");
                      ::_exit(1);
                  }
              }
          }) {}

  private:
    std::jthread thread_;
};

ExitCode serve(const ServeOptions& options) {
    GatewayOptions gateway_options;
    auto loaded = options.config_path.empty() ? load_config_text("", "defaults")
                                              : load_config(options.config_path);
    if (!loaded) {
        report_faults(loaded.error());
        return ExitCode::usage;
    }
    set_up_log(loaded->log.level, loaded->log.format);
    for (const ConfigFault& warning : config_warnings(*loaded)) {
        log_warn("config", "{}: {}", warning.place, warning.message);
    }
    gateway_options.config = std::move(*loaded);
    gateway_options.config_path = options.config_path;
    gateway_options.has_dev_broker = options.has_dev_broker;
    gateway_options.dev_directory = options.dev_directory;

    // Blocked before any thread starts, so that only this thread hears them.
    const ::sigset_t signals = handled_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file above the process's limit is a failed write

    Result<std::unique_ptr<Gateway>> gateway = Gateway::start(std::move(gateway_options));
    if (!gateway) {
        log_error(room, "cannot start: {}", gateway.error().message);
        return gateway.error().code == ErrorCode::invalid_argument ? ExitCode::usage
                                                                   : ExitCode::broken;
    }
    announce(**gateway);
    run_until_asked(**gateway, signals);

    const ShutdownConfig& shutdown = (*gateway)->config().shutdown;
    log_info(room, "shutting down: accepting for {} ms more", shutdown.accept_for.count());
    if (!keep_accepting(**gateway, signals, shutdown.accept_for)) {
        log_warn(room, "second signal: stopping at once");
        ::_exit(1);
    }
    const SecondSignalWatch watch(signals);
    const bool is_clean = (*gateway)->drain(std::chrono::steady_clock::now() + shutdown.grace);
    log_info(room, "stopped{}", is_clean ? "" : "; some clients were told to come back");
    return ExitCode::clean;
}

}  // namespace spangate
