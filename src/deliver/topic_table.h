// Which topic a record goes to: by class, and by tenant where the name holds {tenant}.
//
// {tenant} becomes only one of `exporters.kafka.tenants`. A tenant that is not listed goes to the
// topics of the tenant `default` if that one is listed (who lists it wants it to catch the others),
// and nowhere otherwise: never to a topic that belongs to somebody else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "model/event_type.h"

namespace spangate {

class TopicTable {
  public:
    // `has_evidence_keys`: evidence is encrypted, so there is a topic of wrapped data keys, too.
    [[nodiscard]] static Result<TopicTable> make(
        const KafkaConfig& config, bool has_evidence_keys = false
    );

    // Index into names(). O(log tenants).
    [[nodiscard]] std::optional<std::uint32_t> index_of(
        EventClass event_class, std::string_view tenant_id
    ) const;

    // Of the wrapped data keys; nothing without them.
    [[nodiscard]] std::optional<std::uint32_t> evidence_keys() const { return evidence_keys_; }

    // Of all classes and tenants, each once.
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

    [[nodiscard]] EventClass class_of(std::uint32_t index) const { return classes_[index]; }

  private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    struct ClassTopics {
        bool is_by_tenant = false;
        std::uint32_t first = 0;  // the topic, or that of the first tenant; then in tenant order
    };

    std::vector<std::string> names_;
    std::vector<EventClass> classes_;
    std::array<ClassTopics, event_classes_count> by_class_{};
    std::vector<std::string> tenants_;  // sorted
    std::uint32_t default_tenant_ = none;
    std::optional<std::uint32_t> evidence_keys_;
};

}  // namespace spangate
