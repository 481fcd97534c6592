#include "deliver/line_topics.h"

namespace spangate {

LineTopics::LineTopics(const TopicTable& table, EventClass event_class)
    : table_(table),
      own_index_(table.names().size(), 0) {
    for (std::uint32_t i = 0; i < table.names().size(); ++i) {
        if (table.class_of(i) != event_class) continue;
        own_index_[i] = static_cast<std::uint32_t>(names_.size());
        names_.push_back(table.names()[i]);
    }
}

std::optional<std::uint32_t> LineTopics::index_in_table(const OutboundRecord& record) const {
    const std::optional<std::uint32_t> index =
        record.is_evidence_key ? table_->evidence_keys()
                               : table_->index_of(record.event_class, record.tenant_id);
    if (!index) return std::nullopt;
    return own_index_[*index];
}

const std::string& LineTopics::name_of(const OutboundRecord& record) const {
    const std::optional<std::uint32_t> index = index_of(record);
    return names_[index.value_or(0)];
}

}  // namespace spangate
