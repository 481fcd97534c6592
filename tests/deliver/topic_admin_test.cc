#include "deliver/topic_admin.h"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace spangate;  // NOLINT: a test

namespace {

std::vector<TopicPlan> plan_for(std::uint32_t brokers, const KafkaConfig& config = {}) {
    return plan_topics(config, *TopicTable::make(config), brokers);
}

// Facts that fit the plan to the letter.
std::map<std::string, TopicFacts, std::less<>> facts_of(const std::vector<TopicPlan>& plan) {
    std::map<std::string, TopicFacts, std::less<>> facts;
    for (const TopicPlan& topic : plan) {
        TopicFacts& found = facts[topic.name];
        found.partitions = topic.partitions;
        found.replicas_min = topic.replication_factor;
        found.config.insert(topic.config.begin(), topic.config.end());
        found.config["max.message.bytes"] = "1048588";
    }
    return facts;
}

bool tells(const TopicReport& report, std::string_view topic, std::string_view text) {
    return std::any_of(report.findings.begin(), report.findings.end(), [&](const auto& finding) {
        return finding.topic == topic && finding.text.find(text) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("the plan is the contract's, with retention by class") {
    const auto plan = plan_for(3);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].name == "agent.operational");
    CHECK(plan[0].partitions == 6);
    CHECK(plan[0].replication_factor == 3);
    CHECK(plan[0].config.at("cleanup.policy") == "delete");
    CHECK(plan[0].config.at("min.insync.replicas") == "2");
    CHECK(plan[0].config.at("unclean.leader.election.enable") == "false");
    CHECK(plan[0].config.at("retention.ms") == "7776000000");
    CHECK(plan[1].config.at("retention.ms") == "2592000000");
}

TEST_CASE("encrypted evidence adds a compacted topic of keys and the audit topic") {
    const KafkaConfig config;
    const auto plan = plan_topics(config, *TopicTable::make(config, true), 3);
    REQUIRE(plan.size() == 5);
    CHECK(plan[3].name == "agent.evidence-keys");
    CHECK(plan[3].config.at("cleanup.policy") == "compact");
    CHECK(plan[3].config.at("max.compaction.lag.ms") == "3600000");
    CHECK_FALSE(plan[3].config.contains("retention.ms"));
    CHECK(plan[4].name == "agent.audit");
    CHECK(plan[4].config.at("retention.ms") == "-1");
    auto facts = facts_of(plan);
    CHECK(compare_topics(plan, facts).is_clean());
    facts["agent.evidence-keys"].config["cleanup.policy"] = "delete";
    CHECK(tells(compare_topics(plan, facts), "agent.evidence-keys", "is delete, should be compact")
    );
}

TEST_CASE("a tenant has its own audit topic where the name says so") {
    KafkaConfig config;
    config.topics.audit = "{tenant}.audit";
    config.tenants = {"a", "b"};
    CHECK(audit_topics(config) == std::vector<std::string>{"a.audit", "b.audit"});
}

TEST_CASE("a small cluster gets as many replicas as it has brokers") {
    const auto plan = plan_for(1);
    CHECK(plan[0].replication_factor == 1);
    CHECK(plan[0].config.at("min.insync.replicas") == "1");
}

TEST_CASE("topics as planned show no drift") {
    const auto plan = plan_for(3);
    CHECK(compare_topics(plan, facts_of(plan)).is_clean());
}

TEST_CASE("each kind of drift is told with what is and what should be") {
    const auto plan = plan_for(3);
    auto facts = facts_of(plan);
    facts.erase("agent.evidence");
    facts["agent.detail"].partitions = 12;
    facts["agent.detail"].replicas_min = 1;
    facts["agent.operational"].config["cleanup.policy"] = "compact";
    facts["agent.operational"].config["max.message.bytes"] = "1000";
    facts["agent.operational"].leaderless = 2;

    const TopicReport report = compare_topics(plan, facts);

    CHECK_FALSE(report.is_clean());
    CHECK(tells(report, "agent.evidence", "does not exist"));
    CHECK(tells(report, "agent.detail", "has 12 partitions, should have 6"));
    CHECK(tells(report, "agent.detail", "has 1 replicas, should have 3"));
    CHECK(tells(report, "agent.operational", "cleanup.policy is compact, should be delete"));
    CHECK(tells(report, "agent.operational", "max.message.bytes is 1000"));
    CHECK(tells(report, "agent.operational", "2 partitions have no leader"));
    CHECK(tells(report, "", "6 to 12 partitions"));
}

TEST_CASE("a cluster that does not answer is told as unavailable") {
    KafkaConfig config;
    const auto admin = TopicAdmin::connect(config);
    REQUIRE_FALSE(admin);
    CHECK(admin.error().message.find("brokers is empty") != std::string::npos);
}
