#include "timeline/record_fields.h"

#include <array>

#include "model/field.h"

namespace spangate {
namespace {

using Form = RecordForm;

struct NumberedField {
    std::uint32_t number;
    RecordField field;
};

// Those of proto/spangate/v1/events.proto that are not in model/field.h.
constexpr std::array other_fields = std::to_array<NumberedField>({
    {1, {"schema_version", Form::integer}},
    {2, {"event_id", Form::text}},
    {3, {"event_class", Form::text}},
    {4, {"event_type", Form::text}},
    {5, {"timestamp", Form::text}},
    {6, {"time_source", Form::text}},
    {7, {"ts_received", Form::text}},
    {8, {"tenant_id", Form::text}},
    {9, {"session_id", Form::text}},
    {10, {"session_source", Form::text}},
    {11, {"trace_id", Form::text}},
    {12, {"span_id", Form::text}},
    {13, {"parent_span_id", Form::text}},
    {14, {"gateway_id", Form::text}},
    {15, {"gateway_epoch", Form::fixed}},
    {16, {"gateway_seq", Form::fixed}},
    {17, {"source", Form::text}},
    {18, {"rules", Form::text}},
    {19, {"digest_key_id", Form::text}},
    {200, {"name", Form::text}},
    {201, {"kind", Form::text}},
    {202, {"status_message", Form::text}},
    {203, {"attributes", Form::attributes}},
    {204, {"resource", Form::attributes}},
    {205, {"events", Form::events}},
    {206, {"links", Form::links}},
    {207, {"scope", Form::scope}},
    {208, {"redaction", Form::redaction}},
    {209, {"truncated", Form::texts}},
    {210, {"dropped_attributes", Form::integer}},
    {211, {"dropped_events", Form::integer}},
    {212, {"dropped_links", Form::integer}},
    {213, {"session_keys_seen", Form::texts}},
    {220, {"body", Form::value}},
    {222, {"event_name", Form::text}},
    {223, {"observed_ts", Form::text}},
    {250, {"payload", Form::bytes}},
    {251, {"chunk", Form::integer}},
    {252, {"chunks", Form::integer}},
    {253, {"salt", Form::bytes}},
    {254, {"commitment", Form::text}},
    {255, {"key_id", Form::text}},
});

Form form_of(FieldType type) {
    switch (type) {
        case FieldType::integer:
            return Form::integer;
        case FieldType::real:
            return Form::real;
        case FieldType::flag:
            return Form::flag;
        case FieldType::texts:
            return Form::texts;
        case FieldType::reals:
            return Form::reals;
        default:
            return Form::text;
    }
}

using Fields = std::array<RecordField, record_numbers_max + 1>;

Fields make_fields() {
    Fields made{};
    for (const FieldInfo& field : field_table)
        made[field.number] = {field.name, form_of(field.type)};
    for (const NumberedField& field : other_fields)
        made[field.number] = field.field;
    return made;
}

}  // namespace

const RecordField& record_field(std::uint32_t number) {
    static const Fields fields = make_fields();
    static const RecordField unknown;
    return number < fields.size() ? fields[number] : unknown;
}

}  // namespace spangate
