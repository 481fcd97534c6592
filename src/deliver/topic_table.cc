#include "deliver/topic_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr std::string_view tenant_mark = "{tenant}";
constexpr std::size_t topic_name_bytes_max = 249;  // Kafka's own limit

bool is_topic_name(std::string_view name) {
    const bool has_only_legal = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
    return has_only_legal && !name.empty() && name.size() <= topic_name_bytes_max && name != "." &&
           name != "..";
}

}  // namespace

Result<TopicTable> TopicTable::make(const KafkaConfig& config, bool has_evidence_keys) {
    TopicTable table;
    table.tenants_ = config.tenants;
    std::sort(table.tenants_.begin(), table.tenants_.end());
    table.tenants_.erase(
        std::unique(table.tenants_.begin(), table.tenants_.end()), table.tenants_.end()
    );
    const auto at = std::find(table.tenants_.begin(), table.tenants_.end(), "default");
    if (at != table.tenants_.end()) {
        table.default_tenant_ = static_cast<std::uint32_t>(at - table.tenants_.begin());
    }
    const std::array<std::string_view, event_classes_count> patterns = {
        config.topics.operational, config.topics.detail, config.topics.evidence};
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        const std::size_t mark = patterns[i].find(tenant_mark);
        const bool is_by_tenant = mark != std::string_view::npos;
        table.by_class_[i] = {is_by_tenant, static_cast<std::uint32_t>(table.names_.size())};
        if (!is_by_tenant) table.names_.emplace_back(patterns[i]);
        if (is_by_tenant && table.tenants_.empty()) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("topic {} needs exporters.kafka.tenants", patterns[i])
            );
        }
        for (std::size_t t = 0; is_by_tenant && t < table.tenants_.size(); ++t) {
            std::string name(patterns[i]);
            table.names_.push_back(name.replace(mark, tenant_mark.size(), table.tenants_[t]));
        }
        table.classes_.resize(table.names_.size(), static_cast<EventClass>(i));
    }
    if (has_evidence_keys) {
        table.evidence_keys_ = static_cast<std::uint32_t>(table.names_.size());
        table.names_.push_back(config.topics.evidence_keys);
        table.classes_.push_back(EventClass::evidence);
    }
    for (auto name = table.names_.begin(); name != table.names_.end(); ++name) {
        if (!is_topic_name(*name)) {
            return fail(
                ErrorCode::invalid_argument, fmt::format("«{}» is not a Kafka topic name", *name)
            );
        }
        if (std::find(table.names_.begin(), name, *name) != name) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("topic {} stands for two classes; each needs its own", *name)
            );
        }
    }
    return table;
}

std::optional<std::uint32_t> TopicTable::index_of(
    EventClass event_class, std::string_view tenant_id
) const {
    const ClassTopics& topics = by_class_[static_cast<std::size_t>(event_class)];
    if (!topics.is_by_tenant) return topics.first;
    const auto at = std::lower_bound(tenants_.begin(), tenants_.end(), tenant_id);
    if (at != tenants_.end() && *at == tenant_id) {
        return topics.first + static_cast<std::uint32_t>(at - tenants_.begin());
    }
    if (default_tenant_ != none) return topics.first + default_tenant_;
    return std::nullopt;
}

}  // namespace spangate
