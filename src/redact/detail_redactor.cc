#include "redact/detail_redactor.h"

#include <algorithm>

#include "redact/forms.h"
#include "redact/value_json.h"

namespace spangate {
namespace {

constexpr std::size_t shared_lookback_max = 64;
constexpr std::string_view body_key = "body";

}  // namespace

void ItemFindings::clear() {
    parts.clear();
    truncated.clear();
    content_bytes = 0;
}

DetailRedactor::DetailRedactor(
    const RedactConfig& config, const RuleSet& rules, const HashKey& key, TextRedactor& texts
)
    : key_(key),
      texts_(texts),
      values_(config, rules, key, texts) {}

void DetailRedactor::use(Arena& arena) {
    arena_ = &arena;
    values_.use(arena);
    shared_.clear();
}

SpanView* DetailRedactor::redact(
    const SpanView& span, std::string_view tenant_id, ItemFindings& findings
) {
    tenant_id_ = tenant_id;
    findings_ = &findings;
    SpanView* const detail = arena_->make<SpanView>(span);
    const bool is_operational = is_operational_span_name(span.name);
    detail->name = redact_text(span.name, "span_name", ContentRole::other, !is_operational);
    detail->trace_state = {};
    detail->status_message =
        redact_text(span.status_message, "status_message", ContentRole::error, true);
    detail->attributes = redact_attributes(span.attributes, {});
    detail->events = redact_events(span.events);
    detail->links = redact_links(span.links);
    if (span.is_log()) detail->log = redact_log(*span.log);
    return detail;
}

LogRecordView* DetailRedactor::redact_log(const LogRecordView& log) {
    LogRecordView* const detail = arena_->make<LogRecordView>(log);
    const auto release = [this](std::string_view text, std::string_view text_path) {
        return redact_text(text, text_path, ContentRole::other, !is_name(text));
    };
    detail->severity_text = release(log.severity_text, "severity_text");
    detail->event_name = release(log.event_name, "event_name");
    redact_body(detail->body);
    return detail;
}

// A body is content whatever it holds: keys.allow speaks of attributes.
void DetailRedactor::redact_body(Attribute& body) {
    const Value raw = body.value;
    if (value_bytes(raw) == 0) return;
    body.key = body_key;
    body.treatment = Treatment::content;
    findings_->content_bytes += value_bytes(raw);
    findings_->parts.add(body_key, body.role, raw);
    const KeyRule rule = values_.keys().facts(body_key, texts_).rule;
    if (rule == KeyRule::drop || rule == KeyRule::hash) {
        body.value = redact_attribute(body, {}, rule, {}).result.value;
        return;
    }
    const RedactedValue redacted =
        values_.redact_body(raw, {tenant_id_, body.role, true, {}}, cut_keys_);
    body.value = redacted.value;
    for (const std::string_view key : cut_keys_) {
        path_ = body_key;
        path_ += '.';
        path_ += key;
        findings_->truncated.push_back(arena_->copy(path_));
    }
    if (redacted.is_truncated && cut_keys_.empty()) findings_->truncated.push_back(body_key);
}

std::string_view DetailRedactor::redact_text(
    std::string_view text,
    std::string_view text_path,
    ContentRole role,
    bool is_content,
    KeyHints hints
) {
    if (text.empty()) return text;
    const RedactedValue redacted = values_.redact(text, {tenant_id_, role, is_content, hints});
    if (is_content) findings_->content_bytes += text.size();
    if (is_content || redacted.is_changed) {
        findings_->parts.add(text_path, role, Value::of(text));
    }
    if (redacted.is_truncated) findings_->truncated.push_back(arena_->copy(text_path));
    return redacted.value.text();
}

std::span<SpanEventView> DetailRedactor::redact_events(std::span<SpanEventView> events) {
    if (events.empty()) return events;
    const std::span<SpanEventView> copies =
        arena_->copy_array(std::span<const SpanEventView>(events));
    for (std::size_t i = 0; i < copies.size(); ++i) {
        SpanEventView& event = copies[i];
        const std::string_view raw_name = event.name;
        const std::string name_path = "event[" + std::to_string(i) + "].name";
        event.name = redact_text(raw_name, name_path, ContentRole::other, !is_name(raw_name));
        event.attributes =
            redact_attributes(event.attributes, {PlaceKind::event, raw_name, event.name, i});
    }
    return copies;
}

std::span<SpanLinkView> DetailRedactor::redact_links(std::span<SpanLinkView> links) {
    if (links.empty()) return links;
    const std::span<SpanLinkView> copies = arena_->copy_array(std::span<const SpanLinkView>(links));
    for (std::size_t i = 0; i < copies.size(); ++i) {
        copies[i].trace_state = {};
        copies[i].attributes =
            redact_attributes(copies[i].attributes, {PlaceKind::link, {}, {}, i});
    }
    return copies;
}

std::span<Attribute> DetailRedactor::redact_attributes(
    std::span<Attribute> attributes, const Place& place
) {
    std::span<Attribute> copies;
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        const Attribute& attribute = attributes[i];
        const KeyFindings& facts = values_.keys().facts(attribute.key, texts_);
        const KeyHints hints = facts.hints;
        const KeyRule rule = facts.rule;
        std::string_view key = attribute.key;
        if (attribute.key_id == 0 && !facts.redacted.empty()) {
            key = arena_->copy(facts.redacted);
            for (const RuleId hit : facts.hits)
                texts_.count(hit);
        }
        // `facts` ends here: values look up the keys inside them.
        const bool has_key_hit = key.data() != attribute.key.data();
        const RedactedAttribute redacted = redact_attribute(attribute, hints, rule, place);
        if (redacted.is_content) findings_->content_bytes += value_bytes(attribute.value);
        if (redacted.is_evidence) {
            findings_->parts.add(
                path(place, place.name, attribute.key), attribute.role, attribute.value
            );
        }
        if (redacted.result.is_truncated) {
            findings_->truncated.push_back(arena_->copy(path(place, place.released_name, key)));
        }
        if (!redacted.result.is_changed && !has_key_hit) continue;
        if (copies.empty()) copies = arena_->copy_array(std::span<const Attribute>(attributes));
        copies[i].key = key;
        copies[i].value = redacted.result.value;
    }
    return copies.empty() ? attributes : copies;
}

DetailRedactor::RedactedAttribute DetailRedactor::redact_attribute(
    const Attribute& attribute, KeyHints hints, KeyRule rule, const Place& place
) {
    const bool is_empty = value_bytes(attribute.value) == 0;
    const bool is_identity = attribute.treatment == Treatment::identity;
    if (is_empty) return {{attribute.value, false, false}, false, false};
    const bool is_content = rule != KeyRule::allow && place.kind != PlaceKind::added &&
                            (attribute.treatment == Treatment::content ||
                             (place.kind == PlaceKind::link && !is_identity));
    if (rule == KeyRule::drop) {
        texts_.count(rules::key_drop);
        return {{Value::of(dropped_text), true, false}, is_content, !is_identity};
    }
    if (is_identity) {
        texts_.count(rules::identity);
        const std::span<char> user = arena_->make_array<char>(HashKey::user_ref_size);
        key_.write_user_ref(tenant_id_, value_text(attribute.value, text_), user.data());
        const std::string_view text(user.data(), user.size());
        return {{Value::of(text), true, false}, false, false};
    }
    if (rule == KeyRule::hash) {
        texts_.count(rules::key_hash);
        const std::span<char> token = arena_->make_array<char>(HashKey::token_size);
        key_.write_token(value_text(attribute.value, text_), token.data());
        const std::string_view text(token.data(), token.size());
        return {{Value::of(text), true, false}, is_content, true};
    }
    const ValueFrame frame{tenant_id_, attribute.role, is_content, hints};
    const RedactedValue result = values_.redact(attribute.value, frame);
    return {result, is_content, is_content || result.is_changed};
}

std::string_view DetailRedactor::path(
    const Place& place, std::string_view name, std::string_view key
) {
    path_.clear();
    switch (place.kind) {
        case PlaceKind::span:
            return key;
        case PlaceKind::event:
            path_ += "event:";
            path_ += name;
            path_ += '[' + std::to_string(place.index) + "].";
            break;
        case PlaceKind::link:
            path_ += "link[" + std::to_string(place.index) + "].";
            break;
        case PlaceKind::resource:
            path_ += "resource.";
            break;
        case PlaceKind::scope:
            path_ += "scope.";
            break;
        case PlaceKind::added:
            path_ += "added.";
            break;
    }
    path_ += key;
    return path_;
}

SharedFacts* DetailRedactor::known(const void* source, std::string_view tenant_id) const {
    // The newest first: spans of one resource and scope stand together. What is further back is
    // made again, so that a request of many scopes stays linear.
    const std::size_t steps = std::min(shared_.size(), shared_lookback_max);
    for (std::size_t i = 1; i <= steps; ++i) {
        SharedFacts* const facts = shared_[shared_.size() - i];
        if (facts->source == source && facts->tenant_id == tenant_id) return facts;
    }
    return nullptr;
}

// Between begin and end the counts are those of the shared facts alone.
void DetailRedactor::begin_shared(std::string_view tenant_id) {
    tenant_id_ = tenant_id;
    shared_findings_.clear();
    findings_ = &shared_findings_;
    counts_before_.assign(texts_.counts().begin(), texts_.counts().end());
    std::fill(texts_.counts().begin(), texts_.counts().end(), 0U);
}

SharedFacts& DetailRedactor::end_shared(SharedFacts facts) {
    facts.tenant_id = tenant_id_;
    facts.parts = arena_->copy(shared_findings_.parts.json());
    facts.counts = arena_->copy_array(std::span<const std::uint32_t>(texts_.counts()));
    facts.truncated =
        arena_->copy_array(std::span<const std::string_view>(shared_findings_.truncated));
    std::copy(counts_before_.begin(), counts_before_.end(), texts_.counts().begin());
    SharedFacts* const kept = arena_->make<SharedFacts>(facts);
    shared_.push_back(kept);
    return *kept;
}

SharedFacts& DetailRedactor::resource(const ResourceView& resource, std::string_view tenant_id) {
    if (SharedFacts* const facts = known(&resource, tenant_id)) return *facts;
    begin_shared(tenant_id);
    ResourceView* const released = arena_->make<ResourceView>(resource);
    released->attributes = redact_attributes(resource.attributes, {PlaceKind::resource, {}, {}, 0});
    SharedFacts facts;
    facts.source = &resource;
    facts.released = released;
    return end_shared(facts);
}

SharedFacts& DetailRedactor::scope(const ScopeView& scope, std::string_view tenant_id) {
    if (SharedFacts* const facts = known(&scope, tenant_id)) return *facts;
    begin_shared(tenant_id);
    ScopeView* const released = arena_->make<ScopeView>(scope);
    released->name = redact_text(scope.name, "scope_name", ContentRole::other, false);
    KeyHints version_hints;
    version_hints.version = true;
    released->version =
        redact_text(scope.version, "scope_version", ContentRole::other, false, version_hints);
    released->attributes = redact_attributes(scope.attributes, {PlaceKind::scope, {}, {}, 0});
    SharedFacts facts;
    facts.source = &scope;
    facts.released = released;
    return end_shared(facts);
}

SharedFacts& DetailRedactor::added(std::span<Attribute> attributes, std::string_view tenant_id) {
    if (SharedFacts* const facts = known(attributes.data(), tenant_id)) return *facts;
    begin_shared(tenant_id);
    SharedFacts facts;
    facts.source = attributes.data();
    facts.attributes = redact_attributes(attributes, {PlaceKind::added, {}, {}, 0});
    return end_shared(facts);
}

void DetailRedactor::trim() {
    values_.trim();
    shared_findings_.parts.trim();
}

}  // namespace spangate
