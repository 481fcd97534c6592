// The topics of one line: those of a class (with evidence: of its wrapped keys, too), or the one of
// dead letters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deliver/topic_table.h"
#include "model/record.h"

namespace spangate {

class LineTopics {
  public:
    LineTopics(const TopicTable& table, EventClass event_class);

    explicit LineTopics(std::string only_topic) : names_{std::move(only_topic)} {}

    // Index into names(); nothing: no topic is configured for the record's tenant.
    [[nodiscard]] std::optional<std::uint32_t> index_of(const OutboundRecord& record) const {
        return table_ ? index_in_table(record) : 0;
    }

    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

    [[nodiscard]] const std::string& name_of(const OutboundRecord& record) const;

  private:
    [[nodiscard]] std::optional<std::uint32_t> index_in_table(const OutboundRecord& record) const;

    std::optional<TopicTable> table_;
    std::vector<std::uint32_t> own_index_;  // by the table's index
    std::vector<std::string> names_;
};

}  // namespace spangate
