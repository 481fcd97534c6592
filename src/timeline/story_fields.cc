#include "timeline/story_fields.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <xxhash.h>

#include "base/text.h"
#include "model/field.h"
#include "timeline/story_time.h"

namespace spangate {
namespace {

constexpr std::array<std::string_view, 8> outcome_names = {
    "", "ok", "error", "blocked", "rejected", "timeout", "cancelled", "invalid"};

constexpr StoryField plain(
    std::string_view name, std::uint16_t number, StoryForm form, StoryPart part
) {
    StoryField field{};
    field.name = name;
    field.number = number;
    field.form = form;
    field.part = part;
    return field;
}

constexpr StoryField header(std::string_view name, std::uint16_t number, StoryForm form) {
    return plain(name, number, form, StoryPart::shared);
}

constexpr StoryField header(
    std::string_view name, std::uint16_t number, TextId StoryEvent::*to, StoryPart part
) {
    StoryField field = plain(name, number, StoryForm::text, part);
    field.text = to;
    return field;
}

constexpr StoryField header(
    std::string_view name, std::uint16_t number, std::uint64_t StoryEvent::*to
) {
    StoryField field = plain(name, number, StoryForm::number, StoryPart::telling);
    field.number_at = to;
    return field;
}

constexpr StoryField at(
    std::string_view name,
    std::uint16_t number,
    std::int64_t StoryEvent::*to,
    StoryPart part = StoryPart::shared
) {
    StoryField field = plain(name, number, StoryForm::time, part);
    field.count = to;
    return field;
}

constexpr StoryField of(FieldId id, StoryForm form) {
    return plain(info(id).name, info(id).number, form, StoryPart::shared);
}

constexpr StoryField of(FieldId id, TextId StoryEvent::*to) {
    StoryField field = of(id, StoryForm::text);
    field.text = to;
    return field;
}

constexpr StoryField of(FieldId id, std::int64_t StoryEvent::*to) {
    StoryField field = of(id, StoryForm::count);
    field.count = to;
    return field;
}

constexpr StoryField of(FieldId id, double StoryEvent::*to) {
    StoryField field = of(id, StoryForm::real);
    field.real = to;
    return field;
}

constexpr StoryField of(FieldId id, Told StoryEvent::*to) {
    StoryField field = of(id, StoryForm::flag);
    field.flag = to;
    return field;
}

constexpr StoryField of(FieldId id, EventKey StoryEvent::*to) {
    StoryField field = of(id, StoryForm::event_key);
    field.event_key = to;
    return field;
}

constexpr StoryField of(FieldId id, SpanKey StoryEvent::*to) {
    StoryField field = of(id, StoryForm::span_key);
    field.span_key = to;
    return field;
}

constexpr StoryField with_part(StoryField field, StoryPart part) {
    field.part = part;
    return field;
}

constexpr StoryField header(std::string_view name, std::uint16_t number, SpanKey StoryEvent::*to) {
    StoryField field = header(name, number, StoryForm::span_key);
    field.span_key = to;
    return field;
}

constexpr StoryField event_id_field() {
    StoryField field = header("event_id", 2, StoryForm::event_key);
    field.event_key = &StoryEvent::id;
    return field;
}

using E = StoryEvent;
using F = FieldId;
using Form = StoryForm;
using Part = StoryPart;

// The header, and what stands on detail and evidence alone.
constexpr std::array header_fields = {
    header("schema_version", 1, Form::none),
    event_id_field(),
    plain("event_class", 3, Form::none, Part::telling),
    header("event_type", 4, Form::type),
    at("timestamp", 5, &E::timestamp),
    header("time_source", 6, Form::time_source),
    at("ts_received", 7, &E::received_at, Part::telling),
    header("tenant_id", 8, &E::tenant_id, Part::shared),
    header("session_id", 9, &E::session_id, Part::telling),
    header("session_source", 10, &E::session_source, Part::telling),
    header("trace_id", 11, Form::trace_key),
    header("span_id", 12, &E::span_id),
    header("parent_span_id", 13, &E::parent_span_id),
    header("gateway_id", 14, &E::gateway_id, Part::telling),
    header("gateway_epoch", 15, &E::gateway_epoch),
    header("gateway_seq", 16, &E::gateway_seq),
    header("source", 17, Form::source),
    header("rules", 18, Form::none),
    header("digest_key_id", 19, Form::none),
    plain("payload", 250, Form::none, Part::telling),
    plain("salt", 253, Form::none, Part::telling),
    plain("commitment", 254, Form::none, Part::telling),
    plain("parts", 256, Form::none, Part::telling),
};

constexpr std::array operational_fields = {
    of(F::env, &E::env),
    of(F::service_name, &E::service_name),
    of(F::agent_id, &E::agent_id),
    of(F::agent_name, &E::agent_name),
    of(F::workflow_id, &E::workflow_id),
    of(F::run_id, &E::run_id),
    of(F::user_ref, &E::user_ref),
    of(F::operation, &E::operation),
    of(F::step, &E::step),
    of(F::caller_step, &E::caller_step),
    of(F::turn_id, &E::turn_id),
    of(F::task_id, &E::task_id),
    of(F::parent_agent_id, &E::parent_agent_id),
    of(F::primary_event_id, &E::primary_id),
    of(F::ancestor_span_id, &E::ancestor_span_id),
    at("start_ts", info(F::start_ts).number, &E::start_at),
    at("end_ts", info(F::end_ts).number, &E::end_at),
    of(F::duration_ms, &E::duration_ms),
    of(F::time_fault, Form::flag),
    of(F::ttft_ms, &E::ttft_ms),
    of(F::outcome, Form::outcome),
    of(F::error_class, &E::error_class),
    of(F::http_status, &E::http_status),
    of(F::tool_name, &E::tool_name),
    of(F::tool_call_id, &E::tool_call_id),
    of(F::args_digest, &E::args_digest),
    of(F::result_digest, &E::result_digest),
    of(F::args_shape_digest, &E::args_shape_digest),
    of(F::provider, &E::provider),
    of(F::model, &E::model),
    of(F::response_id, &E::response_id),
    of(F::finish_reason, &E::finish_reason),
    of(F::tokens_prompt, &E::tokens_prompt),
    of(F::tokens_completion, &E::tokens_completion),
    of(F::tokens_total, &E::tokens_total),
    of(F::tokens_cache_read, &E::tokens_cache_read),
    of(F::tokens_cache_write, &E::tokens_cache_write),
    of(F::tokens_reasoning, &E::tokens_reasoning),
    of(F::cost_usd, &E::cost_usd),
    of(F::cost_source, &E::cost_source),
    with_part(of(F::counted, &E::counted), Part::telling),
    of(F::usage_role, &E::usage_role),
    with_part(of(F::twin_of, &E::twin_of), Part::telling),
    of(F::policy_decision, &E::policy_decision),
    of(F::policy_source, &E::policy_source),
    of(F::guardrail_name, &E::guardrail_name),
    of(F::guardrail_triggered, &E::guardrail_triggered),
    of(F::retry_count, &E::retry_count),
    of(F::retry_max, &E::retry_max),
    of(F::attempt_of, &E::attempt_of),
    of(F::budget_remaining, &E::budget_remaining),
    of(F::termination_reason, &E::termination_reason),
    of(F::state_snapshot_hash, &E::state_snapshot_hash),
    of(F::decision_chosen, &E::decision_chosen),
    of(F::decision_options, Form::texts),
    of(F::handoff_source, &E::handoff_source),
    of(F::handoff_target, &E::handoff_target),
    of(F::retrieval_count, &E::retrieval_count),
    of(F::eval_name, &E::eval_name),
    of(F::eval_score, &E::eval_score),
    of(F::eval_label, &E::eval_label),
    of(F::classes, Form::classes),
    of(F::redactions, &E::redactions),
    of(F::content_length, &E::content_length),
    with_part(of(F::evidence_commitment, &E::evidence_commitment), Part::telling),
    of(F::alias_session_id, &E::alias_session_id),
    of(F::alias_reason, &E::alias_reason),
    of(F::seq_from, &E::seq_from),
    of(F::seq_to, &E::seq_to),
    of(F::reason, &E::reason),
    of(F::signal, &E::signal),
    // On the detail of log records this is the log's own severity.
    with_part(of(F::severity, &E::severity), Part::of_detail),
    of(F::first_event_id, &E::first_event_id),
    of(F::last_event_id, &E::last_event_id),
    of(F::repeat_count, &E::repeat_count),
    of(F::cost_so_far_usd, &E::cost_so_far_usd),
};

// By name and by number, with the operational fields that a StoryEvent leaves out.
class FieldIndex {
  public:
    FieldIndex() {
        for (const StoryField& field : header_fields)
            add(field);
        for (const StoryField& field : operational_fields)
            add(field);
        for (const FieldInfo& field : field_table) {
            if (find(field.name) != nullptr) continue;
            others_[others_count_] = of(field.id, StoryForm::none);
            add(others_[others_count_++]);
        }
    }

    [[nodiscard]] const StoryField* find(std::string_view name) const {
        for (std::size_t slot = slot_of(name); by_name_[slot] != nullptr;
             slot = (slot + 1) % slots_count) {
            if (by_name_[slot]->name == name) return by_name_[slot];
        }
        return nullptr;
    }

    [[nodiscard]] const StoryField* find(std::uint32_t number) const {
        return number < by_number_.size() ? by_number_[number] : nullptr;
    }

  private:
    void add(const StoryField& field) {
        std::size_t slot = slot_of(field.name);
        while (by_name_[slot] != nullptr)
            slot = (slot + 1) % slots_count;
        by_name_[slot] = &field;
        by_number_[field.number] = &field;
    }

    std::array<StoryField, fields_count> others_{};
    std::size_t others_count_ = 0;
    // The contract's names, open addressing; room enough that most are found at the first look.
    static constexpr std::size_t slots_count = 1024;

    [[nodiscard]] static std::size_t slot_of(std::string_view name) {
        return XXH3_64bits(name.data(), name.size()) % slots_count;
    }

    std::array<const StoryField*, slots_count> by_name_{};
    std::array<const StoryField*, 512> by_number_{};
};

const FieldIndex& fields() {
    static const FieldIndex index;
    return index;
}

template <typename Value, std::size_t size>
Value named(
    const std::array<std::string_view, size>& names, std::string_view name, Value otherwise
) {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? otherwise : static_cast<Value>(found - names.begin());
}

template <std::size_t size>
void set_key(std::string_view hex, std::array<std::uint8_t, size>& key) {
    if (!read_hex(hex, key)) key = {};
}

}  // namespace

const StoryField* find_story_field(std::string_view name) {
    return fields().find(name);
}

const StoryField* find_story_field(std::uint32_t number) {
    return fields().find(number);
}

void set_text(const StoryField& field, std::string_view text, TextPool& texts, StoryEvent& event) {
    switch (field.form) {
        case StoryForm::text:
            event.*field.text = texts.intern(text);
            return;
        case StoryForm::time:
            event.*field.count = story_time_from(text);
            return;
        case StoryForm::event_key:
            set_key(text, event.*field.event_key);
            return;
        case StoryForm::trace_key:
            set_key(text, event.trace_id);
            return;
        case StoryForm::span_key:
            set_key(text, event.*field.span_key);
            return;
        case StoryForm::type:
            event.type = event_type_from(text).value_or(EventType::other);
            return;
        case StoryForm::source:
            event.source = named(event_source_names, text, EventSource::span);
            return;
        case StoryForm::time_source:
            event.time_source = named(time_source_names, text, TimeSource::received);
            return;
        case StoryForm::outcome:
            event.outcome = named(outcome_names, text, EventOutcome::none);
            return;
        default:
            return;
    }
}

void set_integer(const StoryField& field, std::int64_t integer, StoryEvent& event) {
    if (field.form == StoryForm::real) {
        event.*field.real = static_cast<double>(integer);
        return;
    }
    if (integer < 0 || integer > count_max) return;
    if (field.form == StoryForm::count) event.*field.count = integer;
    if (field.form == StoryForm::number) {
        event.*field.number_at = static_cast<std::uint64_t>(integer);
    }
}

void set_real(const StoryField& field, double real, StoryEvent& event) {
    if (field.form == StoryForm::real && std::isfinite(real)) event.*field.real = real;
}

void set_flag(const StoryField& field, bool flag, StoryEvent& event) {
    if (field.form != StoryForm::flag) return;
    if (field.number == info(FieldId::time_fault).number) {
        event.has_time_fault = flag;
    } else {
        event.*field.flag = flag ? Told::yes : Told::no;
    }
}

void add_item(
    const StoryField& field, std::string_view item, std::string& joined, StoryEvent& event
) {
    constexpr char separator = '\x1f';
    if (field.form == StoryForm::texts) {
        if (!joined.empty()) joined += separator;
        joined += item;
    } else if (field.form == StoryForm::classes) {
        for (std::size_t i = 0; i < event_classes_count; ++i) {
            if (event_class_names[i] == item) event.classes |= bit(static_cast<EventClass>(i));
        }
    }
}

}  // namespace spangate
