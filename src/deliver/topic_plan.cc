#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "deliver/kafka_settings.h"
#include "deliver/topic_admin.h"

namespace spangate {
namespace {

using Facts = std::map<std::string, TopicFacts, std::less<>>;

constexpr std::uint64_t day_ms = 86'400'000;
constexpr std::uint64_t batch_overhead_bytes = 128;  // a batch of one record, generously

std::uint32_t retention_days(const KafkaConfig& config, EventClass event_class) {
    switch (event_class) {
        case EventClass::operational:
            return config.operational_retention_days;
        case EventClass::detail:
            return config.detail_retention_days;
        case EventClass::evidence:
            break;
    }
    return config.evidence_retention_days;
}

using Settings = std::map<std::string, std::string>;

// An erased key must leave the brokers' disks: the compaction takes up each segment within an hour
// of its first record, instead of when it pleases. Tombstones stay for a week, so that whoever
// reads slowly hears of them.
Settings key_settings() {
    return {
        {"cleanup.policy", "compact"},
        {"max.compaction.lag.ms", "3600000"},
        {"min.cleanable.dirty.ratio", "0.01"},
        {"segment.ms", "3600000"},
        {"delete.retention.ms", "604800000"}};
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

void compare_config(
    const TopicPlan& plan, const TopicFacts& facts, std::vector<TopicFinding>& findings
) {
    for (const auto& [name, wanted] : plan.config) {
        const auto at = facts.config.find(name);
        if (at == facts.config.end() || at->second == wanted) continue;
        std::string text = fmt::format("{} is {}, should be {}", name, at->second, wanted);
        if (name == "cleanup.policy" && wanted == "delete" &&
            at->second.find("compact") != std::string::npos) {
            text += " (compaction would keep one record a session)";
        }
        findings.push_back({plan.name, std::move(text)});
    }
    const auto at = facts.config.find("max.message.bytes");
    if (at == facts.config.end()) return;
    const std::uint64_t needed = record_bytes_max + batch_overhead_bytes;
    if (number_of(at->second) >= needed) return;
    findings.push_back(
        {plan.name,
         fmt::format("max.message.bytes is {}, should be at least {}", at->second, needed)}
    );
}

void compare_topic(
    const TopicPlan& plan, const TopicFacts& facts, std::vector<TopicFinding>& findings
) {
    if (facts.partitions == 0) {
        findings.push_back({plan.name, "does not exist"});
        return;
    }
    if (facts.partitions != plan.partitions) {
        findings.push_back(
            {plan.name,
             fmt::format(
                 "has {} partitions, should have {}{}",
                 facts.partitions,
                 plan.partitions,
                 facts.partitions > plan.partitions
                     ? " (more partitions later move sessions: readers must read all of them)"
                     : ""
             )}
        );
    }
    if (facts.leaderless > 0) {
        findings.push_back(
            {plan.name, fmt::format("{} partitions have no leader", facts.leaderless)}
        );
    }
    if (facts.replicas_min < plan.replication_factor) {
        findings.push_back(
            {plan.name,
             fmt::format(
                 "has {} replicas, should have {}", facts.replicas_min, plan.replication_factor
             )}
        );
    }
    compare_config(plan, facts, findings);
}

}  // namespace

std::vector<TopicPlan> plan_topics(
    const KafkaConfig& config, const TopicTable& topics, std::uint32_t brokers_count
) {
    const std::uint32_t replicas =
        std::max(1U, std::min(config.replication_factor, std::max(brokers_count, 1U)));
    std::vector<TopicPlan> plans;
    const auto add = [&](const std::string& name, Settings settings) {
        settings.insert(
            {{"message.timestamp.type", "CreateTime"},
             {"compression.type", "producer"},
             {"min.insync.replicas", replicas >= 3 ? "2" : "1"},
             {"unclean.leader.election.enable", "false"}}
        );
        plans.push_back({name, config.partitions, replicas, std::move(settings)});
    };
    for (std::uint32_t i = 0; i < topics.names().size(); ++i) {
        if (i == topics.evidence_keys()) {
            add(topics.names()[i], key_settings());
            continue;
        }
        const std::uint64_t retention = retention_days(config, topics.class_of(i)) * day_ms;
        add(topics.names()[i],
            {{"cleanup.policy", "delete"}, {"retention.ms", std::to_string(retention)}});
    }
    if (topics.evidence_keys()) {
        for (const std::string& name : audit_topics(config))
            add(name, {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}});
    }
    return plans;
}

std::vector<std::string> audit_topics(const KafkaConfig& config) {
    constexpr std::string_view tenant_mark = "{tenant}";
    const std::string& pattern = config.topics.audit;
    const std::size_t mark = pattern.find(tenant_mark);
    if (mark == std::string::npos) return {pattern};
    std::vector<std::string> names;
    for (const std::string& tenant : config.tenants)
        names.push_back(std::string(pattern).replace(mark, tenant_mark.size(), tenant));
    return names;
}

TopicReport compare_topics(const std::vector<TopicPlan>& plan, const Facts& facts) {
    TopicReport report;
    std::uint32_t fewest = ~std::uint32_t{0};
    std::uint32_t most = 0;
    for (const TopicPlan& topic : plan) {
        const auto at = facts.find(topic.name);
        const TopicFacts found = at == facts.end() ? TopicFacts{} : at->second;
        compare_topic(topic, found, report.findings);
        if (found.partitions == 0) continue;
        fewest = std::min(fewest, found.partitions);
        most = std::max(most, found.partitions);
    }
    if (most > 0 && fewest != most) {
        report.findings.push_back(
            {"",
             fmt::format(
                 "the topics have {} to {} partitions: a session has a different partition in "
                 "each, readers must look into all",
                 fewest,
                 most
             )}
        );
    }
    return report;
}

}  // namespace spangate
