#include "config/units.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <span>

#include <fmt/format.h>

namespace spangate {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first, so that the first that divides a value is the one to print.
constexpr std::array<Unit, 4> printed_sizes{
    {{"TiB", 1024 * gib}, {"GiB", gib}, {"MiB", mib}, {"KiB", kib}}};
constexpr std::array<Unit, 6> other_sizes{
    {{"TB", 1'000'000'000'000},
     {"GB", 1'000'000'000},
     {"MB", 1'000'000},
     {"KB", 1'000},
     {"B", 1},
     {"", 1}}};
constexpr std::array<Unit, 4> durations{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

struct Amount {
    std::uint64_t number;
    std::string_view unit;
};

std::optional<Amount> read_amount(std::string_view text) {
    Amount amount{};
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), amount.number);
    if (error != std::errc{}) return std::nullopt;
    amount.unit = text.substr(static_cast<std::size_t>(end - text.data()));
    return amount;
}

std::optional<std::uint64_t> scaled(const Amount& amount, std::span<const Unit> units) {
    for (const Unit& unit : units) {
        if (unit.name != amount.unit) continue;
        if (amount.number > std::numeric_limits<std::uint64_t>::max() / unit.factor) {
            return std::nullopt;
        }
        return amount.number * unit.factor;
    }
    return std::nullopt;
}

std::string in_largest_unit(
    std::uint64_t value, std::span<const Unit> units, std::string_view smallest
) {
    for (const Unit& unit : units) {
        if (value != 0 && value % unit.factor == 0) {
            return fmt::format("{}{}", value / unit.factor, unit.name);
        }
    }
    return fmt::format("{}{}", value, smallest);
}

}  // namespace

std::optional<Bytes> read_size(std::string_view text) {
    const std::optional<Amount> amount = read_amount(text);
    if (!amount) return std::nullopt;
    const std::optional<Bytes> binary = scaled(*amount, printed_sizes);
    return binary ? binary : scaled(*amount, other_sizes);
}

std::optional<Millis> read_duration(std::string_view text) {
    if (text == "0") return Millis{0};
    const std::optional<Amount> amount = read_amount(text);
    if (!amount) return std::nullopt;
    const std::optional<std::uint64_t> millis = scaled(*amount, durations);
    constexpr auto millis_max = static_cast<std::uint64_t>(Millis::max().count());
    if (!millis || *millis > millis_max) return std::nullopt;
    return Millis{static_cast<Millis::rep>(*millis)};
}

std::string size_text(Bytes size) {
    return in_largest_unit(size, printed_sizes, "");
}

std::string duration_text(Millis duration) {
    return in_largest_unit(static_cast<std::uint64_t>(duration.count()), durations, "s");
}

}  // namespace spangate
