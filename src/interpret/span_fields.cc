#include <bit>

#include "base/text.h"
#include "interpret/explanation.h"
#include "interpret/span_reader.h"

namespace spangate {
namespace {

constexpr std::uint64_t year_2000_nanos = 946'684'800'000'000'000;
constexpr std::uint64_t year_2200_nanos = 7'258'118'400'000'000'000;
constexpr double nanos_per_milli = 1e6;

constexpr std::array usage_fields = {
    FieldId::tokens_prompt,
    FieldId::tokens_completion,
    FieldId::tokens_total,
    FieldId::tokens_cache_read,
    FieldId::tokens_cache_write,
    FieldId::tokens_reasoning,
    FieldId::cost_usd};

}  // namespace

bool is_possible_time(std::uint64_t unix_nano) {
    return unix_nano >= year_2000_nanos && unix_nano < year_2200_nanos;
}

SpanTimes times_of(const SpanView& span, WallNanos received_at) {
    SpanTimes times{received_at, received_at, false, false};
    if (span.is_log() && is_possible_time(span.log->observed_unix_nano)) {
        times.start = static_cast<WallNanos>(span.log->observed_unix_nano);
        times.end = times.start;
        times.otherwise = TimeSource::observed;
    }
    if (is_possible_time(span.start_unix_nano)) {
        times.start = static_cast<WallNanos>(span.start_unix_nano);
        times.start_is_sent = true;
    }
    if (is_possible_time(span.end_unix_nano)) {
        times.end = static_cast<WallNanos>(span.end_unix_nano);
        times.end_is_sent = true;
    }
    return times;
}

void SpanReader::read_field(FieldId id, const FieldSource& source) {
    const FieldEntry* entry = reader_.read(*plan_, id, source, fields_);
    if (explanation_ != nullptr && entry != nullptr) explain_field(id, entry);
    if (id == FieldId::tokens_prompt && entry != nullptr) {
        cache_is_included_ = entry->convention == no_index ||
                             table_.conventions[entry->convention].input_includes_cache;
    }
}

TargetMask SpanReader::standing_on(EventTypes types) const {
    TargetMask mask;
    for (; types != 0; types &= types - 1) {
        mask |= standing_[static_cast<std::size_t>(std::countr_zero(types))];
    }
    return mask;
}

// Only what may stand on one of the events; later events make more of them stand.
void SpanReader::read_fields(const FieldSource& source, const TargetMask& wanted) {
    const TargetMask unread = (wanted & source.candidates).without(are_read_);
    are_read_ |= unread;
    const auto read = [&](std::uint64_t bits, unsigned first) {
        for (; bits != 0; bits &= bits - 1) {
            const unsigned target = first + static_cast<unsigned>(std::countr_zero(bits));
            if (target < fields_count) read_field(static_cast<FieldId>(target), source);
        }
    };
    read(unread.low, 0);
    read(unread.high, 64);
}

void SpanReader::derive_times(const SpanView& span) {
    fields_.put(FieldValue::of_integer(FieldId::start_ts, times_.start));
    fields_.put(FieldValue::of_integer(FieldId::end_ts, times_.end));
    // A log record has one time: it says how long something took, or nobody knows.
    if (!times_.start_is_sent || !times_.end_is_sent || span.is_log()) return;
    if (span.end_unix_nano < span.start_unix_nano) {
        fields_.erase(FieldId::duration_ms);
        fields_.put(FieldValue::of_flag(FieldId::time_fault, true));
        return;
    }
    if (fields_.has(FieldId::duration_ms)) return;  // the client's own, from a monotonic clock
    const auto nanos = static_cast<double>(times_.end - times_.start);
    fields_.put(FieldValue::of_real(FieldId::duration_ms, nanos / nanos_per_milli));
}

// What overlays may test has to be there before they run.
void SpanReader::derive(const Draft& draft, const RequestFacts& facts) {
    const SpanView& span = *draft.span;
    if (!facts.env.empty()) fields_.put(FieldValue::of_text(FieldId::env, facts.env));
    if (!facts.service_name.empty() && !fields_.has(FieldId::service_name)) {
        fields_.put(FieldValue::of_text(FieldId::service_name, facts.service_name));
    }
    const EventType primary = events_[draft.primary].event.type;
    if (!fields_.has(FieldId::operation)) {
        const std::string& usual = table_.operation_by_event[static_cast<std::size_t>(primary)];
        fields_.put(FieldValue::of_text(
            FieldId::operation, usual.empty() ? std::string_view("other") : std::string_view(usual)
        ));
    }
    if (!fields_.has(FieldId::outcome)) {
        const bool is_error = span.status_code == StatusCode::error ||
                              (span.is_log() && (types_ & bit(EventType::error)) != 0);
        fields_.put(FieldValue::of_text(FieldId::outcome, is_error ? "error" : "ok"));
    }
    derive_times(span);
}

void SpanReader::derive_model(const FieldSource& source) {
    constexpr EventTypes model_events = info(FieldId::model).on;
    if ((types_ & model_events) == 0) return;
    const auto [answered, entry] = reader_.read_text(*plan_, target::model_responded, source);
    if (explanation_ != nullptr && entry != nullptr) explain_field(FieldId::model, entry);
    if (!answered.empty()) {
        fields_.put(FieldValue::of_text(FieldId::model, answered));
    } else if (const FieldValue* asked = fields_.find(FieldId::model_requested)) {
        fields_.put(FieldValue::of_text(FieldId::model, asked->text()));
    }
}

void SpanReader::derive_usage(const Draft& draft, const Rule* rule) {
    const EventType primary = events_[draft.primary].event.type;
    if ((info(FieldId::counted).on & bit(primary)) == 0) return;
    if (fields_.has(FieldId::cost_usd)) {
        fields_.put(FieldValue::of_text(FieldId::cost_source, "reported"));
    }
    if (!cache_is_included_ && fields_.has(FieldId::tokens_prompt)) {
        std::int64_t tokens = fields_.find(FieldId::tokens_prompt)->integer;
        for (const FieldId cached : {FieldId::tokens_cache_read, FieldId::tokens_cache_write}) {
            if (const FieldValue* count = fields_.find(cached)) tokens += count->integer;
        }
        fields_.put(FieldValue::of_integer(FieldId::tokens_prompt, tokens));
        if (explanation_ != nullptr) explanation_->cache_was_added = true;
    }
    bool has_usage = false;
    for (const FieldId field : usage_fields)
        has_usage = has_usage || fields_.has(field);
    const std::optional<UsageDefault>& usual =
        table_.usage_defaults[static_cast<std::size_t>(primary)];
    if (!has_usage) return;
    const Emit* emit = rule == nullptr ? nullptr : &rule->emit[draft.primary];
    const bool counted =
        emit != nullptr && emit->counted ? *emit->counted : usual.value_or(UsageDefault{}).counted;
    const UsageRole role = emit != nullptr && emit->usage_role
                               ? *emit->usage_role
                               : usual.value_or(UsageDefault{}).role;
    fields_.put(FieldValue::of_flag(FieldId::counted, counted));
    fields_.put(
        FieldValue::of_text(FieldId::usage_role, usage_role_names[static_cast<std::size_t>(role)])
    );
    // A sum has no price of its own, unless it is the only telling.
    const bool is_priced = counted || role != UsageRole::aggregate;
    const bool lacks_cost = is_priced && !fields_.has(FieldId::cost_usd);
    const Price* price = lacks_cost ? costs_.price(fields_, times_.end) : nullptr;
    if (explanation_ == nullptr) return;
    explanation_->price = price;
    explanation_->usage_is_of_rule = emit != nullptr && (emit->counted || emit->usage_role);
}

void SpanReader::derive_last(const Draft& draft, const Rule* rule) {
    derive_model({*draft.span, attributes_, resource_, false, candidates_, record_name_});
    derive_usage(draft, rule);
    const SpanId& joined = draft.span->span_id;
    if (!draft.span->is_log() || !draft.may_join || is_zero(joined)) return;
    char* hex = static_cast<char*>(arena_->allocate(joined.size() * 2, 1));
    write_hex(joined, hex);
    fields_.put(FieldValue::of_text(FieldId::joins, {hex, joined.size() * 2}));
}

}  // namespace spangate
