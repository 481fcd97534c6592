#include "app/explain_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace spangate {
namespace {

constexpr std::size_t label_column = 2;
constexpr std::size_t text_column = 14;
constexpr std::size_t value_width_max = 24;
constexpr std::size_t name_bytes_max = 40;

constexpr std::array<std::string_view, 6> styles = {
    "", "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[33m"};
constexpr std::string_view style_end = "\x1b[0m";

// Nothing that a client sent may steer the terminal.
std::string visible(std::string_view text) {
    std::string good;
    append_as_utf8(text, good);
    std::string out;
    for (std::size_t i = 0; i < good.size(); ++i) {
        const auto c = static_cast<unsigned char>(good[i]);
        const bool is_c1 =
            c == 0xC2 && i + 1 < good.size() && static_cast<unsigned char>(good[i + 1]) < 0xA0;
        if (c == '\n') {
            out += "\\n";
        } else if (c < 0x20 || c == 0x7F) {
            out += fmt::format("\\x{:02x}", c);
        } else if (is_c1) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(good[++i]));
        } else {
            out.push_back(good[i]);
        }
    }
    return out;
}

std::string place_of(std::string_view convention, std::uint32_t line) {
    if (line == 0) return std::string(convention);
    return convention.empty() ? fmt::format("line {}", line)
                              : fmt::format("{}:{}", convention, line);
}

std::string duration_text(double millis) {
    return millis >= 1000 ? fmt::format("{:.2f} s", millis / 1000)
                          : fmt::format("{:.1f} ms", millis);
}

}  // namespace

void ExplainText::put(std::string_view text, Style style) {
    const std::string shown = visible(text);
    const bool is_styled = has_colours_ && style != Style::plain;
    if (is_styled) line_ += styles[static_cast<std::size_t>(style)];
    line_ += shown;
    if (is_styled) line_ += style_end;
    width_ += width_of(shown);
}

void ExplainText::end_line() {
    while (line_.ends_with(' '))
        line_.pop_back();
    out_ += line_;
    out_ += '\n';
    line_.clear();
    width_ = 0;
}

// A new line when the column is already behind.
void ExplainText::pad_to(std::size_t column) {
    if (width_ > column || (width_ == column && !line_.ends_with(' '))) end_line();
    line_.append(column - width_, ' ');
    width_ = column;
}

void ExplainText::label(std::string_view name) {
    pad_to(label_column);
    put(name, Style::dim);
    pad_to(text_column);
}

// At blanks; what is longer than a line is broken where it must be.
void ExplainText::wrapped(std::string_view text, std::size_t indent, Style style) {
    std::string rest = visible(text);
    while (!rest.empty()) {
        const std::size_t room = columns - width_;
        if (width_of(rest) <= room) return put(rest, style);
        std::size_t cut = utf8_prefix(rest, room).size();
        const std::size_t blank = rest.rfind(' ', cut);
        const bool has_blank = blank != std::string::npos && blank > 0;
        if (!has_blank && width_ > indent) {
            pad_to(indent);
            continue;
        }
        if (has_blank) cut = blank;
        put(std::string_view(rest).substr(0, cut), style);
        rest.erase(0, has_blank ? cut + 1 : cut);
        end_line();
        pad_to(indent);
    }
}

std::string_view ExplainText::tables(const ExplainTables& tables) {
    begin();
    put("conventions  ", Style::dim);
    wrapped(fmt::format("{} (rules {})", tables.conventions, tables.rules_hash), text_column);
    end_line();
    put("prices       ", Style::dim);
    wrapped(fmt::format("{} ({})", tables.prices, tables.price_version), text_column);
    end_line();
    return out_;
}

std::string_view ExplainText::body(std::string_view path, std::string_view looks_like) {
    begin();
    if (is_behind_items_) end_line();
    is_behind_items_ = false;
    put("body         ", Style::dim);
    wrapped(fmt::format("{} ({})", path, looks_like), text_column);
    end_line();
    return out_;
}

std::string_view ExplainText::resource(const std::vector<AttributeReport>& all) {
    begin();
    end_line();
    put("resource and scope", Style::bold);
    end_line();
    attributes(all);
    return out_;
}

void ExplainText::headline(const ItemReport& item) {
    end_line();
    if (item.kind == "alias") {
        put("session_alias", Style::bold);
        put("  two sessions are one story", Style::dim);
        return end_line();
    }
    put(fmt::format("{} {}  ", item.kind == "log" ? "log record" : item.kind, item.number),
        Style::bold);
    put(item.name.empty() ? "(no name)" : utf8_prefix(item.name, name_bytes_max), Style::bold);
    std::string facts;
    for (const std::string& fact : {item.span_id, item.span_kind, item.status}) {
        if (!fact.empty()) facts += "  " + fact;
    }
    if (item.duration_ms) facts += "  " + duration_text(*item.duration_ms);
    wrapped(facts, label_column, Style::dim);
    put("  ");
    if (item.fate != "kept") {
        const std::string_view fate =
            item.fate == "dropped_other" ? "dropped (other)" : "dropped (partial)";
        if (width_ + fate.size() > columns) pad_to(label_column);
        put(fate, Style::bad);
        end_line();
        pad_to(label_column);
        wrapped(item.because, label_column);
        return end_line();
    }
    std::string types;
    for (const EventReport& event : item.events)
        types += fmt::format("{}{}", types.empty() ? "→ " : " + ", event.type);
    if (width_ + width_of(types) > columns) pad_to(label_column);
    wrapped(types, label_column, Style::good);
    end_line();
}

void ExplainText::conventions(const ItemReport& item) {
    label("convention");
    std::string held_by;
    std::string also;
    for (const auto& [id, by] : item.holding) {
        if (id == item.convention) {
            held_by = by;
        } else if (by != "always") {
            also += fmt::format("{}{} ({})", also.empty() ? "" : ", ", id, by);
        }
    }
    if (item.rule_line == 0) {
        put("no rule matched", Style::hint);
    } else {
        put(item.convention, Style::bold);
        put(fmt::format(", rule at line {}", item.rule_line));
    }
    if (!held_by.empty() && item.rule_line != 0) {
        const std::string text = "  held by " + held_by;
        if (width_ + width_of(text) > columns) pad_to(text_column);
        wrapped(text.substr(width_ == text_column ? 2 : 0), text_column, Style::dim);
    }
    end_line();
    if (also.empty()) return;
    pad_to(text_column);
    wrapped("also held: " + also, text_column, Style::dim);
    end_line();
}

void ExplainText::events(const ItemReport& item) {
    if (item.events.empty()) return;
    label("events");
    for (const EventReport& event : item.events) {
        pad_to(text_column);
        put(event.type, Style::good);
        pad_to(text_column + 21);
        put(event.at);
        pad_to(text_column + 28);
        put(event.is_primary ? "primary" : "");
        pad_to(text_column + 37);
        std::string from;
        if (event.made == "rule") from = "the rule";
        if (event.made == "no_rule") from = "no rule: other";
        if (event.made == "gateway") from = "made by the gateway";
        if (event.made == "span_event") {
            from = fmt::format("span event {} {}", *event.span_event, event.name);
        }
        if (event.made == "extra_event") from = "extra event " + event.name;
        if (event.made == "overlay") from = "overlay " + event.name;
        if (event.made == "repeat") from = "overlay " + event.name + " (repeat)";
        if (event.line != 0) from += "  " + place_of(event.convention, event.line);
        wrapped("← " + from, text_column + 37, Style::dim);
        end_line();
        if (!event.made_as.empty() || !event.because.empty()) {
            pad_to(text_column + 2);
            const std::string made_as = event.made_as.empty() ? event.type : event.made_as;
            wrapped(
                fmt::format("was {}: {}", made_as, event.because), text_column + 4, Style::hint
            );
            end_line();
        }
        if (!event.fields.empty()) fields(event.fields, "");
    }
}

// «← key  list:line» or «derived: how».
std::string ExplainText::origin_of(const FieldReport& field) {
    const bool is_key = field.kind == "key";
    std::string text = is_key ? "← " + field.from : fmt::format("{}: {}", field.kind, field.from);
    if (!field.raw.empty()) text += fmt::format(" «{}»", field.raw);
    if (is_key || field.line != 0) text += "  " + place_of(field.list, field.line);
    return text;
}

void ExplainText::fields(const std::vector<FieldReport>& all, std::string_view name) {
    constexpr std::array<std::string_view, 4> unsaid = {
        "start_ts", "end_ts", "classes", "redactions"};
    const std::size_t first = name.empty() ? text_column + 4 : text_column;
    std::size_t names = 0;
    std::size_t values = 0;
    for (const FieldReport& field : all) {
        names = std::max(names, field.name.size());
        const std::size_t width = width_of(field.value);
        if (width <= value_width_max) values = std::max(values, width);
    }
    const std::size_t value_column = first + names + 2;
    const std::size_t from_column = value_column + values + 2;
    if (!name.empty() && !all.empty()) label(name);
    for (const FieldReport& field : all) {
        if (std::find(unsaid.begin(), unsaid.end(), field.name) != unsaid.end()) continue;
        pad_to(first);
        put(field.name);
        pad_to(value_column);
        wrapped(field.value, value_column, Style::bold);
        const std::string from = origin_of(field);
        // Beside the value, or at the right edge below it.
        const std::size_t width = width_of(visible(from));
        const std::size_t edge = columns - std::min(width, columns - value_column);
        pad_to(from_column + width <= columns ? from_column : std::max(edge, value_column));
        wrapped(from, value_column + 2, Style::dim);
        end_line();
    }
}

void ExplainText::session(const ItemReport& item) {
    label("session");
    const SessionReport& session = item.session;
    wrapped(session.id.empty() ? "(dropped)" : session.id, text_column, Style::bold);
    const std::string from =
        session.source.empty() || session.source == "trace" || session.source == "log"
            ? session.because
            : fmt::format("{}, {}", session.source, session.because);
    if (!session.because.empty()) wrapped("  ← " + from, text_column + 2, Style::dim);
    end_line();
    for (const auto& [key, fate] : session.other_keys) {
        pad_to(text_column + 2);
        put(key);
        wrapped(": " + fate, text_column + 4, Style::dim);
        end_line();
    }
    label("tenant");
    put(item.tenant, Style::bold);
    wrapped("  ← " + item.tenant_because, text_column + 2, Style::dim);
    end_line();
}

std::string_view ExplainText::item(const ItemReport& item) {
    begin();
    is_behind_items_ = true;
    headline(item);
    if (item.kind == "alias") {
        label("session");
        wrapped(item.session.id, text_column, Style::bold);
        end_line();
        fields(item.fields, "fields");
        return out_;
    }
    conventions(item);
    events(item);
    if (item.fate == "kept") {
        session(item);
        fields(item.fields, "fields");
    }
    attributes(item.attributes);
    return out_;
}

}  // namespace spangate
