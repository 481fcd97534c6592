// Marks each attribute with what may become of it and with its part in the content (contract §1,
// «Deny by default»; §3, Digests).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interpret/attribute_index.h"
#include "interpret/convention_table.h"
#include "model/span_view.h"

namespace spangate {

class TreatmentMarker {
  public:
    // `session_keys`: keys of the configuration; they feed a field like those of the table.
    TreatmentMarker(const ConventionTable& table, const std::vector<std::string>& session_keys)
        : table_(table),
          session_keys_(session_keys) {}

    // Span attributes: `index` has just read them.
    void mark_span(const AttributeIndex& index, ConventionMask holding) const;

    // Attributes of the resource or the scope; the same for all spans under it.
    void mark_resource(const AttributeIndex& index) const;
    void mark_scope(const AttributeIndex& index) const;

    // Attributes of a span event.
    void mark_span_event(std::string_view name, const AttributeIndex& index, ConventionMask holding)
        const;

    // Roles of the span's and its events' attributes, by the types that the rule emits.
    void mark_roles(
        const SpanView& span,
        const AttributeIndex& index,
        ConventionMask holding,
        EventTypes rule_types
    ) const;

    // The role of a log record's body; its treatment always is content.
    void mark_body(LogRecordView& record, std::string_view name) const;

    // Whether the table calls span events of this name content.
    [[nodiscard]] bool is_content_event(std::string_view name) const;

  private:
    [[nodiscard]] Treatment treatment_of(const KeyFacts& facts, ConventionMask holding) const;
    [[nodiscard]] bool mark_first(
        const RoleKeys& keys, ContentRole role, const SpanView& span, const AttributeIndex& index
    ) const;

    const ConventionTable& table_;
    const std::vector<std::string>& session_keys_;
};

}  // namespace spangate
