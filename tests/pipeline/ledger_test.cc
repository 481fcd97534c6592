#include "pipeline/ledger.h"

#include <catch2/catch.hpp>

using namespace spangate;

namespace {

std::uint64_t value(Metrics& metrics, std::string_view series) {
    const std::string text = metrics.exposition();
    const std::size_t at = text.find("\n" + std::string(series) + " ");
    REQUIRE(at != std::string::npos);
    return std::stoull(text.substr(at + series.size() + 2));
}

}  // namespace

TEST_CASE("items received are accepted, rejected or refused, and accepted ones produced or dropped"
) {
    Metrics metrics;
    Ledger ledger(metrics);
    ledger.received(Signal::traces, 10);
    ledger.answered(
        {ErrorCode::internal, true, 2, {}, 0},
        {.received = 10, .rejected = 2, .dropped_other = 3, .dropped_partial = 1}
    );
    ledger.received(Signal::traces, 5);
    ledger.answered(Outcome::failure({ErrorCode::unavailable, "later"}, 1), {.received = 5});
    ledger.received(Signal::traces, 4);
    ledger.answered(Outcome::failure({ErrorCode::invalid_argument, "never"}), {.received = 4});

    ledger.received(Signal::logs, 7);
    ledger.answered({}, {.received = 7, .dropped_duplicate = 7});

    CHECK(value(metrics, "spangate_items_received_total{signal=\"traces\"}") == 19);
    CHECK(value(metrics, "spangate_items_received_total{signal=\"logs\"}") == 7);
    CHECK(value(metrics, "spangate_items_accepted_total") == 15);
    CHECK(value(metrics, "spangate_items_rejected_total{reason=\"invalid_item\"}") == 2);
    CHECK(value(metrics, "spangate_items_rejected_total{reason=\"not_storable\"}") == 4);
    CHECK(value(metrics, "spangate_items_refused_total{reason=\"unavailable\"}") == 5);
    CHECK(value(metrics, "spangate_items_produced_total") == 4);
    CHECK(value(metrics, "spangate_items_dropped_total{reason=\"other\"}") == 3);
    CHECK(value(metrics, "spangate_items_dropped_total{reason=\"partial\"}") == 1);
    CHECK(value(metrics, "spangate_items_dropped_total{reason=\"duplicate\"}") == 7);
}
