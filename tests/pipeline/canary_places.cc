#include "canary_places.h"

#include <utility>

#include "redact/json_tokens.h"

namespace spangate::testing {
namespace {

namespace trace = opentelemetry::proto::trace::v1;
namespace logs = opentelemetry::proto::logs::v1;

constexpr std::uint64_t now = 1'790'000'000'000'000'000U;

// How a text can stand in an AnyValue, whoever holds it.
struct Shape {
    std::string_view name;
    bool (*put)(common::KeyValue& attribute, const Cell& cell);
};

std::string quoted_json(std::string_view text) {
    std::string out = "\"";
    append_json_escaped(text, out);
    return out + '"';
}

common::KeyValue& entry_of(common::AnyValue& value, std::string_view key) {
    common::KeyValue& entry = *value.mutable_kvlist_value()->add_values();
    entry.set_key(std::string(key));
    return entry;
}

// Numbers stand alone.
bool is_number(const Cell& cell) {
    return cell.canary.number != 0 && cell.text == cell.canary.text;
}

bool put_string(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_string_value(cell.text);
    return true;
}

bool put_bytes(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_bytes_value(cell.text);
    return true;
}

bool put_integer(common::KeyValue& attribute, const Cell& cell) {
    if (!is_number(cell)) return false;
    attribute.set_key(std::string(cell.canary.number_key));
    attribute.mutable_value()->set_int_value(cell.canary.number);
    return true;
}

bool put_double(common::KeyValue& attribute, const Cell& cell) {
    if (!is_number(cell)) return false;
    attribute.set_key(std::string(cell.canary.number_key));
    attribute.mutable_value()->set_double_value(static_cast<double>(cell.canary.number));
    return true;
}

bool put_array(common::KeyValue& attribute, const Cell& cell) {
    auto* array = attribute.mutable_value()->mutable_array_value();
    array->add_values()->set_string_value("first");
    array->add_values()->set_string_value(cell.text);
    return true;
}

bool put_array_of_bytes(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->mutable_array_value()->add_values()->set_bytes_value(cell.text);
    return true;
}

bool put_array_of_integers(common::KeyValue& attribute, const Cell& cell) {
    if (!is_number(cell)) return false;
    attribute.set_key(std::string(cell.canary.number_key));
    auto* array = attribute.mutable_value()->mutable_array_value();
    array->add_values()->set_int_value(cell.canary.number);
    return true;
}

bool put_map(common::KeyValue& attribute, const Cell& cell) {
    entry_of(*attribute.mutable_value(), "note").mutable_value()->set_string_value(cell.text);
    return true;
}

bool put_map_key(common::KeyValue& attribute, const Cell& cell) {
    entry_of(*attribute.mutable_value(), cell.text).mutable_value()->set_bool_value(true);
    return true;
}

bool put_map_integer(common::KeyValue& attribute, const Cell& cell) {
    if (!is_number(cell)) return false;
    entry_of(*attribute.mutable_value(), cell.canary.number_key)
        .mutable_value()
        ->set_int_value(cell.canary.number);
    return true;
}

bool put_deep(common::KeyValue& attribute, const Cell& cell) {
    common::KeyValue& outer = entry_of(*attribute.mutable_value(), "list");
    auto* array = outer.mutable_value()->mutable_array_value();
    entry_of(*array->add_values(), "note").mutable_value()->set_string_value(cell.text);
    return true;
}

std::string json_with(const Cell& cell) {
    return R"({"a":[1,{"note":)" + quoted_json(cell.text) + "}]}";
}

bool put_json(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_string_value(json_with(cell));
    return true;
}

bool put_json_key(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_string_value("{" + quoted_json(cell.text) + ":1}");
    return true;
}

bool put_json_number(common::KeyValue& attribute, const Cell& cell) {
    if (!is_number(cell)) return false;
    attribute.mutable_value()->set_string_value(
        "{\"" + std::string(cell.canary.number_key) + "\":" + std::to_string(cell.canary.number) +
        "}"
    );
    return true;
}

bool put_json_twice(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_string_value(R"({"json":)" + quoted_json(json_with(cell)) + "}");
    return true;
}

bool put_json_in_quotes(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_string_value(quoted_json(json_with(cell)));
    return true;
}

bool put_json_cut_off(common::KeyValue& attribute, const Cell& cell) {
    std::string json = json_with(cell);
    json.resize(json.size() - 4);
    attribute.mutable_value()->set_string_value(json);
    return true;
}

bool put_base64(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_string_value(to_base64(cell.text));
    return true;
}

bool put_url_encoded(common::KeyValue& attribute, const Cell& cell) {
    attribute.mutable_value()->set_string_value("q=" + url_encoded(cell.text));
    return true;
}

bool put_key(common::KeyValue& attribute, const Cell& cell) {
    attribute.set_key(cell.text);
    attribute.mutable_value()->set_int_value(1);
    return true;
}

constexpr Shape shapes[] = {
    {"key", put_key},
    {"string", put_string},
    {"bytes", put_bytes},
    {"int", put_integer},
    {"double", put_double},
    {"array of strings", put_array},
    {"array of bytes", put_array_of_bytes},
    {"array of ints", put_array_of_integers},
    {"kvlist value", put_map},
    {"kvlist key", put_map_key},
    {"kvlist int", put_map_integer},
    {"kvlist in array in kvlist", put_deep},
    {"JSON in string", put_json},
    {"JSON key in string", put_json_key},
    {"JSON number in string", put_json_number},
    {"double-encoded JSON", put_json_twice},
    {"JSON in a quoted string", put_json_in_quotes},
    {"JSON cut off", put_json_cut_off},
    {"base64", put_base64},
    {"URL-encoded", put_url_encoded},
};

// An attribute of every shape in a list that `attributes` picks.
template <typename Add>
void add_shapes(std::string_view where, std::string_view key, const Add& add) {
    for (const Shape& shape : shapes) {
        add(std::string(where) + ": " + std::string(shape.name),
            [shape, key](OtlpAttributes& attributes, const Cell& cell) {
                common::KeyValue made;
                made.set_key(std::string(key));
                if (!shape.put(made, cell)) return false;
                *attributes.Add() = made;
                return true;
            });
    }
}

using PutAttribute = std::function<bool(OtlpAttributes&, const Cell&)>;

void add_attribute_places(std::vector<Place>& places) {
    const auto add = [&](auto pick_list) {
        return [&places, pick_list](std::string name, PutAttribute put) {
            Place place;
            place.name = std::move(name);
            place.in_span =
                [pick_list, put](trace::ResourceSpans& group, trace::Span& span, const Cell& cell) {
                    return put(*pick_list(group, span), cell);
                };
            places.push_back(std::move(place));
        };
    };
    add_shapes("span attribute", "note", add([](trace::ResourceSpans&, trace::Span& span) {
                   return span.mutable_attributes();
               }));
    add_shapes(
        "content attribute",
        "gen_ai.input.messages",
        add([](trace::ResourceSpans&, trace::Span& span) { return span.mutable_attributes(); })
    );
    add_shapes("event attribute", "note", add([](trace::ResourceSpans&, trace::Span& span) {
                   trace::Span_Event* const event = span.add_events();
                   event->set_name("gen_ai.choice");
                   event->set_time_unix_nano(now);
                   return event->mutable_attributes();
               }));
    add_shapes("link attribute", "note", add([](trace::ResourceSpans&, trace::Span& span) {
                   trace::Span_Link* const link = span.add_links();
                   link->set_trace_id(std::string(16, '\x07'));
                   link->set_span_id(std::string(8, '\x07'));
                   return link->mutable_attributes();
               }));
    add_shapes("scope attribute", "note", add([](trace::ResourceSpans& group, trace::Span&) {
                   return group.mutable_scope_spans(0)->mutable_scope()->mutable_attributes();
               }));
    add_shapes("resource attribute", "note", add([](trace::ResourceSpans& group, trace::Span&) {
                   return group.mutable_resource()->mutable_attributes();
               }));
}

Place span_place(
    std::string name, void (*put)(trace::ResourceSpans&, trace::Span&, const std::string&)
) {
    Place place;
    place.name = std::move(name);
    place.in_span = [put](trace::ResourceSpans& group, trace::Span& span, const Cell& cell) {
        put(group, span, cell.text);
        return true;
    };
    return place;
}

void add_text_places(std::vector<Place>& places) {
    using Group = trace::ResourceSpans;
    using Span = trace::Span;
    using Text = const std::string&;
    places.push_back(span_place("span name", [](Group&, Span& span, Text text) {
        span.set_name(text);
    }));
    places.push_back(span_place("status message", [](Group&, Span& span, Text text) {
        span.mutable_status()->set_code(trace::Status_StatusCode_STATUS_CODE_ERROR);
        span.mutable_status()->set_message(text);
    }));
    places.push_back(span_place("span event name", [](Group&, Span& span, Text text) {
        span.add_events()->set_name(text);
    }));
    places.push_back(span_place("scope name", [](Group& group, Span&, Text text) {
        group.mutable_scope_spans(0)->mutable_scope()->set_name(text);
    }));
    places.push_back(span_place("scope version", [](Group& group, Span&, Text text) {
        group.mutable_scope_spans(0)->mutable_scope()->set_version(text);
    }));
    places.back().is_a_version = true;
    places.push_back(span_place("trace state", [](Group&, Span& span, Text text) {
        span.set_trace_state("vendor=" + text);
    }));
    places.back().is_kept = false;
    places.push_back(span_place("link trace state", [](Group&, Span& span, Text text) {
        trace::Span_Link* const link = span.add_links();
        link->set_trace_id(std::string(16, '\x07'));
        link->set_span_id(std::string(8, '\x07'));
        link->set_trace_state(text);
    }));
    places.back().is_kept = false;
    places.push_back(span_place("resource schema URL", [](Group& group, Span&, Text text) {
        group.set_schema_url(text);
    }));
    places.back().is_kept = places.back().is_in_json = false;
    places.push_back(span_place("scope schema URL", [](Group& group, Span&, Text text) {
        group.mutable_scope_spans(0)->set_schema_url(text);
    }));
    places.back().is_kept = places.back().is_in_json = false;
}

Place log_place(std::string name, Place::LogEdit edit) {
    Place place;
    place.name = std::move(name);
    place.in_log = std::move(edit);
    return place;
}

void add_attribute(OtlpAttributes& attributes, std::string_view key, std::string_view text) {
    common::KeyValue& attribute = *attributes.Add();
    attribute.set_key(std::string(key));
    attribute.mutable_value()->set_string_value(std::string(text));
}

}  // namespace

std::vector<Place> span_places() {
    std::vector<Place> places;
    add_text_places(places);
    add_attribute_places(places);
    return places;
}

std::vector<Place> log_places() {
    using Group = logs::ResourceLogs;
    using Record = logs::LogRecord;
    std::vector<Place> places;
    places.push_back(log_place("log event name", [](Group&, Record& record, const Cell& cell) {
        record.set_event_name(cell.text);
        return true;
    }));
    places.push_back(log_place("log severity text", [](Group&, Record& record, const Cell& cell) {
        record.set_severity_text(cell.text);
        return true;
    }));
    places.push_back(log_place("log scope name", [](Group& group, Record&, const Cell& cell) {
        group.mutable_scope_logs(0)->mutable_scope()->set_name(cell.text);
        return true;
    }));
    add_shapes("log attribute", "note", [&](std::string name, PutAttribute put) {
        places
            .push_back(log_place(std::move(name), [put](Group&, Record& record, const Cell& cell) {
                return put(*record.mutable_attributes(), cell);
            }));
    });
    add_shapes("log resource attribute", "note", [&](std::string name, PutAttribute put) {
        places.push_back(log_place(std::move(name), [put](Group& group, Record&, const Cell& cell) {
            return put(*group.mutable_resource()->mutable_attributes(), cell);
        }));
    });
    add_shapes("log body", "body", [&](std::string name, PutAttribute put) {
        if (name == "log body: key") return;  // a body has none
        places
            .push_back(log_place(std::move(name), [put](Group&, Record& record, const Cell& cell) {
                OtlpAttributes held;
                if (!put(held, cell)) return false;
                // A number needs the key that tells what it is: a body has none.
                if (held[0].key() != "body" && cell.canary.number_key != "note") return false;
                *record.mutable_body() = held[0].value();
                return true;
            }));
    });
    return places;
}

OtlpRequest trace_request(const Place& place, std::vector<Cell>& cells) {
    OtlpRequest request;
    std::vector<Cell> placed;
    for (const Cell& cell : cells) {
        trace::ResourceSpans group;
        add_attribute(
            *group.mutable_resource()->mutable_attributes(), "service.name", "canary-test"
        );
        trace::ScopeSpans& scope = *group.add_scope_spans();
        scope.mutable_scope()->set_name("test.scope");
        trace::Span& span = *scope.add_spans();
        static std::uint64_t number = 0;  // no span is told twice
        ++number;
        span.set_trace_id(fmt::format("{:016}", number));
        span.set_span_id(fmt::format("{:08}", number));
        span.set_name("chat gpt-4.1");
        span.set_start_time_unix_nano(now);
        span.set_end_time_unix_nano(now + 1'000'000);
        OtlpAttributes& attributes = *span.mutable_attributes();
        add_attribute(attributes, "gen_ai.operation.name", "chat");
        add_attribute(attributes, "gen_ai.conversation.id", cell.session_id);
        if (!place.in_span(group, span, cell)) continue;
        *request.add_resource_spans() = std::move(group);
        placed.push_back(cell);
    }
    cells.swap(placed);
    return request;
}

OtlpLogs log_request(const Place& place, std::vector<Cell>& cells) {
    OtlpLogs request;
    std::vector<Cell> placed;
    for (const Cell& cell : cells) {
        logs::ResourceLogs group;
        add_attribute(
            *group.mutable_resource()->mutable_attributes(), "service.name", "claude-code"
        );
        logs::ScopeLogs& scope = *group.add_scope_logs();
        scope.mutable_scope()->set_name("com.anthropic.claude_code.events");
        logs::LogRecord& record = *scope.add_log_records();
        record.set_time_unix_nano(now);
        record.set_observed_time_unix_nano(now);
        record.set_severity_number(logs::SEVERITY_NUMBER_INFO);
        record.set_event_name("claude_code.tool_result");
        OtlpAttributes& attributes = *record.mutable_attributes();
        add_attribute(attributes, "session.id", cell.session_id);
        add_attribute(attributes, "tool_name", "Bash");
        add_attribute(attributes, "tool_use_id", "toolu_1");
        add_attribute(attributes, "event.name", "tool_result");
        if (!place.in_log(group, record, cell)) continue;
        *request.add_resource_logs() = std::move(group);
        placed.push_back(cell);
    }
    cells.swap(placed);
    return request;
}

}  // namespace spangate::testing
