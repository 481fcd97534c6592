// One line per fact on stderr, text on a terminal and JSON otherwise. Log start, stop, changes of
// state and faults that are the first of their kind; count the rest. Never a payload, a session id
// or a client's attribute value. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace spangate {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

// Before the first line; `level` and `format` as in LogConfig. Later calls change the level.
void set_up_log(const std::string& level, const std::string& format);

void write_log(LogLevel level, std::string_view room, std::string_view message);

template <typename... Args>
void log_debug(std::string_view room, fmt::format_string<Args...> text, Args&&... args) {
    write_log(LogLevel::debug, room, fmt::format(text, std::forward<Args>(args)...));
}

template <typename... Args>
void log_info(std::string_view room, fmt::format_string<Args...> text, Args&&... args) {
    write_log(LogLevel::info, room, fmt::format(text, std::forward<Args>(args)...));
}

template <typename... Args>
void log_warn(std::string_view room, fmt::format_string<Args...> text, Args&&... args) {
    write_log(LogLevel::warn, room, fmt::format(text, std::forward<Args>(args)...));
}

template <typename... Args>
void log_error(std::string_view room, fmt::format_string<Args...> text, Args&&... args) {
    write_log(LogLevel::error, room, fmt::format(text, std::forward<Args>(args)...));
}

// Lets a line through at most once per `interval`; the caller asks before it formats.
class LogLimit {
  public:
    explicit LogLimit(std::chrono::milliseconds interval = std::chrono::seconds(10))
        : interval_ns_(std::chrono::nanoseconds(interval).count()) {}

    [[nodiscard]] bool allows() {
        const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
        std::int64_t next = next_.load(std::memory_order_relaxed);
        return now >= next &&
               next_.compare_exchange_strong(next, now + interval_ns_, std::memory_order_relaxed);
    }

  private:
    const std::int64_t interval_ns_;
    std::atomic<std::int64_t> next_{0};
};

}  // namespace spangate
