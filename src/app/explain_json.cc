#include "app/explain_json.h"

#include "route/json_text.h"

namespace spangate {
namespace {

// One object or list after the other; commas come by themselves.
class JsonLine {
  public:
    JsonLine& open(char bracket) {
        comma();
        text_ += bracket;
        needs_comma_ = false;
        return *this;
    }

    JsonLine& close(char bracket) {
        text_ += bracket;
        needs_comma_ = true;
        return *this;
    }

    JsonLine& key(std::string_view name) {
        comma();
        append_json_string(text_, name);
        text_ += ':';
        needs_comma_ = false;
        return *this;
    }

    JsonLine& text(std::string_view value) {
        comma();
        append_json_string(text_, value);
        needs_comma_ = true;
        return *this;
    }

    // As it is: a number, true, false.
    JsonLine& bare(std::string_view value) {
        comma();
        text_ += value;
        needs_comma_ = true;
        return *this;
    }

    void member(std::string_view name, std::string_view value) {
        if (!value.empty()) key(name).text(value);
    }

    void count(std::string_view name, std::uint64_t value) {
        key(name).bare(std::to_string(value));
    }

    void flag(std::string_view name, bool value) { key(name).bare(value ? "true" : "false"); }

    [[nodiscard]] std::string line() && {
        text_ += '\n';
        return std::move(text_);
    }

  private:
    void comma() {
        if (needs_comma_) text_ += ',';
        needs_comma_ = false;
    }

    std::string text_;
    bool needs_comma_ = false;
};

void write(JsonLine& json, const std::vector<FieldReport>& fields) {
    json.key("fields").open('[');
    for (const FieldReport& field : fields) {
        json.open('{');
        json.member("name", field.name);
        if (field.is_text) {
            json.key("value").text(field.value);
        } else {
            json.key("value").bare(field.value);
        }
        json.member("raw", field.raw);
        json.member("origin", field.kind);
        json.member("from", field.from);
        json.member("list", field.list);
        if (field.line != 0) json.count("line", field.line);
        json.close('}');
    }
    json.close(']');
}

void write(JsonLine& json, const EventReport& event) {
    json.open('{');
    json.member("type", event.type);
    json.member("made_as", event.made_as);
    json.member("because", event.because);
    json.member("at", event.at);
    json.member("event_id", event.event_id);
    json.flag("is_primary", event.is_primary);
    json.member("origin", event.made);
    json.member("name", event.name);
    json.member("convention", event.convention);
    if (event.line != 0) json.count("line", event.line);
    if (event.span_event) json.count("span_event", *event.span_event);
    if (!event.fields.empty()) write(json, event.fields);
    json.close('}');
}

void write(JsonLine& json, const std::vector<AttributeReport>& attributes) {
    json.key("attributes").open('[');
    for (const AttributeReport& one : attributes) {
        json.open('{');
        json.member("place", one.place);
        json.member("key", one.key);
        json.member("treatment", one.treatment);
        json.member("role", one.role);
        json.member("list", one.list);
        json.member("pattern", one.pattern);
        json.flag("is_named", !one.list.empty());
        json.count("bytes", one.bytes);
        if (one.value) json.key("value").text(*one.value);
        json.close('}');
    }
    json.close(']');
}

void write(JsonLine& json, const SessionReport& session) {
    json.key("session").open('{');
    json.member("id", session.id);
    json.member("bound_by", session.bound_by);
    json.member("source", session.source);
    json.member("because", session.because);
    json.member("from_span_id", session.from_span);
    json.key("other_keys").open('[');
    for (const auto& [key, fate] : session.other_keys) {
        json.open('{');
        json.member("key", key);
        json.member("because", fate);
        json.close('}');
    }
    json.close(']').close('}');
}

void write(
    JsonLine& json, std::string_view name, const std::map<std::string, std::size_t>& counts
) {
    json.key(name).open('{');
    for (const auto& [what, count] : counts)
        json.count(what, count);
    json.close('}');
}

}  // namespace

std::string tables_json(const ExplainTables& tables) {
    JsonLine json;
    json.open('{');
    json.member("kind", "tables");
    json.member("conventions", tables.conventions);
    json.member("rules", tables.rules_hash);
    json.member("prices", tables.prices);
    json.member("price_version", tables.price_version);
    json.close('}');
    return std::move(json).line();
}

std::string body_json(std::string_view path, std::string_view looks_like) {
    JsonLine json;
    json.open('{');
    json.member("kind", "body");
    json.member("file", path);
    json.member("looks_like", looks_like);
    json.close('}');
    return std::move(json).line();
}

std::string resource_json(const std::vector<AttributeReport>& attributes) {
    JsonLine json;
    json.open('{');
    json.member("kind", "resource");
    write(json, attributes);
    json.close('}');
    return std::move(json).line();
}

std::string item_json(const ItemReport& item) {
    JsonLine json;
    json.open('{');
    json.member("kind", item.kind);
    if (item.number != 0) json.count("number", item.number);
    json.member("trace_id", item.trace_id);
    json.member("span_id", item.span_id);
    json.member("parent_span_id", item.parent_span_id);
    json.member("name", item.name);
    json.member("span_kind", item.span_kind);
    json.member("status", item.status);
    json.member("fate", item.fate);
    json.member("because", item.because);
    json.member("convention", item.convention);
    if (item.rule_line != 0) json.count("rule_line", item.rule_line);
    json.key("holding").open('[');
    for (const auto& [id, by] : item.holding) {
        json.open('{');
        json.member("convention", id);
        json.member("by", by);
        json.close('}');
    }
    json.close(']');
    json.key("events").open('[');
    for (const EventReport& event : item.events)
        write(json, event);
    json.close(']');
    write(json, item.fields);
    json.member("tenant_id", item.tenant);
    json.member("tenant_because", item.tenant_because);
    write(json, item.session);
    json.member("twin_because", item.twin_because);
    write(json, item.attributes);
    json.close('}');
    return std::move(json).line();
}

std::string totals_json(const ExplainTotals& totals) {
    JsonLine json;
    json.open('{');
    json.member("kind", "totals");
    json.count("bodies", totals.bodies);
    json.count("items", totals.items);
    json.count("rejected", totals.rejected);
    json.count("dropped_other", totals.dropped_other);
    json.count("dropped_partial", totals.dropped_partial);
    json.count("aliases", totals.aliases);
    write(json, "events", totals.events);
    write(json, "conventions", totals.conventions);
    write(json, "sessions", totals.sessions);
    write(json, "unnamed_keys", totals.unnamed_keys);
    json.close('}');
    return std::move(json).line();
}

}  // namespace spangate
