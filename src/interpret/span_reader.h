// Makes of one span (or log record) what the table says: its conventions, its rule, its events and
// fields, and what may become of each of its attributes. One for each lane; what needs the whole
// batch (sessions, doubles, hand-offs, repeats) comes after it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "config/config.h"
#include "digest/hash_key.h"
#include "digest/sha256.h"
#include "interpret/attribute_index.h"
#include "interpret/condition.h"
#include "interpret/convention_table.h"
#include "interpret/cost_maker.h"
#include "interpret/draft.h"
#include "interpret/field_reader.h"
#include "interpret/identity.h"
#include "interpret/record_digest.h"
#include "interpret/treatment.h"
#include "model/batch.h"
#include "model/field_set.h"

namespace spangate {

// A client's times, replaced where they cannot be true (contract §3, Times).
struct SpanTimes {
    WallNanos start = 0;
    WallNanos end = 0;
    bool start_is_sent = false;
    bool end_is_sent = false;
    TimeSource otherwise = TimeSource::received;  // of times that were not sent
};

[[nodiscard]] bool is_possible_time(std::uint64_t unix_nano);
[[nodiscard]] SpanTimes times_of(const SpanView& span, WallNanos received_at);

// The place of an event in its span (contract §3), as text; cut when it does not fit.
class SlotText {
  public:
    void add(std::string_view part);
    void add(std::size_t number);

    [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

  private:
    std::array<char, 96> text_{};
    std::size_t size_ = 0;
};

class SpanReader {
  public:
    SpanReader(
        const ConventionTable& table,
        const InterpretConfig& config,
        const HashKey& hash_key,
        CostMaker& costs
    );

    // Before the first span of a batch: what was known of resources and scopes is forgotten.
    void begin(Arena& arena);

    // Before the first span of each request.
    void begin_request() { record_digests_.begin_request(); }

    // Fills the draft, whose span and request are set.
    void read(Draft& draft, const RequestFacts& facts, WallNanos received_at);

    // An event of `draft` for a slot of the contract (§3).
    [[nodiscard]] AgentEvent event(const Draft& draft, EventType type, std::string_view slot);

  private:
    struct PendingEvent {
        AgentEvent event;
        std::uint32_t span_event = no_index;  // whose attributes override the span's fields
    };

    // span_reader.cc: what the span is.
    void look_at_resource(const SpanView& span);
    void look_at_scope(const SpanView& span);
    void collect_event_names(const SpanView& span);
    [[nodiscard]] ConventionMask holding(const SpanView& span);
    [[nodiscard]] const Rule* match(const SpanView& span, std::uint32_t& convention);
    [[nodiscard]] bool is_an_agents(const SpanView& span) const;
    [[nodiscard]] bool is_dropped(const SpanView& span, const Rule* rule, std::uint32_t convention);
    [[nodiscard]] EventType type_of(const Emit& emit) const;

    // log_records.cc: the same questions of a log record.
    [[nodiscard]] std::string_view name_from(
        const SpanView& record, const EventNameSource& from, bool with_prefix
    );
    [[nodiscard]] std::string_view name_of_record(
        const SpanView& record, const Convention& convention
    );
    [[nodiscard]] ConventionMask holding_record(const SpanView& record);
    [[nodiscard]] const Rule* match_record(const SpanView& record, std::uint32_t& convention);
    void look_at_record(Draft& draft);
    [[nodiscard]] EventId record_event_id(const Draft& draft, std::string_view slot) const;

    // span_events.cc: which events it makes. `rule` null: none matched, so it is `other`.
    void make_events(Draft& draft, const Rule* rule, const RequestFacts& facts);
    void add_rule_events(Draft& draft, const Rule* rule);
    void add_span_events(Draft& draft);
    [[nodiscard]] const Rule* match_span_event(const SpanView& span, const SpanEventView& event);
    [[nodiscard]] bool has_event_of_its_own(const SpanView& span);
    void add_extra_events(Draft& draft);
    void apply_overlays(Draft& draft);
    void apply_set(const Overlay& overlay);
    void add_event(Draft& draft, EventType type, std::string_view name, std::size_t number);
    void stamp(AgentEvent& event, bool at_end) const;
    [[nodiscard]] const FieldSet* fields_of_span_event(
        const Draft& draft, const PendingEvent& pending
    );
    void finish(Draft& draft);

    // span_fields.cc: what they tell.
    [[nodiscard]] TargetMask standing_on(EventTypes types) const;
    void read_fields(const FieldSource& source, const TargetMask& wanted);
    void read_field(FieldId id, const FieldSource& source);
    void derive(const Draft& draft, const RequestFacts& facts);
    void derive_times(const SpanView& span);
    void derive_last(const Draft& draft, const Rule* rule);
    void derive_model(const FieldSource& source);
    void derive_usage(const Draft& draft, const Rule* rule);

    // explanation.cc: what was decided, when somebody asks.
    void explain_match(std::uint32_t convention, const Rule* rule);
    void explain_field(FieldId field, const FieldEntry* entry);
    void explain_set(FieldId field, const Overlay& overlay);
    void explain_event_field(std::size_t event, FieldId field, const FieldEntry* entry);
    void explain_rule(const Rule* rule);
    void explain_span_event(const Rule& rule, std::size_t span_event);
    void explain_extra_event(const ExtraEvent& extra, std::size_t convention);
    void explain_overlay(const Overlay& overlay);
    void explain_events(const EventOrigin& origin);  // added since the last call

    const ConventionTable& table_;
    CostMaker& costs_;
    bool keep_other_;
    KeyCache keys_;
    AttributeIndex attributes_;
    AttributeIndex event_attributes_;
    AttributeIndex resource_;
    AttributeIndex scope_attributes_;
    FieldPlans plans_;
    FieldReader reader_;
    IdentityReader identity_;
    TreatmentMarker marker_;
    const HashKey& hash_key_;
    RecordDigests record_digests_;
    Sha256 hasher_;
    TargetMask overlay_fields_;                             // that overlays look at
    std::array<TargetMask, event_types_count> standing_{};  // the fields' `on`, by type

    // Of the batch.
    Arena* arena_ = nullptr;
    const ResourceView* known_resource_ = nullptr;
    const ScopeView* known_scope_ = nullptr;
    ConventionMask resource_detects_ = 0;
    ConventionMask scope_detects_ = 0;
    SessionClaim resource_session_;
    bool resource_session_is_read_ = false;
    std::uint32_t drops_usage_ = 0;
    std::uint32_t keeps_usage_ = 0;

    // Of the span.
    const FieldPlan* plan_ = nullptr;
    Explanation* explanation_ = nullptr;  // null: nobody asks
    SpanTimes times_;
    FieldSetBuilder fields_;
    FieldSetBuilder event_fields_;
    TargetMask are_read_;
    TargetMask candidates_;
    ConventionMask holding_ = 0;
    bool cache_is_included_ = true;
    EventTypes types_ = 0;  // of all events but those of span events
    std::vector<PendingEvent> events_;
    std::vector<std::string_view> event_names_;
    std::string_view record_name_;  // of a log record, as `span_event: NAME` entries know it
};

}  // namespace spangate
