// Gives a usage its cost from the price table, where the client told tokens and no cost (contract
// §5). One for each lane: it remembers which price a model had, in a table that never grows, so
// that a span costs one hash and one comparison. Takes nothing from the heap after construction.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "interpret/price_table.h"
#include "interpret/usage_memory.h"
#include "model/field_set.h"
#include "observe/metrics.h"

namespace spangate {

class CostMaker {
  public:
    // The table and the metrics outlive it; events point to the table's version.
    CostMaker(const PriceTable& prices, Metrics& metrics);

    // Puts cost_usd, cost_source and price_version of a call at `at`, by the fields `provider`,
    // `model` and the token counts. What has no price stays without (never 0) and is counted.
    // The price that was found, or null.
    const Price* price(FieldSetBuilder& fields, WallNanos at);

  private:
    static constexpr std::size_t slots_count = 512;  // models in use at a time, with room to spare

    struct Slot {
        MemoryKey key{};
        PriceMatch match{nullptr, for_ever, since_ever};  // valid at no time
    };

    [[nodiscard]] const Price* find(
        std::string_view provider, std::string_view model, WallNanos at
    );

    const PriceTable& prices_;
    Counter& without_model_;
    Counter& without_price_;
    Counter& without_tokens_;
    std::unique_ptr<std::array<Slot, slots_count>> slots_;
};

}  // namespace spangate
