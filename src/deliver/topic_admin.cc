#include "deliver/topic_admin.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include "deliver/kafka_settings.h"
#include "observe/log.h"

namespace spangate {
namespace {

using Facts = std::map<std::string, TopicFacts, std::less<>>;

// librdkafka's C objects with their own ways to go.
struct EventDeleter {
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};

struct QueueDeleter {
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};

struct OptionsDeleter {
    void operator()(rd_kafka_AdminOptions_t* options) const {
        rd_kafka_AdminOptions_destroy(options);
    }
};

using Event = std::unique_ptr<rd_kafka_event_t, EventDeleter>;
using Queue = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter>;

constexpr int topic_poll_ms = 100;
constexpr int wait_ms = static_cast<int>(TopicAdmin::request_timeout.count());

void on_log(const rd_kafka_t* /*client*/, int /*level*/, const char* facility, const char* text) {
    log_debug("deliver", "librdkafka {}: {}", facility, text);
}

Options options_for(rd_kafka_t* client, rd_kafka_admin_op_t operation) {
    Options options(rd_kafka_AdminOptions_new(client, operation));
    std::array<char, 256> fault{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), wait_ms, fault.data(), fault.size());
    return options;
}

TopicFacts facts_of(const rd_kafka_metadata_topic& topic) {
    TopicFacts facts;
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) return facts;
    facts.partitions = static_cast<std::uint32_t>(topic.partition_cnt);
    facts.replicas_min = ~std::uint32_t{0};
    for (const rd_kafka_metadata_partition& partition :
         std::span(topic.partitions, facts.partitions)) {
        facts.leaderless += partition.leader < 0 ? 1 : 0;
        facts.replicas_min =
            std::min(facts.replicas_min, static_cast<std::uint32_t>(partition.replica_cnt));
    }
    return facts;
}

}  // namespace

Result<std::unique_ptr<TopicAdmin>> TopicAdmin::connect(
    const KafkaConfig& config, bool has_evidence_keys
) {
    Result<TopicTable> topics = TopicTable::make(config, has_evidence_keys);
    if (!topics) return tl::unexpected(topics.error());
    Result<KafkaConf> conf = client_settings(config, "spangate-topics");
    if (!conf) return tl::unexpected(conf.error());
    rd_kafka_conf_set_log_cb(conf->get(), on_log);
    const Result<rd_kafka_s*> client = open_client(std::move(*conf));
    if (!client) return tl::unexpected(client.error());
    return std::unique_ptr<TopicAdmin>(new TopicAdmin(config, std::move(*topics), *client));
}

TopicAdmin::TopicAdmin(KafkaConfig config, TopicTable topics, rd_kafka_s* client)
    : config_(std::move(config)),
      topics_(std::move(topics)),
      client_(client) {
    if (!config_.sasl.token_file.empty()) {
        rd_kafka_error_t* error = rd_kafka_sasl_background_callbacks_enable(client_);
        if (error != nullptr) rd_kafka_error_destroy(error);
    }
}

TopicAdmin::~TopicAdmin() {
    rd_kafka_destroy(client_);
}

Result<Facts> TopicAdmin::read_facts() {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(client_, 1, nullptr, &metadata, wait_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(
            ErrorCode::unavailable,
            fmt::format(
                "no broker of {} answers: {}",
                config_.brokers.empty() ? "" : config_.brokers.front(),
                rd_kafka_err2str(error)
            )
        );
    }
    brokers_count_ = static_cast<std::uint32_t>(metadata->broker_cnt);
    const std::vector<TopicPlan> plan = plan_topics(config_, topics_, brokers_count_);
    Facts facts;
    for (const rd_kafka_metadata_topic& topic :
         std::span(metadata->topics, static_cast<std::size_t>(metadata->topic_cnt))) {
        const bool is_ours = std::any_of(plan.begin(), plan.end(), [&](const TopicPlan& one) {
            return one.name == topic.topic;
        });
        if (!is_ours) continue;
        facts.emplace(topic.topic, facts_of(topic));
    }
    rd_kafka_metadata_destroy(metadata);
    return facts;
}

Status TopicAdmin::read_config(Facts& facts) {
    std::vector<rd_kafka_ConfigResource_t*> wanted;
    for (const auto& [name, found] : facts) {
        if (found.partitions > 0) {
            wanted.push_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
        }
    }
    if (wanted.empty()) return {};
    const Queue queue(rd_kafka_queue_new(client_));
    const Options options = options_for(client_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(client_, wanted.data(), wanted.size(), options.get(), queue.get());
    rd_kafka_ConfigResource_destroy_array(wanted.data(), wanted.size());
    const Event event(rd_kafka_queue_poll(queue.get(), wait_ms + 1'000));
    if (event == nullptr || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(
            ErrorCode::unavailable,
            fmt::format(
                "the topics' configuration cannot be read: {}",
                event == nullptr ? "no answer" : rd_kafka_event_error_string(event.get())
            )
        );
    }
    const auto* result = rd_kafka_event_DescribeConfigs_result(event.get());
    std::size_t count = 0;
    const auto* resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (const rd_kafka_ConfigResource_t* resource : std::span(resources, count)) {
        TopicFacts& found = facts[rd_kafka_ConfigResource_name(resource)];
        std::size_t entries_count = 0;
        const auto* entries = rd_kafka_ConfigResource_configs(resource, &entries_count);
        for (const rd_kafka_ConfigEntry_t* entry : std::span(entries, entries_count)) {
            const char* value = rd_kafka_ConfigEntry_value(entry);
            if (value == nullptr) continue;
            found.config.emplace(rd_kafka_ConfigEntry_name(entry), value);
        }
    }
    return {};
}

Status TopicAdmin::create_missing(
    const std::vector<TopicPlan>& missing, std::vector<TopicFinding>& notes
) {
    std::vector<rd_kafka_NewTopic_t*> topics;
    for (const TopicPlan& plan : missing) {
        std::array<char, 512> fault{};
        rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(
            plan.name.c_str(),
            static_cast<int>(plan.partitions),
            static_cast<int>(plan.replication_factor),
            fault.data(),
            fault.size()
        );
        if (topic == nullptr) {
            rd_kafka_NewTopic_destroy_array(topics.data(), topics.size());
            return fail(
                ErrorCode::invalid_argument, fmt::format("topic {}: {}", plan.name, fault.data())
            );
        }
        for (const auto& [name, value] : plan.config)
            rd_kafka_NewTopic_set_config(topic, name.c_str(), value.c_str());
        topics.push_back(topic);
    }
    const Queue queue(rd_kafka_queue_new(client_));
    const Options options = options_for(client_, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(client_, topics.data(), topics.size(), options.get(), queue.get());
    rd_kafka_NewTopic_destroy_array(topics.data(), topics.size());
    const Event event(rd_kafka_queue_poll(queue.get(), wait_ms + 1'000));
    if (event == nullptr || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail(
            ErrorCode::unavailable,
            fmt::format(
                "the topics cannot be created: {}",
                event == nullptr ? "no answer" : rd_kafka_event_error_string(event.get())
            )
        );
    }
    std::size_t count = 0;
    const auto* results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count
    );
    for (const rd_kafka_topic_result_t* result : std::span(results, count)) {
        const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(result);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            notes.push_back({rd_kafka_topic_result_name(result), "created", false});
        } else if (error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            const char* why = rd_kafka_topic_result_error_string(result);
            notes.push_back(
                {rd_kafka_topic_result_name(result),
                 fmt::format("not created: {}", why == nullptr ? rd_kafka_err2str(error) : why)}
            );
        }
    }
    return {};
}

Result<TopicReport> TopicAdmin::create() {
    Result<Facts> facts = read_facts();
    if (!facts) return tl::unexpected(facts.error());
    std::vector<TopicFinding> notes;
    std::vector<TopicPlan> missing = plan_topics(config_, topics_, brokers_count_);
    std::erase_if(missing, [&](const TopicPlan& plan) {
        return (*facts)[plan.name].partitions > 0;
    });
    if (!missing.empty()) {
        if (Status status = create_missing(missing, notes); !status) {
            return tl::unexpected(status.error());
        }
        if (Status status = wait_for(missing); !status) return tl::unexpected(status.error());
    }
    return report(std::move(notes));
}

// Brokers tell of a new topic, and of its leaders, a moment after they agreed to make it.
Status TopicAdmin::wait_for(const std::vector<TopicPlan>& created) {
    const auto deadline = std::chrono::steady_clock::now() + request_timeout;
    while (std::chrono::steady_clock::now() < deadline) {
        Result<Facts> facts = read_facts();
        if (!facts) return tl::unexpected(facts.error());
        const bool is_there = std::all_of(created.begin(), created.end(), [&](const auto& plan) {
            const TopicFacts& topic = (*facts)[plan.name];
            return topic.partitions > 0 && topic.leaderless == 0;
        });
        if (is_there) return {};
        rd_kafka_poll(client_, topic_poll_ms);
    }
    return {};  // the report then says what is missing
}

Result<TopicReport> TopicAdmin::check() {
    return report({});
}

Result<TopicReport> TopicAdmin::report(std::vector<TopicFinding> notes) {
    Result<Facts> facts = read_facts();
    if (!facts) return tl::unexpected(facts.error());
    if (Status status = read_config(*facts); !status) return tl::unexpected(status.error());
    if (brokers_count_ < config_.replication_factor) {
        notes.push_back(
            {"",
             fmt::format(
                 "replication_factor {} needs as many brokers, the cluster has {}: fewer replicas "
                 "can lose acknowledged records",
                 config_.replication_factor,
                 brokers_count_
             ),
             false}
        );
    }
    TopicReport found = compare_topics(plan_topics(config_, topics_, brokers_count_), *facts);
    // What was not created is told once, with the reason.
    std::erase_if(found.findings, [&notes](const TopicFinding& finding) {
        return std::any_of(notes.begin(), notes.end(), [&](const TopicFinding& note) {
            return note.is_drift && note.topic == finding.topic;
        });
    });
    notes.insert(
        notes.end(),
        std::make_move_iterator(found.findings.begin()),
        std::make_move_iterator(found.findings.end())
    );
    return TopicReport{std::move(notes)};
}

}  // namespace spangate
