#include "enrich/enricher.h"

#include <algorithm>

namespace spangate {
namespace {

bool has_key(const ResourceView& resource, std::string_view key) {
    return std::any_of(
        resource.attributes.begin(),
        resource.attributes.end(),
        [key](const Attribute& attribute) { return attribute.key == key; }
    );
}

// True when no resource of the request lacks `key`. Spans of one resource stand together.
bool all_have_key(std::span<const SpanView> spans, std::string_view key) {
    const ResourceView* last = nullptr;
    for (const SpanView& span : spans) {
        if (span.resource == last) continue;
        last = span.resource;
        if (!has_key(*last, key)) return false;
    }
    return true;
}

Attribute plain_attribute(std::string_view key, std::string_view value) {
    Attribute attribute;
    attribute.key = key;
    attribute.value = Value::of(value);
    attribute.treatment = Treatment::plain;
    return attribute;
}

}  // namespace

Enricher::Enricher(const EnrichConfig& config, DetectedResource detected)
    : env_(config.env),
      tenant_id_(config.tenant_id),
      configured_{{config.attributes.begin(), config.attributes.end()}},
      detected_(std::move(detected)) {
    for (const auto& [key, value] : detected_.attributes) {
        if (key == "service.name") service_name_ = value;
    }
}

EnrichedBatch Enricher::enrich(SpanBatch&& batch) const {
    EnrichedBatch enriched;
    enriched.spans = std::move(batch);
    enriched.facts.reserve(enriched.spans.requests.size());
    for (const DecodedRequest& request : enriched.spans.requests)
        enriched.facts.push_back(facts_of(request, *enriched.spans.arena));
    return enriched;
}

RequestFacts Enricher::facts_of(const DecodedRequest& request, Arena& arena) const {
    RequestFacts facts;
    facts.tenant_id = request.raw.tenant_id.empty() ? tenant_id_ : request.raw.tenant_id;
    facts.env = env_;
    facts.service_name = service_name_;

    // Made anew for each request: interpret marks them.
    facts.attributes = arena.make_array<Attribute>(configured_.attributes.size());
    for (std::size_t i = 0; i < configured_.attributes.size(); ++i) {
        const auto& [key, value] = configured_.attributes[i];
        facts.attributes[i] = plain_attribute(key, value);
    }

    const std::span<Attribute> added = arena.make_array<Attribute>(detected_.attributes.size());
    std::size_t added_count = 0;
    for (const auto& [key, value] : detected_.attributes) {
        if (all_have_key(request.spans, key)) continue;
        added[added_count++] = plain_attribute(key, value);
    }
    facts.resource_attributes = added.first(added_count);
    return facts;
}

}  // namespace spangate
