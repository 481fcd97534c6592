// The part of the reporter that tells of events and fields: what was made, and of what.
#include <algorithm>

#include <fmt/format.h>

#include "app/explain_report.h"
#include "base/text.h"

namespace spangate {
namespace {

constexpr std::size_t day_size = 10;  // of an RFC 3339 time

std::string number_text(double number) {
    return fmt::format("{}", number);
}

template <typename Items>
std::string joined(const Items& items) {
    std::string text;
    for (const auto& item : items)
        text += fmt::format("{}{}", text.empty() ? "" : ", ", item);
    return text;
}

std::string value_text(const FieldValue& value) {
    switch (info(value.id).type) {
        case FieldType::text:
            return std::string(value.text());
        case FieldType::integer:
            return std::to_string(value.integer);
        case FieldType::time:
            return to_rfc3339(value.integer);
        case FieldType::real:
            return number_text(value.real);
        case FieldType::flag:
            return value.flag ? "true" : "false";
        case FieldType::texts:
            return joined(value.texts());
        case FieldType::reals:
            return joined(value.reals());
    }
    return {};
}

std::string raw_text(const Value& raw) {
    switch (raw.kind) {
        case ValueKind::string:
            return std::string(raw.text());
        case ValueKind::boolean:
            return raw.boolean ? "true" : "false";
        case ValueKind::integer:
            return std::to_string(raw.integer);
        case ValueKind::real:
            return number_text(raw.real);
        case ValueKind::empty:
        case ValueKind::bytes:
        case ValueKind::array:
        case ValueKind::kvlist:
            return {};
    }
    return {};
}

bool is_text(FieldType type) {
    return type == FieldType::text || type == FieldType::time || type == FieldType::texts ||
           type == FieldType::reals;
}

std::string words_of(const Price& price) {
    const std::string provider = price.providers.empty() ? "" : price.providers.front() + "/";
    const std::string model = price.models.empty() ? "*" : price.models.front();
    std::string words = fmt::format("price table {}{}", provider, model);
    if (price.from != since_ever) {
        words += fmt::format(" from {}", to_rfc3339(price.from).substr(0, day_size));
    }
    return words;
}

std::string primary_type(const ItemReport& report) {
    for (const EventReport& event : report.events) {
        if (event.is_primary) return event.type;
    }
    return report.kind;
}

// How the gateway itself makes a field that no list and no overlay gave.
std::string made_of(FieldId field, const Explanation& why, const ItemReport& report) {
    const std::string primary = primary_type(report);
    switch (field) {
        case FieldId::env:
            return "configuration";
        case FieldId::service_name:
            return "resource detection";
        case FieldId::operation:
            return fmt::format("operation_by_event of {}", primary);
        case FieldId::outcome:
            return why.span->is_log() ? "an error event or not" : "span status";
        case FieldId::start_ts:
        case FieldId::end_ts:
            return why.span->is_log() ? "the record's time" : "the span's times";
        case FieldId::duration_ms:
            return "end less start";
        case FieldId::time_fault:
            return "the end lies before the start";
        case FieldId::user_ref:
            return "keyed hash of the user's id";
        case FieldId::model:
            return "model_requested";
        case FieldId::cost_usd:
            return why.price == nullptr ? "" : words_of(*why.price);
        case FieldId::cost_source:
            return why.price == nullptr ? "the client told the cost" : "the price table's";
        case FieldId::price_version:
            return "version of the price table";
        case FieldId::counted:
        case FieldId::usage_role:
        case FieldId::twin_of:
            if (!why.twin_because.empty()) return std::string(why.twin_because);
            if (!why.usage_is_of_rule) return fmt::format("usage.defaults of {}", primary);
            return fmt::format("the rule at line {}", report.rule_line);
        case FieldId::args_digest:
        case FieldId::args_shape_digest:
            return "keyed digest of the tool_args";
        case FieldId::result_digest:
            return "keyed digest of the tool_result";
        case FieldId::content_length:
            return "bytes of content, rounded up to 16";
        case FieldId::classes:
            return "the records it makes";
        case FieldId::redactions:
            return "hits of redaction rules";
        case FieldId::joins:
            return "the span it belongs to";
        case FieldId::attempt_of:
            return "the first attempt that failed";
        case FieldId::ancestor_span_id:
            return "nearest ancestor that is kept";
        default:
            return "the gateway";
    }
}

// What differs from run to run or says nothing to a reader.
bool is_left_out(FieldId field) {
    return field == FieldId::evidence_commitment || field == FieldId::primary_event_id;
}

}  // namespace

FieldReport ExplainReporter::field(const FieldValue& value, const FieldOrigin& origin) const {
    FieldReport report;
    report.name = info(value.id).name;
    report.value = value_text(value);
    report.is_text = is_text(info(value.id).type);
    report.kind = "derived";
    if (origin.entry != nullptr) {
        report.kind = "key";
        report.from = text_of(table_, *origin.entry);
        report.list = list_of(table_, *origin.entry);
        report.line = origin.entry->line;
        // A value that was held to its form must not come back as its raw one.
        const std::string raw = raw_text(origin.raw);
        if (raw != report.value && !report.value.starts_with("h:")) report.raw = fit_to_show(raw);
    } else if (origin.overlay != nullptr) {
        report.kind = "overlay";
        report.from = origin.overlay->name;
        report.line = origin.overlay->line;
    }
    return report;
}

void ExplainReporter::add_events(
    const Explanation& explanation, const ReleasedItem& released, ItemReport& report
) const {
    const SpanView& span = *explanation.span;
    for (std::size_t i = 0; i < released.events.size(); ++i) {
        const AgentEvent& event = released.events[i];
        const EventOrigin origin =
            i < explanation.events.size() ? explanation.events[i] : EventOrigin{};
        EventReport one;
        one.type = name_of(event.type);
        if (event.type != origin.type) one.made_as = name_of(origin.type);
        if (event.type != origin.type || !origin.relabelled_because.empty()) {
            one.because = origin.relabelled_because;
        }
        one.at = event.at_end ? "end" : "start";
        one.event_id = view(event.event_id);
        one.is_primary = event.is_primary;
        one.made = event_made_names[static_cast<std::size_t>(origin.made)];
        one.name = origin.name;
        one.line = origin.line;
        if (origin.convention != no_index)
            one.convention = table_.conventions[origin.convention].id;
        if (origin.span_event != no_index) {
            one.span_event = origin.span_event;
            one.name = fit_to_show(span.events[origin.span_event].name);
        }
        for (const FieldOrigin& own : origin.fields) {
            const FieldValue* value = event.fields->find(own.field);
            if (value != nullptr && stands_on(info(own.field), event)) {
                one.fields.push_back(field(*value, own));
            }
        }
        report.events.push_back(std::move(one));
    }
}

void ExplainReporter::add_fields(
    const Explanation& explanation, const ReleasedItem& released, ItemReport& report
) const {
    const FieldSet& fields = *released.events[released.primary].fields;
    for (const FieldValue& value : fields.values()) {
        const bool stands = std::any_of(
            released.events.begin(),
            released.events.end(),
            [&](const AgentEvent& event) { return stands_on(info(value.id), event); }
        );
        if (!stands || is_left_out(value.id)) continue;
        const FieldOrigin* origin = explanation.origin_of(value.id);
        FieldReport one =
            field(value, origin == nullptr ? FieldOrigin{value.id, nullptr, nullptr, {}} : *origin);
        const bool is_usage_of_twin =
            !explanation.twin_because.empty() && value.id == FieldId::twin_of;
        if (origin == nullptr || is_usage_of_twin) {
            one.from = made_of(value.id, explanation, report);
            if (value.id == FieldId::user_ref && explanation.user_entry != nullptr) {
                one.from = "keyed hash of " + text_of(table_, *explanation.user_entry);
            }
            if (value.id == FieldId::cost_usd && explanation.price != nullptr)
                one.kind = "computed";
        } else if (value.id == FieldId::tokens_prompt && explanation.cache_was_added) {
            one.raw = raw_text(origin->raw);
            one.from += " + cache reads and writes";
        }
        report.fields.push_back(std::move(one));
    }
}

}  // namespace spangate
