#include "deliver/topic_table.h"

#include <catch2/catch.hpp>

using namespace spangate;  // NOLINT: a test

TEST_CASE("the topic of data keys stands behind the others, when there is one") {
    const KafkaConfig config;
    CHECK_FALSE(TopicTable::make(config)->evidence_keys());
    const auto table = TopicTable::make(config, true);
    REQUIRE(table->evidence_keys() == 3U);
    CHECK(table->names()[3] == "agent.evidence-keys");
}

TEST_CASE("each class has its topic, whatever the tenant") {
    const auto table = TopicTable::make({});
    REQUIRE(table);
    CHECK(
        table->names() ==
        std::vector<std::string>{"agent.operational", "agent.detail", "agent.evidence"}
    );
    CHECK(table->index_of(EventClass::detail, "anyone") == 1U);
    CHECK(table->class_of(2) == EventClass::evidence);
}

TEST_CASE("a tenant's name stands in the topic, and a stranger has none") {
    KafkaConfig config;
    config.topics.operational = "agent.{tenant}.operational";
    config.tenants = {"b", "a"};
    const auto table = TopicTable::make(config);
    REQUIRE(table);
    CHECK(table->names()[*table->index_of(EventClass::operational, "a")] == "agent.a.operational");
    CHECK(table->names()[*table->index_of(EventClass::operational, "b")] == "agent.b.operational");
    CHECK_FALSE(table->index_of(EventClass::operational, "c"));
    CHECK(table->index_of(EventClass::detail, "c"));
}

TEST_CASE("a stranger goes to the tenant default when that one is listed") {
    KafkaConfig config;
    config.topics.operational = "{tenant}.ops";
    config.tenants = {"a", "default"};
    const auto table = TopicTable::make(config);
    REQUIRE(table);
    CHECK(table->names()[*table->index_of(EventClass::operational, "c")] == "default.ops");
}

TEST_CASE("impossible topics are refused with their name") {
    KafkaConfig same;
    same.topics.detail = same.topics.operational;
    CHECK(TopicTable::make(same).error().message.find("agent.operational") != std::string::npos);
    KafkaConfig no_tenants;
    no_tenants.topics.detail = "{tenant}.detail";
    CHECK_FALSE(TopicTable::make(no_tenants));
    KafkaConfig illegal;
    illegal.topics.detail = "a topic";
    CHECK_FALSE(TopicTable::make(illegal));
}
