#include "observe/metrics.h"

#include <catch2/catch.hpp>

using namespace spangate;

TEST_CASE("one name with the same labels is one counter") {
    Metrics metrics;
    metrics.counter("spangate_things_total", "Things.", {{"kind", "a"}}).add(2);
    metrics.counter("spangate_things_total", "Things.", {{"kind", "a"}}).add(3);
    metrics.counter("spangate_things_total", "Things.", {{"kind", "b"}}).add(1);
    const std::string text = metrics.exposition();
    CHECK(text.find("# TYPE spangate_things_total counter") != std::string::npos);
    CHECK(text.find("spangate_things_total{kind=\"a\"} 5") != std::string::npos);
    CHECK(text.find("spangate_things_total{kind=\"b\"} 1") != std::string::npos);
}

TEST_CASE("histograms are cumulative") {
    Metrics metrics;
    Histogram& sizes = metrics.histogram("spangate_sizes", "Sizes.", {1, 10});
    sizes.observe(0.5);
    sizes.observe(10);
    sizes.observe(99);
    const std::string text = metrics.exposition();
    CHECK(text.find("spangate_sizes_bucket{le=\"1\"} 1") != std::string::npos);
    CHECK(text.find("spangate_sizes_bucket{le=\"10\"} 2") != std::string::npos);
    CHECK(text.find("spangate_sizes_bucket{le=\"+Inf\"} 3") != std::string::npos);
    CHECK(text.find("spangate_sizes_count 3") != std::string::npos);
}

TEST_CASE("gauges may be read at scrape time") {
    Metrics metrics;
    metrics.gauge_from("spangate_now", "Now.", [] { return 4.0; });
    metrics.gauge("spangate_level", "Level.").set(-2);
    const std::string text = metrics.exposition();
    CHECK(text.find("spangate_now 4") != std::string::npos);
    CHECK(text.find("spangate_level -2") != std::string::npos);
}
