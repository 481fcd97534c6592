#include "redact/digest_maker.h"

#include "digest/canonical_json.h"
#include "model/field.h"

namespace spangate {
namespace {

constexpr std::size_t scratch_bytes_kept_max = 1U << 20;

bool may_have(const AgentItem& item, FieldId field) {
    for (const AgentEvent& event : item.events) {
        if (stands_on(info(field), event)) return true;
    }
    return false;
}

}  // namespace

ItemDigests DigestMaker::make(const AgentItem& item) {
    ItemDigests digests;
    const std::string_view tenant_id = item.session.tenant_id;
    if (may_have(item, FieldId::args_digest)) {
        find_parts(*item.span, ContentRole::tool_args);
        if (!parts_.empty()) {
            const std::string_view canonical = canonical_json(joined(), canonical_);
            digests.args = digest(tenant_id, ContentRole::tool_args, canonical);
            digests.args_shape =
                digest(tenant_id, ContentRole::tool_args, json_shape(canonical, shape_));
        }
    }
    if (may_have(item, FieldId::result_digest)) {
        find_parts(*item.span, ContentRole::tool_result);
        if (!parts_.empty()) {
            const std::string_view canonical = canonical_json(joined(), canonical_);
            digests.result = digest(tenant_id, ContentRole::tool_result, canonical);
        }
    }
    return digests;
}

void DigestMaker::find_parts(const SpanView& span, ContentRole role) {
    parts_.clear();
    const auto add = [&](std::span<const Attribute> attributes) {
        for (const Attribute& attribute : attributes) {
            if (attribute.role == role && attribute.value.kind != ValueKind::empty) {
                parts_.push_back(&attribute);
            }
        }
    };
    add(span.attributes);
    // A body or a span event tells the part only where the attributes do not.
    if (parts_.empty() && span.is_log()) add({&span.log->body, 1});
    for (std::size_t i = 0; i < span.events.size() && parts_.empty(); ++i)
        add(span.events[i].attributes);
}

Value DigestMaker::joined() const {
    if (parts_.size() == 1) return parts_.front()->value;
    const std::span<Attribute> entries = arena_->make_array<Attribute>(parts_.size());
    for (std::size_t i = 0; i < entries.size(); ++i)
        entries[i] = *parts_[i];
    return Value::of(entries);
}

std::string_view DigestMaker::digest(
    std::string_view tenant_id, ContentRole role, std::string_view canonical
) {
    const std::span<char> text = arena_->make_array<char>(HashKey::digest_size);
    key_.write_digest(tenant_id, name_of(role), canonical, text.data());
    return {text.data(), text.size()};
}

void DigestMaker::trim() {
    if (canonical_.capacity() > scratch_bytes_kept_max) canonical_ = std::string();
    if (shape_.capacity() > scratch_bytes_kept_max) shape_ = std::string();
}

}  // namespace spangate
