// What model calls cost: USD per million tokens by provider, model and date (config/prices.yaml,
// whose head explains the file). Immutable and thread-safe; all lanes share one.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace spangate {

// As the contract's fields have them (§5): `prompt` has cache reads and writes in it, `completion`
// has the reasoning in it.
struct TokenCounts {
    std::int64_t prompt = 0;
    std::int64_t completion = 0;
    std::int64_t cache_read = 0;
    std::int64_t cache_write = 0;
    std::int64_t reasoning = 0;
};

// USD per million tokens, none negative.
struct TokenRates {
    double input = 0;
    double output = 0;
    double cache_read = 0;
    double cache_write = 0;
    double reasoning = 0;
};

// What the whole call costs when its prompt has more tokens than this.
struct PriceTier {
    std::int64_t prompt_above = 0;
    TokenRates rates;
};

inline constexpr WallNanos since_ever = std::numeric_limits<WallNanos>::min();
inline constexpr WallNanos for_ever = std::numeric_limits<WallNanos>::max();

// Bit i stands for the hour of the day that begins at i o'clock, UTC.
using HoursOfDay = std::uint32_t;
inline constexpr HoursOfDay every_hour = (HoursOfDay{1} << 24) - 1;

struct Price {
    std::vector<std::string> providers;  // globs in lower case; none: any provider, and none at all
    std::vector<std::string> models;     // globs in lower case
    WallNanos from = since_ever;
    WallNanos until = for_ever;  // not included
    HoursOfDay hours = every_hour;
    TokenRates rates;
    std::vector<PriceTier> tiers;  // by prompt_above, ascending

    [[nodiscard]] bool is_in_force(WallNanos at) const;

    // In USD; finite and never negative, whatever the counts are. Tokens that a client counts
    // beside the prompt instead of in it do not make the rest negative.
    [[nodiscard]] double cost_of(const TokenCounts& counts) const;
};

// What find() found, and for which times it would find the same.
struct PriceMatch {
    const Price* price = nullptr;  // lives as long as the table; null: no entry
    WallNanos valid_from = since_ever;
    WallNanos valid_until = for_ever;  // not included
};

class PriceTable {
  public:
    // Longer names have no price; no model's name comes near.
    static constexpr std::size_t name_bytes_max = 256;

    PriceTable(std::vector<Price> prices, std::string version)
        : prices_(std::move(prices)),
          version_(std::move(version)) {}

    // The price in force at `at`; `provider` may be empty. Takes nothing from the heap;
    // O(entries), so keep what it answers (interpret/cost_maker.h).
    [[nodiscard]] PriceMatch find(std::string_view provider, std::string_view model, WallNanos at)
        const;

    // `price_version` of events: the file's own version and the hash of what was read.
    [[nodiscard]] std::string_view version() const { return version_; }

    [[nodiscard]] std::span<const Price> prices() const { return prices_; }

  private:
    std::vector<Price> prices_;
    std::string version_;
};

// `text` is in lower case; in `glob` a `*` stands for any text, also none.
[[nodiscard]] bool matches_glob(std::string_view glob, std::string_view text);

// All faults at once, one a line: «name:line:column: what». A file may end with the built-in
// table's entries (`extends: builtin`).
[[nodiscard]] Result<std::shared_ptr<const PriceTable>> load_prices(
    std::string_view yaml, std::string_view name
);

// The text of config/prices.yaml as it was at build time.
[[nodiscard]] std::string_view builtin_prices();

}  // namespace spangate
