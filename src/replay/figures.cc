#include "replay/figures.h"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr WallNanos second = 1'000'000'000;

}  // namespace

std::string duration_words(WallNanos duration) {
    if (duration <= 0) return "0";
    const std::int64_t seconds = duration / second;
    if (duration < second / 10) {
        return fmt::format("{}ms", (duration + 999'999) / 1'000'000);
    }
    if (seconds < 100) {
        return fmt::format("{:.1f}s", static_cast<double>(duration) / 1e9);
    }
    if (seconds < 3'600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
    if (seconds < 100 * 3'600) {
        return fmt::format("{}h{:02}m", seconds / 3'600, seconds / 60 % 60);
    }
    return fmt::format("{}d{:02}h", seconds / 86'400, seconds / 3'600 % 24);
}

std::string clock_words(WallNanos since_begin) {
    const char* const sign = since_begin < 0 ? "-" : "";
    const std::int64_t tenths = std::abs(since_begin) / (second / 10);
    const std::int64_t seconds = tenths / 10;
    if (seconds < 3'600) {
        return fmt::format("{}{:02}:{:02}.{}", sign, seconds / 60, seconds % 60, tenths % 10);
    }
    if (seconds < 100 * 3'600) {
        return fmt::format(
            "{}{}:{:02}:{:02}", sign, seconds / 3'600, seconds / 60 % 60, seconds % 60
        );
    }
    return fmt::format("{}{}d{:02}h", sign, seconds / 86'400, seconds / 3'600 % 24);
}

std::string money_words(double usd) {
    if (std::isnan(usd)) return "-";
    const double size = std::abs(usd);
    constexpr double rounding_max = 1e-9;  // what sums of cents leave behind
    if (size < rounding_max) return "0";
    if (size < 0.000'05) return "<.0001";
    if (size < 0.01) return fmt::format("{:.4f}", usd);
    if (size < 1) {
        std::string words = fmt::format("{:.3f}", usd);
        if (words.back() == '0') words.pop_back();
        return words;
    }
    if (size < 1'000) return fmt::format("{:.2f}", usd);
    return fmt::format("{:.0f}", usd);
}

std::string count_words(std::int64_t count) {
    std::string digits = std::to_string(count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string_view short_hash(std::string_view hash) {
    constexpr std::size_t shown = 4;
    const std::size_t colon = hash.find(':');
    if (colon != std::string_view::npos && colon + 1 < hash.size()) hash.remove_prefix(colon + 1);
    return hash.substr(0, shown);
}

}  // namespace spangate
