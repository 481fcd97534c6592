#include "session/event_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <protozero/pbf_reader.hpp>

#include "base/json_quote.h"
#include "base/text.h"
#include "model/field.h"

namespace spangate {
namespace {

using protozero::pbf_reader;

constexpr int depth_max = 80;  // of attribute values; the gateway nests 64

enum class Form : std::uint8_t {
    text,
    count,
    number,  // fixed64
    real,
    flag,
    bytes,
    texts,
    reals,
    attributes,
    span_events,
    links,
    scope,
    redaction,
    value,
};

struct Known {
    std::uint32_t number;
    std::string_view name;
    Form form;
};

// What model/field.h does not list: proto/spangate/v1/events.proto.
constexpr std::array<Known, 39> others = {{
    {1, "schema_version", Form::count},
    {2, "event_id", Form::text},
    {3, "event_class", Form::text},
    {4, "event_type", Form::text},
    {5, "timestamp", Form::text},
    {6, "time_source", Form::text},
    {7, "ts_received", Form::text},
    {8, "tenant_id", Form::text},
    {9, "session_id", Form::text},
    {10, "session_source", Form::text},
    {11, "trace_id", Form::text},
    {12, "span_id", Form::text},
    {13, "parent_span_id", Form::text},
    {14, "gateway_id", Form::text},
    {15, "gateway_epoch", Form::number},
    {16, "gateway_seq", Form::number},
    {17, "source", Form::text},
    {18, "rules", Form::text},
    {19, "digest_key_id", Form::text},
    {200, "name", Form::text},
    {201, "kind", Form::text},
    {202, "status_message", Form::text},
    {203, "attributes", Form::attributes},
    {204, "resource", Form::attributes},
    {205, "events", Form::span_events},
    {206, "links", Form::links},
    {207, "scope", Form::scope},
    {208, "redaction", Form::redaction},
    {209, "truncated", Form::texts},
    {210, "dropped_attributes", Form::count},
    {211, "dropped_events", Form::count},
    {212, "dropped_links", Form::count},
    {213, "session_keys_seen", Form::texts},
    {220, "body", Form::value},
    {222, "event_name", Form::text},
    {223, "observed_ts", Form::text},
    {250, "payload", Form::bytes},
    {251, "chunk", Form::count},
    {252, "chunks", Form::count},
}};
constexpr std::array<Known, 3> seals = {{
    {253, "salt", Form::bytes},
    {254, "commitment", Form::text},
    {255, "key_id", Form::text},
}};

Form form_of(FieldType type) {
    switch (type) {
        case FieldType::integer:
            return Form::count;
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

// By number; empty names are not known.
const std::vector<Known>& known_fields() {
    static const std::vector<Known> fields = [] {
        std::vector<Known> table(256);
        for (const FieldInfo& field : field_table)
            table[field.number] = {field.number, field.name, form_of(field.type)};
        for (const Known& field : others)
            table[field.number] = field;
        for (const Known& field : seals)
            table[field.number] = field;
        return table;
    }();
    return fields;
}

std::string text(const protozero::data_view& view) {
    return json_quote({view.data(), view.size()});
}

std::string real(double value) {
    if (std::isnan(value)) return "\"NaN\"";
    if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return fmt::format("{}", value);
}

std::string integer(std::int64_t value) {
    constexpr std::int64_t exact_max = (std::int64_t{1} << 53) - 1;
    const bool is_exact = value >= -exact_max && value <= exact_max;
    return is_exact ? std::to_string(value) : fmt::format("\"{}\"", value);
}

std::string attribute_value(pbf_reader reader, int depth);

// Key and value of Attribute, or of a map's entry when `is_count`.
std::string member(pbf_reader reader, int depth, bool is_count) {
    std::string key = "\"\"";
    std::string value = is_count ? "0" : "null";
    while (reader.next()) {
        if (reader.tag() == 1) {
            key = text(reader.get_view());
        } else if (reader.tag() == 2) {
            value = is_count ? std::to_string(reader.get_uint32())
                             : attribute_value(reader.get_message(), depth + 1);
        } else {
            reader.skip();
        }
    }
    return key + ':' + value;
}

void append_item(std::string& list, const std::string& item) {
    if (!list.empty()) list += ',';
    list += item;
}

std::string attribute_value(pbf_reader reader, int depth) {
    if (depth > depth_max) return "null";
    std::string value = "null";
    while (reader.next()) {
        switch (reader.tag()) {
            case 1:
                value = text(reader.get_view());
                break;
            case 2:
                value = reader.get_bool() ? "true" : "false";
                break;
            case 3:
                value = integer(reader.get_int64());
                break;
            case 4:
                value = real(reader.get_double());
                break;
            case 5: {
                const protozero::data_view bytes = reader.get_view();
                value = '"' + to_base64({bytes.data(), bytes.size()}) + '"';
                break;
            }
            case 6: {
                std::string items;
                pbf_reader array = reader.get_message();
                while (array.next(1))
                    append_item(items, attribute_value(array.get_message(), depth + 1));
                value = '[' + items + ']';
                break;
            }
            case 7: {
                std::string members;
                pbf_reader list = reader.get_message();
                while (list.next(1))
                    append_item(members, member(list.get_message(), depth + 1, false));
                value = '{' + members + '}';
                break;
            }
            default:
                reader.skip();
        }
    }
    return value;
}

// SpanEvent, SpanLink, Scope: two texts and attributes.
std::string part(pbf_reader reader, std::string_view first, std::string_view second) {
    std::string members;
    std::string attributes;
    while (reader.next()) {
        switch (reader.tag()) {
            case 1:
                append_item(members, json_quote(first) + ':' + text(reader.get_view()));
                break;
            case 2:
                append_item(members, json_quote(second) + ':' + text(reader.get_view()));
                break;
            case 3:
                append_item(attributes, member(reader.get_message(), 0, false));
                break;
            default:
                reader.skip();
        }
    }
    if (!attributes.empty()) append_item(members, "\"attributes\":{" + attributes + '}');
    return '{' + members + '}';
}

std::string redaction(pbf_reader reader) {
    std::string members;
    std::string counts;
    while (reader.next()) {
        if (reader.tag() == 1) {
            append_item(members, "\"ruleset\":" + text(reader.get_view()));
        } else if (reader.tag() == 2) {
            append_item(counts, member(reader.get_message(), 0, true));
        } else {
            reader.skip();
        }
    }
    if (!counts.empty()) append_item(members, "\"counts\":{" + counts + '}');
    return '{' + members + '}';
}

std::string reals(pbf_reader& reader) {
    std::string items;
    if (reader.wire_type() == protozero::pbf_wire_type::fixed64) return real(reader.get_double());
    for (const double item : reader.get_packed_double())
        append_item(items, real(item));
    return items;
}

std::string value_of(pbf_reader& reader, Form form) {
    switch (form) {
        case Form::text:
        case Form::texts:
            return text(reader.get_view());
        case Form::count:
            return std::to_string(reader.get_int64());
        case Form::number:
            return std::to_string(reader.get_fixed64());
        case Form::real:
            return real(reader.get_double());
        case Form::flag:
            return reader.get_bool() ? "true" : "false";
        case Form::bytes: {
            const protozero::data_view bytes = reader.get_view();
            return '"' + to_base64({bytes.data(), bytes.size()}) + '"';
        }
        case Form::reals:
            return reals(reader);
        case Form::attributes:
            return member(reader.get_message(), 0, false);
        case Form::span_events:
            return part(reader.get_message(), "name", "time");
        case Form::links:
            return part(reader.get_message(), "trace_id", "span_id");
        case Form::scope:
            return part(reader.get_message(), "name", "version");
        case Form::redaction:
            return redaction(reader.get_message());
        case Form::value:
            return attribute_value(reader.get_message(), 0);
    }
    return "null";
}

bool is_list(Form form) {
    return form == Form::texts || form == Form::reals || form == Form::span_events ||
           form == Form::links;
}

void append_members(pbf_reader& reader, std::string& out) {
    const std::vector<Known>& known = known_fields();
    std::vector<std::pair<const Known*, std::string>> members;
    while (reader.next()) {
        const protozero::pbf_tag_type tag = reader.tag();
        if (tag >= known.size() || known[tag].name.empty()) {
            reader.skip();
            continue;
        }
        const Known& field = known[tag];
        std::string value = value_of(reader, field.form);
        const auto told = std::find_if(members.begin(), members.end(), [&](const auto& member) {
            return member.first == &field;
        });
        if (told == members.end()) {
            members.emplace_back(&field, std::move(value));
        } else if (is_list(field.form) || field.form == Form::attributes) {
            append_item(told->second, value);
        } else {
            told->second = std::move(value);
        }
    }
    for (const auto& [field, value] : members) {
        if (out.back() != '{') out += ',';
        out += json_quote(field->name) + ':';
        if (is_list(field->form)) {
            out += '[' + value + ']';
        } else if (field->form == Form::attributes) {
            out += '{' + value + '}';
        } else {
            out += value;
        }
    }
}

}  // namespace

bool append_event_json(std::string_view message, std::string& out) {
    const std::size_t begin = out.size();
    try {
        pbf_reader reader(message.data(), message.size());
        out += '{';
        append_members(reader, out);
        out += '}';
        return true;
    } catch (const protozero::exception&) {
        out.resize(begin);
        return false;
    }
}

}  // namespace spangate
