#include "interpret/span_reader.h"

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "interpret/explanation.h"

namespace spangate {
namespace {

constexpr std::string_view event_name_key = "event.name";

bool matches(std::string_view name, std::string_view wanted, bool is_prefix) {
    return is_prefix ? name.starts_with(wanted) : name == wanted;
}

// Fields that overlays test, take or compare; they are read whatever the span's events are.
TargetMask fields_of_overlays(const ConventionTable& table) {
    TargetMask fields;
    const auto add = [&](FieldId field) {
        fields.set(target_of(field));
    };
    add(FieldId::operation);
    add(FieldId::outcome);
    for (const Overlay& overlay : table.overlays) {
        if (overlay.when != no_index) {
            for (std::uint32_t i = overlay.when; i < table.conditions[overlay.when].end; ++i) {
                const ConditionNode& node = table.conditions[i];
                if (node.op == ConditionOp::field) add(node.field);
            }
        }
        for (const OverlaySet& set : overlay.set) {
            if (set.from_field) add(*set.from_field);
            add(set.field);
        }
        if (!overlay.repeat) continue;
        for (const FieldId field : overlay.repeat->same_fields)
            add(field);
    }
    return fields;
}

}  // namespace

SpanReader::SpanReader(
    const ConventionTable& table,
    const InterpretConfig& config,
    const HashKey& hash_key,
    CostMaker& costs
)
    : table_(table),
      costs_(costs),
      keep_other_(config.keep_other),
      keys_(table),
      attributes_(table),
      event_attributes_(table),
      resource_(table),
      scope_attributes_(table),
      plans_(table),
      reader_(table),
      identity_(table, config.session_keys, hash_key),
      marker_(table, identity_.session_keys()),
      hash_key_(hash_key),
      overlay_fields_(fields_of_overlays(table)) {
    for (const FieldInfo& field : field_table) {
        for (std::size_t type = 0; type < event_types_count; ++type) {
            if ((field.on >> type & 1U) != 0) standing_[type].set(target_of(field.id));
        }
    }
}

void SpanReader::begin(Arena& arena) {
    arena_ = &arena;
    keys_.begin();
    known_resource_ = nullptr;
    known_scope_ = nullptr;
    record_digests_.begin();
}

// Spans of one resource and scope follow each other: both are looked at once.
void SpanReader::look_at_resource(const SpanView& span) {
    if (known_resource_ == span.resource) return;
    known_resource_ = span.resource;
    resource_.read(span.resource->attributes, keys_, *arena_);
    marker_.mark_resource(resource_);
    resource_detects_ = 0;
    const ConditionScope scope{table_, span, attributes_, resource_, {}};
    for (const ResourceDetector& detector : table_.resource_detectors) {
        if (holds(scope, detector.when)) resource_detects_ |= detector.conventions;
    }
    resource_session_is_read_ = false;
}

void SpanReader::look_at_scope(const SpanView& span) {
    if (known_scope_ == span.scope) return;
    known_scope_ = span.scope;
    scope_attributes_.read(span.scope->attributes, keys_, *arena_);
    marker_.mark_scope(scope_attributes_);
    const std::string_view name = span.scope->name;
    scope_detects_ = 0;
    for (const ScopeDetector& detector : table_.scope_detectors) {
        if (matches(name, detector.text, detector.is_prefix))
            scope_detects_ |= detector.conventions;
    }
    drops_usage_ = 0;
    keeps_usage_ = 0;
    for (std::size_t i = 0; i < table_.twin_scopes.size(); ++i) {
        const TwinScopes& twins = table_.twin_scopes[i];
        const std::uint32_t line = std::uint32_t{1} << i;
        if (matches(name, twins.drop, twins.drop_is_prefix)) drops_usage_ |= line;
        if (matches(name, twins.keep, twins.keep_is_prefix)) keeps_usage_ |= line;
    }
}

// The names by which a span's events may make a convention hold.
void SpanReader::collect_event_names(const SpanView& span) {
    event_names_.clear();
    for (const SpanEventView& event : span.events) {
        event_names_.push_back(event.name);
        for (const Attribute& attribute : event.attributes) {
            const bool is_name = attribute.key == event_name_key && attribute.value.is_text();
            if (is_name) event_names_.push_back(attribute.value.text());
        }
    }
}

ConventionMask SpanReader::holding(const SpanView& span) {
    ConventionMask mask =
        table_.always | resource_detects_ | scope_detects_ | attributes_.detects();
    const ConventionMask unsure = table_.with_residue & ~mask;
    if (unsure == 0) return mask;
    collect_event_names(span);
    const ConditionScope scope{table_, span, attributes_, resource_, event_names_};
    for (ConventionMask rest = unsure; rest != 0; rest &= rest - 1) {
        const auto index = static_cast<std::size_t>(std::countr_zero(rest));
        if (holds(scope, table_.conventions[index].detect)) mask |= ConventionMask{1} << index;
    }
    return mask;
}

const Rule* SpanReader::match(const SpanView& span, std::uint32_t& convention) {
    const ConditionScope scope{table_, span, attributes_, resource_, {}};
    const ConventionMask mask = holding_;
    for (ConventionMask rest = mask; rest != 0; rest &= rest - 1) {
        convention = static_cast<std::uint32_t>(std::countr_zero(rest));
        for (const Rule& rule : table_.conventions[convention].rules) {
            if (holds(scope, rule.when)) return &rule;
        }
    }
    convention = table_.fallback;
    return nullptr;
}

bool SpanReader::is_an_agents(const SpanView& span) const {
    if (attributes_.names_agent() || attributes_.detects() != 0) return true;
    return std::any_of(span.events.begin(), span.events.end(), [this](const SpanEventView& event) {
        return marker_.is_content_event(event.name);
    });
}

EventType SpanReader::type_of(const Emit& emit) const {
    if (!emit.type_is_attribute) return emit.type;
    const Value* value = attributes_.find(emit.type_key);
    if (value == nullptr || !value->is_text()) return EventType::other;
    std::array<char, 32> lower{};
    const std::string_view text = value->text();
    if (text.size() > lower.size()) return EventType::other;
    std::transform(text.begin(), text.end(), lower.begin(), ascii_lower);
    const EventType type = event_type_from({lower.data(), text.size()}).value_or(EventType::other);
    const bool is_the_gateways = type == EventType::session_alias || type == EventType::gateway_gap;
    return is_the_gateways ? EventType::other : type;
}

// What only `fallback` matches, or a rule for a program's internals, is kept when it has something
// to tell (contract §2).
bool SpanReader::is_dropped(const SpanView& span, const Rule* rule, std::uint32_t convention) {
    if (keep_other_) return false;
    const bool is_incidental = convention == table_.fallback || rule->incidental;
    const bool says_nothing =
        rule == nullptr || (rule->emit.size() == 1 && rule->emit[0].type == EventType::other);
    if (!is_incidental || !says_nothing || span.status_code == StatusCode::error) return false;
    if (span.is_log() && (holding_ & ~table_.always) != 0) return false;
    return !is_an_agents(span) && !has_event_of_its_own(span);
}

void SpanReader::read(Draft& draft, const RequestFacts& facts, WallNanos received_at) {
    SpanView& span = *draft.span;
    explanation_ = draft.explanation;
    reader_.begin(*arena_);
    reader_.keep_raw(explanation_ != nullptr);
    times_ = times_of(span, received_at);
    draft.started_at = times_.start;
    draft.ended_at = times_.end;
    look_at_resource(span);
    look_at_scope(span);
    attributes_.read(span.attributes, keys_, *arena_);
    draft.drops_usage = drops_usage_;
    draft.keeps_usage = keeps_usage_;
    record_name_ = {};
    if (span.is_log()) look_at_record(draft);
    holding_ = span.is_log() ? holding_record(span) : holding(span);
    std::uint32_t convention = table_.fallback;
    const Rule* rule = span.is_log() ? match_record(span, convention) : match(span, convention);
    draft.convention = convention;
    draft.may_join =
        span.is_log() ? rule != nullptr && rule->joins_span : (holding_ & table_.joining) != 0;
    draft.may_repeat_tool = (holding_ & table_.tool_telling) != 0;
    plan_ = &plans_.plan(convention, holding_);
    if (explanation_ != nullptr) explain_match(convention, rule);

    FieldSource source{span, attributes_, resource_, false, {}, record_name_};
    source.candidates = candidates_of(*plan_, source);
    candidates_ = source.candidates;
    identity_.read_tenant(*plan_, source, facts, reader_, draft, *arena_);
    identity_.read_session(*plan_, source, reader_, draft, *arena_);
    if (!resource_session_is_read_) {
        resource_session_ = identity_.session_of_resource(source, reader_, *arena_);
        resource_session_is_read_ = true;
    }
    draft.of_resource = resource_session_;
    const ConditionScope scope{table_, span, attributes_, resource_, {}};
    for (std::size_t i = 0; i < table_.drop_partial.size(); ++i) {
        if (!holds(scope, table_.drop_partial[i])) continue;
        draft.fate = Fate::dropped_partial;
        if (explanation_ != nullptr) explanation_->partial_line = table_.drop_partial_lines[i];
    }
    if (draft.fate == Fate::dropped_partial) return;
    if (is_dropped(span, rule, convention)) {
        draft.fate = Fate::dropped_other;
        return;
    }
    marker_.mark_span(attributes_, holding_);
    if (span.is_log()) marker_.mark_body(*span.log, record_name_);
    make_events(draft, rule, facts);
}

}  // namespace spangate
