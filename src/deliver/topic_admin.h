// `spangate topics create|check`: the topics as contract §1 wants them, and how the cluster
// differs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "deliver/topic_table.h"

struct rd_kafka_s;

namespace spangate {

struct TopicPlan {
    std::string name;
    std::uint32_t partitions = 6;
    std::uint32_t replication_factor = 3;
    std::map<std::string, std::string> config;  // topic configuration, Kafka's names
};

// The plan for a cluster of `brokers_count`: with fewer brokers than replicas there is one replica
// a broker, and min.insync.replicas follows.
[[nodiscard]] std::vector<TopicPlan> plan_topics(
    const KafkaConfig& config, const TopicTable& topics, std::uint32_t brokers_count
);

// The topics of audit records: one, or one a tenant where the name has {tenant}.
[[nodiscard]] std::vector<std::string> audit_topics(const KafkaConfig& config);

struct TopicFinding {
    std::string topic;     // empty: of the cluster, or of all topics together
    std::string text;      // what is, and what should be
    bool is_drift = true;  // false: a note
};

struct TopicReport {
    std::vector<TopicFinding> findings;

    [[nodiscard]] bool is_clean() const {
        for (const TopicFinding& finding : findings) {
            if (finding.is_drift) return false;
        }
        return true;
    }
};

// What the cluster says of a topic; partitions 0: it does not exist.
struct TopicFacts {
    std::uint32_t partitions = 0;
    std::uint32_t replicas_min = 0;                          // over its partitions
    std::uint32_t leaderless = 0;                            // partitions without a leader
    std::map<std::string, std::string, std::less<>> config;  // effective
};

// The drift between plan and facts, as lines for people.
[[nodiscard]] TopicReport compare_topics(
    const std::vector<TopicPlan>& plan, const std::map<std::string, TopicFacts, std::less<>>& facts
);

// Talks to the cluster of `exporters.kafka`. Each call waits up to `request_timeout`.
class TopicAdmin {
  public:
    static constexpr Millis request_timeout{15'000};

    // `has_evidence_keys`: evidence is encrypted, so its keys and the audit of erasures have
    // topics.
    [[nodiscard]] static Result<std::unique_ptr<TopicAdmin>> connect(
        const KafkaConfig& config, bool has_evidence_keys = false
    );

    ~TopicAdmin();
    TopicAdmin(const TopicAdmin&) = delete;
    TopicAdmin& operator=(const TopicAdmin&) = delete;

    // Creates what is missing and changes nothing that exists; then says what differs. Notes name
    // what was created. unavailable: no broker answered.
    [[nodiscard]] Result<TopicReport> create();

    [[nodiscard]] Result<TopicReport> check();

  private:
    TopicAdmin(KafkaConfig config, TopicTable topics, rd_kafka_s* client);

    [[nodiscard]] Result<std::map<std::string, TopicFacts, std::less<>>> read_facts();
    [[nodiscard]] Status read_config(std::map<std::string, TopicFacts, std::less<>>& facts);
    [[nodiscard]] Status create_missing(
        const std::vector<TopicPlan>& missing, std::vector<TopicFinding>& notes
    );
    [[nodiscard]] Status wait_for(const std::vector<TopicPlan>& created);
    [[nodiscard]] Result<TopicReport> report(std::vector<TopicFinding> notes);

    const KafkaConfig config_;
    const TopicTable topics_;
    rd_kafka_s* client_;
    std::uint32_t brokers_count_ = 0;
};

}  // namespace spangate
