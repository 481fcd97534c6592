// Kafka's rules for topic names (org.apache.kafka.common.internals.Topic): letters, digits, . _ -,
// at most 249 characters, and names that differ in . and _ alone collide.
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "config/validate.h"

namespace spangate {
namespace {

constexpr std::size_t topic_bytes_max = 249;
constexpr std::string_view placeholder = "{tenant}";

bool is_topic_name(std::string_view name) {
    if (name.empty() || name.size() > topic_bytes_max || name == "." || name == "..") return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

std::string with_tenant(std::string topic, std::string_view tenant) {
    for (std::size_t at = topic.find(placeholder); at != std::string::npos;
         at = topic.find(placeholder, at + tenant.size())) {
        topic.replace(at, placeholder.size(), tenant);
    }
    return topic;
}

// Each name once, under the first topic that may bear it.
class TopicNames {
  public:
    explicit TopicNames(std::vector<RuleFault>& faults) : faults_(faults) {}

    // Stops at the first fault of a topic, so that a thousand tenants do not say it a thousand
    // times.
    bool add(const std::string& path, const std::string& name) {
        if (!is_topic_name(name)) {
            faults_.push_back(
                {path,
                 fmt::format(
                     "`{}` is no topic name; write 1 to {} letters, digits, . _ and -",
                     name.substr(0, topic_bytes_max),
                     topic_bytes_max
                 )}
            );
            return false;
        }
        std::string collision = name;
        std::replace(collision.begin(), collision.end(), '_', '.');
        const auto [known, is_new] = paths_.emplace(std::move(collision), path);
        if (is_new || known->second == path) return true;
        faults_.push_back(
            {path,
             fmt::format(
                 "`{}` is the topic of {} too (for Kafka . and _ collide); give each class its own",
                 name,
                 known->second
             )}
        );
        return false;
    }

  private:
    std::vector<RuleFault>& faults_;
    std::map<std::string, std::string> paths_;
};

void check_tenants(const KafkaConfig& kafka, std::vector<RuleFault>& faults) {
    for (const std::string& tenant : kafka.tenants) {
        if (is_topic_name(tenant)) continue;
        faults.push_back(
            {"exporters.kafka.tenants",
             fmt::format(
                 "`{}` cannot stand in a topic's name; write letters, digits, . _ and -", tenant
             )}
        );
    }
}

}  // namespace

void validate_topics(const Config& config, std::vector<RuleFault>& faults) {
    const KafkaConfig& kafka = config.exporters.kafka;
    const std::array<std::pair<std::string_view, const std::string*>, 6> topics = {{
        {"operational", &kafka.topics.operational},
        {"detail", &kafka.topics.detail},
        {"evidence", &kafka.topics.evidence},
        {"dead_letter", &kafka.topics.dead_letter},
        {"audit", &kafka.topics.audit},
        {"evidence_keys", &kafka.topics.evidence_keys},
    }};
    check_tenants(kafka, faults);
    TopicNames names(faults);
    for (const auto& [key, topic] : topics) {
        const std::string path = fmt::format("exporters.kafka.topics.{}", key);
        if (topic->find(placeholder) == std::string::npos) {
            names.add(path, *topic);
            continue;
        }
        if (topic == &kafka.topics.evidence_keys) {
            faults.push_back({path, "{tenant} cannot stand here; one topic holds all tenants' keys"}
            );
            continue;
        }
        if (kafka.tenants.empty()) {
            faults.push_back(
                {path, "{tenant} needs exporters.kafka.tenants, the list of what it may become"}
            );
        }
        for (const std::string& tenant : kafka.tenants) {
            if (!names.add(path, with_tenant(*topic, tenant))) break;
        }
    }
    (void)names.add("guard.state_topic", config.guard.state_topic);
}

}  // namespace spangate
