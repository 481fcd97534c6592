#include "deliver/dev_broker.h"

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

using namespace spangate;  // NOLINT: a test

TEST_CASE("the dev broker listens on loopback with the topics it was given", "[mock]") {
    const std::vector<std::string> topics = {"agent.operational"};
    const auto broker = DevBroker::start(topics, 6);
    REQUIRE(broker);
    const std::string bootstrap = (*broker)->bootstrap();
    CHECK(bootstrap.starts_with("127.0.0.1:"));
    CHECK(bootstrap.find(',') == std::string::npos);
}

TEST_CASE("a topic that cannot be made is named", "[mock]") {
    const std::vector<std::string> topics = {"twice", "twice"};
    const auto broker = DevBroker::start(topics);
    REQUIRE_FALSE(broker);
    CHECK(broker.error().message.find("twice") != std::string::npos);
}
