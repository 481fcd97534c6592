#include "redact/redactor.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "redact/detail_redactor.h"
#include "redact/digest_maker.h"
#include "redact/evidence_writer.h"
#include "redact/field_redactor.h"
#include "redact/seen_set.h"
#include "redact/text_redactor.h"

namespace spangate {
namespace {

constexpr std::size_t content_length_step = 16;

constexpr std::array<std::string_view, event_classes_count> with_evidence = event_class_names;
constexpr std::array<std::string_view, 2> without_evidence = {
    event_class_names[0], event_class_names[1]};
constexpr std::array<std::string_view, 1> operational_only = {event_class_names[0]};

// What the redactor itself adds to the fields of an item.
struct MadeFields {
    std::string_view user_ref;
    ItemDigests digests;
    std::size_t content_bytes = 0;
    std::span<const std::string_view> classes;
    std::uint32_t redactions = 0;
    std::string_view commitment;
};

void put_text(FieldSetBuilder& fields, FieldId id, std::string_view text) {
    if (!text.empty()) fields.put(FieldValue::of_text(id, text));
}

void put_made(FieldSetBuilder& fields, const MadeFields& made) {
    put_text(fields, FieldId::user_ref, made.user_ref);
    put_text(fields, FieldId::args_digest, made.digests.args);
    put_text(fields, FieldId::args_shape_digest, made.digests.args_shape);
    put_text(fields, FieldId::result_digest, made.digests.result);
    put_text(fields, FieldId::evidence_commitment, made.commitment);
    if (made.content_bytes > 0) {
        const std::size_t rounded = (made.content_bytes + content_length_step - 1) /
                                    content_length_step * content_length_step;
        fields.put(
            FieldValue::of_integer(FieldId::content_length, static_cast<std::int64_t>(rounded))
        );
    }
    fields.put(FieldValue::of_texts(FieldId::classes, made.classes));
    fields.put(FieldValue::of_integer(FieldId::redactions, made.redactions));
}

}  // namespace

struct Redactor::State {
    State(
        const RedactConfig& redact_config,
        const EvidenceConfig& evidence_config,
        std::shared_ptr<const RuleSet> rule_set,
        const HashKey& hash_key,
        Metrics& given_metrics
    )
        : config(redact_config),
          metrics(given_metrics),
          rules(std::move(rule_set)),
          key(hash_key),
          texts(*rules, key),
          fields(key, texts),
          details(config, *rules, key, texts),
          digests(key),
          evidence(evidence_config.chunk_bytes_max),
          has_evidence(evidence_config.enabled) {
        for (std::size_t rule = 0; rule < rules->rules_count(); ++rule) {
            counters.push_back(&metrics.counter(
                "spangate_redactions_total",
                "Values in which a redaction rule matched, by rule",
                {{"rule", rules->name(static_cast<RuleId>(rule))}}
            ));
        }
    }

    void begin(Arena& batch_arena, std::size_t items) {
        arena = &batch_arena;
        fields.use(batch_arena);
        details.use(batch_arena);
        digests.use(batch_arena);
        told_resources.reset(2 * items);
    }

    void end() {
        texts.forget_texts();
        texts.trim();
        details.trim();
        digests.trim();
        findings.parts.trim();
    }

    // Adds a resource's, scope's or added attributes' findings to the item's.
    void share(SharedFacts& facts, const SessionKey& session, bool is_evidence) {
        for (std::size_t rule = 0; rule < facts.counts.size(); ++rule) {
            shared_counts[rule] += facts.counts[rule];
            if (!facts.is_counted && facts.counts[rule] > 0) {
                counters[rule]->add(facts.counts[rule]);
            }
        }
        facts.is_counted = true;
        findings.truncated.insert(
            findings.truncated.end(), facts.truncated.begin(), facts.truncated.end()
        );
        if (!is_evidence || facts.parts.empty()) return;
        if (told_resources.insert(facts.source, session.hash())) {
            findings.parts.add_parts(facts.parts);
        }
    }

    std::span<const RedactionCount> take_counts(std::uint32_t& total) {
        counts.clear();
        const std::span<std::uint32_t> own = texts.counts();
        for (std::size_t rule = 0; rule < own.size(); ++rule) {
            if (own[rule] > 0) counters[rule]->add(own[rule]);
            const std::uint32_t count = own[rule] + shared_counts[rule];
            own[rule] = 0;
            if (count == 0) continue;
            counts.push_back({rules->name(static_cast<RuleId>(rule)), count});
            total += count;
        }
        return arena->copy_array(std::span<const RedactionCount>(counts));
    }

    const RedactConfig& config;
    Metrics& metrics;
    std::shared_ptr<const RuleSet> rules;
    const HashKey& key;
    TextRedactor texts;
    FieldRedactor fields;
    DetailRedactor details;
    DigestMaker digests;
    EvidenceWriter evidence;
    bool has_evidence;
    std::vector<Counter*> counters;  // by rule

    Arena* arena = nullptr;
    SeenSet told_resources;  // (resource or scope, session) whose parts stand in this batch
    ItemFindings findings;
    std::vector<std::uint32_t> shared_counts;
    std::vector<RedactionCount> counts;
    std::vector<const FieldSet*> sources;   // the item's distinct field sets
    std::vector<FieldSetBuilder> builders;  // one for each
};

Redactor::Redactor(
    const RedactConfig& config,
    const EvidenceConfig& evidence,
    std::shared_ptr<const RuleSet> rules,
    const HashKey& key,
    Metrics& metrics
)
    : state_(std::make_unique<State>(config, evidence, std::move(rules), key, metrics)) {}

Redactor::~Redactor() = default;

void Redactor::send_evidence(std::shared_ptr<EvidenceKeys> keys, const RecordLimits* limits) {
    if (keys != nullptr) state_->evidence.seal_with(std::move(keys), state_->metrics);
    if (limits != nullptr) state_->evidence.fit(*limits);
}

ReleasedBatch Redactor::redact(EventBatch&& events) {
    ReleasedBatch released(std::move(events));
    released.ruleset = state_->rules->version();
    released.rules_keep_alive = state_->rules;
    const EventBatch& source = released.source;
    state_->begin(*source.source.spans.arena, source.items.size());
    released.items.reserve(source.items.size());
    for (std::size_t i = 0; i < source.items.size(); ++i) {
        const RequestFacts* const facts =
            i < source.item_facts.size() ? source.item_facts[i] : nullptr;
        released.items.push_back(redact_item(source.items[i], facts));
    }
    state_->end();
    return released;
}

namespace {

// The distinct field sets of an item, each held to its forms; most items have one.
void redact_fields(
    const AgentItem& item,
    FieldRedactor& fields,
    std::vector<const FieldSet*>& sources,
    std::vector<FieldSetBuilder>& builders
) {
    sources.clear();
    for (const AgentEvent& event : item.events) {
        if (std::find(sources.begin(), sources.end(), event.fields) != sources.end()) continue;
        if (builders.size() == sources.size()) builders.emplace_back();
        fields.redact(*event.fields, builders[sources.size()]);
        sources.push_back(event.fields);
    }
}

// The item's events with `released[i]` in the place of `sources[i]`.
std::span<const AgentEvent> with_fields(
    const AgentItem& item,
    std::span<const FieldSet* const> sources,
    std::span<const FieldSet* const> released,
    Arena& arena
) {
    const std::span<AgentEvent> events = arena.copy_array(std::span<const AgentEvent>(item.events));
    for (AgentEvent& event : events) {
        const auto at = std::find(sources.begin(), sources.end(), event.fields);
        event.fields = released[static_cast<std::size_t>(at - sources.begin())];
    }
    return events;
}

std::string_view user_ref(const AgentItem& item, const HashKey& key, Arena& arena) {
    if (item.user_id.empty()) return {};
    const std::span<char> text = arena.make_array<char>(HashKey::user_ref_size);
    key.write_user_ref(item.session.tenant_id, item.user_id, text.data());
    return {text.data(), text.size()};
}

}  // namespace

ReleasedItem Redactor::redact_item(const AgentItem& item, const RequestFacts* facts) {
    State& state = *state_;
    Arena& arena = *state.arena;
    const std::string_view tenant_id = item.session.tenant_id;
    state.findings.clear();
    state.shared_counts.assign(state.rules->rules_count(), 0);

    ReleasedItem released;
    released.item = &item;
    released.primary = item.primary;
    released.session.tenant_id = state.fields.released_id(tenant_id);
    released.session.session_id = item.session_is_from_client
                                      ? state.fields.released_id(item.session.session_id)
                                      : item.session.session_id;
    const std::span<std::string_view> keys_seen = arena.copy_array(item.session_keys_seen);
    for (std::string_view& key : keys_seen)
        key = state.fields.released_id(key);
    released.session_keys_seen = keys_seen;
    redact_fields(item, state.fields, state.sources, state.builders);

    MadeFields made;
    made.user_ref = user_ref(item, state.key, arena);
    made.classes = operational_only;
    if (item.source != EventSource::gateway) {
        SpanView* const detail = state.details.redact(*item.span, tenant_id, state.findings);
        SharedFacts& resource = state.details.resource(*item.span->resource, tenant_id);
        SharedFacts& scope = state.details.scope(*item.span->scope, tenant_id);
        detail->resource = static_cast<const ResourceView*>(resource.released);
        detail->scope = static_cast<const ScopeView*>(scope.released);
        state.share(resource, item.session, true);
        state.share(scope, item.session, true);
        released.detail = detail;
        made.content_bytes = state.findings.content_bytes;
        made.digests = state.digests.make(item);
        made.classes = without_evidence;
    }
    if (facts != nullptr && released.detail != nullptr) {
        const auto release = [&](std::span<Attribute> attributes) -> std::span<const Attribute> {
            if (attributes.empty()) return {};
            SharedFacts& added = state.details.added(attributes, tenant_id);
            state.share(added, item.session, false);
            return added.attributes;
        };
        released.added_attributes = release(facts->attributes);
        released.added_resource = release(facts->resource_attributes);
    }
    if (state.has_evidence && !state.findings.parts.empty()) {
        released.evidence = state.evidence.write(
            state.findings.parts,
            {released.session.tenant_id,
             released.session.session_id,
             made.user_ref,
             item.primary_event().event_id,
             item.received_at},
            arena
        );
    }
    if (!released.evidence.empty()) {
        made.commitment = {
            released.evidence.commitment.data(), released.evidence.commitment.size()};
        made.commitment = arena.copy(made.commitment);
        made.classes = with_evidence;
    }
    released.truncated =
        arena.copy_array(std::span<const std::string_view>(state.findings.truncated));
    released.redactions = state.take_counts(made.redactions);

    const std::span<const FieldSet*> sets = arena.make_array<const FieldSet*>(state.sources.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
        put_made(state.builders[i], made);
        sets[i] = arena.make<FieldSet>(state.builders[i].pack(arena));
    }
    released.events = with_fields(item, state.sources, sets, arena);
    return released;
}

}  // namespace spangate
