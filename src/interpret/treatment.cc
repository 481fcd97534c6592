#include "interpret/treatment.h"

#include <algorithm>
#include <bit>

namespace spangate {

// Deny by default: the last line decides for everything that no list names. A person's id is one
// even where a list calls the key content, so that it never stands readable in detail.
Treatment TreatmentMarker::treatment_of(const KeyFacts& facts, ConventionMask holding) const {
    const bool is_excepted = (facts.exceptions & holding) != 0;
    if ((facts.identity & holding) != 0) return Treatment::identity;
    if ((facts.content & holding) != 0 && !is_excepted) return Treatment::content;
    if ((facts.mapped & holding) != 0) return Treatment::mapped;
    if (facts.is_plain || is_excepted) return Treatment::plain;
    return Treatment::content;
}

void TreatmentMarker::mark_span(const AttributeIndex& index, ConventionMask holding) const {
    const std::span<Attribute> attributes = index.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        attributes[i].treatment = treatment_of(*index.facts()[i], holding | common_bit);
    }
    for (const std::string& key : session_keys_) {
        for (Attribute& attribute : attributes) {
            if (attribute.key == key) attribute.treatment = Treatment::mapped;
        }
    }
}

void TreatmentMarker::mark_resource(const AttributeIndex& index) const {
    const std::span<Attribute> attributes = index.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        attributes[i].treatment = treatment_of(*index.facts()[i], common_bit);
    }
    for (const KeyId key : table_.resource_content) {
        if (Attribute* attribute = index.attribute(key)) attribute->treatment = Treatment::content;
    }
}

void TreatmentMarker::mark_scope(const AttributeIndex& index) const {
    const std::span<Attribute> attributes = index.attributes();
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        const bool is_plain = index.facts()[i]->is_plain;
        attributes[i].treatment = is_plain ? Treatment::plain : Treatment::content;
    }
}

void TreatmentMarker::mark_body(LogRecordView& record, std::string_view name) const {
    record.body.treatment = Treatment::content;
    for (const auto& [of, role] : table_.log_bodies) {
        if (of == name) record.body.role = role;
    }
}

bool TreatmentMarker::is_content_event(std::string_view name) const {
    return std::any_of(
        table_.span_event_content.begin(),
        table_.span_event_content.end(),
        [&](const SpanEventContent& content) { return content.name == name; }
    );
}

void TreatmentMarker::mark_span_event(
    std::string_view name, const AttributeIndex& index, ConventionMask holding
) const {
    mark_span(index, holding);
    for (const SpanEventContent& content : table_.span_event_content) {
        if (content.name != name || (content.conventions & (holding | common_bit)) == 0) continue;
        if (content.all) {
            for (Attribute& attribute : index.attributes())
                attribute.treatment = Treatment::content;
        }
        for (const KeyId key : content.keys) {
            if (Attribute* attribute = index.attribute(key)) {
                attribute->treatment = Treatment::content;
            }
        }
    }
}

bool TreatmentMarker::mark_first(
    const RoleKeys& keys, ContentRole role, const SpanView& span, const AttributeIndex& index
) const {
    for (const RoleKey& key : keys) {
        if (!key.span_event.empty()) {
            for (const SpanEventView& event : span.events) {
                if (event.name != key.span_event) continue;
                for (Attribute& attribute : event.attributes) {
                    if (attribute.key != table_.keys[key.key]) continue;
                    attribute.role = role;
                    return true;
                }
            }
            continue;
        }
        if (key.family == no_index) {
            Attribute* attribute = index.attribute(key.key);
            if (attribute == nullptr) continue;
            attribute->role = role;
            return true;
        }
        if ((index.families() >> key.family & 1U) == 0) continue;
        const std::span<Attribute> attributes = index.attributes();
        for (std::size_t i = 0; i < attributes.size(); ++i) {
            const bool is_member = (index.facts()[i]->families >> key.family & 1U) != 0;
            if (is_member) attributes[i].role = role;
        }
        return true;
    }
    return false;
}

void TreatmentMarker::mark_roles(
    const SpanView& span, const AttributeIndex& index, ConventionMask holding, EventTypes rule_types
) const {
    for (const RoleList& list : table_.roles) {
        if ((list.on & rule_types) == 0 || (list.not_on & rule_types) != 0) continue;
        bool is_found = false;
        for (ConventionMask rest = holding & ~common_bit; rest != 0 && !is_found;
             rest &= rest - 1) {
            const Convention& convention =
                table_.conventions[static_cast<std::size_t>(std::countr_zero(rest))];
            const RoleKeys& own = convention.roles[static_cast<std::size_t>(list.role)];
            is_found = mark_first(own, list.role, span, index);
        }
        if (!is_found) static_cast<void>(mark_first(list.keys, list.role, span, index));
    }
}

}  // namespace spangate
