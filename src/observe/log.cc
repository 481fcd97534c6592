#include "observe/log.h"

#include <memory>

#include <unistd.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/text.h"

namespace spangate {
namespace {

std::atomic<bool> writes_json{false};

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "spangate", std::make_shared<spdlog::sinks::stderr_sink_mt>()
        );
        made->set_pattern("%v");
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

constexpr std::string_view level_names[] = {"debug", "info", "warn", "error"};

// Control characters would let a message forge a second line or steer a terminal.
std::string one_line(std::string_view text, bool for_json) {
    std::string repaired;
    append_as_utf8(text, repaired);
    std::string out;
    for (const char c : repaired) {
        if (for_json && (c == '"' || c == '\\')) out.push_back('\\');
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            out.push_back(c);
        }
    }
    return out;
}

}  // namespace

void set_up_log(const std::string& level, const std::string& format) {
    writes_json = format == "json" || (format == "auto" && ::isatty(STDERR_FILENO) == 0);
    logger().set_level(spdlog::level::from_str(level));
}

void write_log(LogLevel level, std::string_view room, std::string_view message) {
    constexpr spdlog::level::level_enum levels[] = {
        spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    const auto index = static_cast<std::size_t>(level);
    if (!logger().should_log(levels[index])) return;
    const std::string time = to_rfc3339(SystemClock().wall_nanos());
    const bool json = writes_json;
    const std::string text = one_line(message, json);
    logger().log(
        levels[index],
        json ? fmt::format(
                   R"({{"time":"{}","level":"{}","room":"{}","message":"{}"}})",
                   time,
                   level_names[index],
                   room,
                   text
               )
             : fmt::format("{} {:5} {:9} {}", time, level_names[index], room, text)
    );
}

}  // namespace spangate
