#include "session/event_line.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace spangate {
namespace {

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view plain = "\x1b[0m";
constexpr std::size_t session_columns_max = 36;
constexpr std::size_t agent_columns_max = 20;

// The code point of the two- or three-byte sequence at `at` in well-formed UTF-8, 0 for others.
std::uint32_t code_point(std::string_view text, std::size_t at) {
    const auto byte = [text](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
    };
    if (byte(at) < 0x80) return byte(at);
    if (byte(at) < 0xE0 && at + 1 < text.size()) {
        return ((byte(at) & 0x1F) << 6) | (byte(at + 1) & 0x3F);
    }
    if (byte(at) < 0xF0 && at + 2 < text.size()) {
        return ((byte(at) & 0x0F) << 12) | ((byte(at + 1) & 0x3F) << 6) | (byte(at + 2) & 0x3F);
    }
    return 0x10000;
}

bool is_harmful(std::uint32_t point) {
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C ||
           (point >= 0x200E && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
}

std::size_t sequence_bytes(char first) {
    const auto byte = static_cast<unsigned char>(first);
    if (byte < 0x80) return 1;
    if (byte < 0xE0) return 2;
    return byte < 0xF0 ? 3 : 4;
}

}  // namespace

void append_harmless(std::string_view text, std::string& out) {
    std::string repaired;
    if (!is_utf8(text)) {
        append_as_utf8(text, repaired);
        text = repaired;
    }
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = sequence_bytes(text[at]);
        const std::uint32_t point = code_point(text, at);
        if (is_harmful(point)) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", point);
        } else {
            out += text.substr(at, bytes);
        }
        at += bytes;
    }
}

std::string_view EventLine::text_of(const StoredEvent& event) {
    if (!event.is_json) {
        return line_ = fmt::format(
                   "{} ({} bytes of protobuf)", name_of(event.event_class), event.value.size()
               );
    }
    if (!fields_.parse(event.value)) return line_ = "(not an event)";
    return text_of(event.event_class, fields_);
}

std::string_view EventLine::text_of(EventClass event_class, const EventFields& fields) {
    line_.clear();
    blanks_ = 0;
    const std::optional<WallNanos> time = fields.time("timestamp");
    if (has_colours_) line_ += dim;
    line_ += time ? to_rfc3339(*time).substr(0, 23) + "Z" : std::string("-");
    if (has_colours_) line_ += plain;
    fmt::format_to(std::back_inserter(line_), " {:<11} ", name_of(event_class));
    if (has_colours_) line_ += bold;
    const std::string_view type = fields.text("event_type");
    append_harmless(type, line_);
    if (has_colours_) line_ += plain;
    line_.append(type.size() < 19 ? 19 - type.size() : 0, ' ');
    line_ += ' ';
    add_aligned(fields.text("session_id"), session_widest_, session_columns_max);
    add_facts(fields);
    add_usage(fields);
    return line_;
}

void EventLine::begin_fact() {
    line_.append(blanks_ + 1, ' ');
    blanks_ = 0;
}

void EventLine::add_aligned(std::string_view text, std::size_t& widest, std::size_t widest_max) {
    const std::size_t begin = line_.size();
    append_harmless(text, line_);
    const std::size_t width = line_.size() - begin;
    widest = std::max(widest, std::min(width, widest_max));
    blanks_ = width < widest ? widest - width : 0;
}

void EventLine::add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    begin_fact();
    line_ += name;
    line_ += '=';
    append_harmless(value, line_);
}

// A log record's name or severity of another form stands redacted and may be long.
void EventLine::add_head(std::string_view name, std::string_view value) {
    constexpr std::size_t bytes_max = 64;
    const std::string_view head = utf8_prefix(value, bytes_max);
    add(name, head);
    if (head.size() < value.size()) line_ += "…";
}

void EventLine::add_facts(const EventFields& fields) {
    constexpr std::array<std::array<std::string_view, 2>, 6> shown = {{
        {"tool", "tool_name"},
        {"model", "model"},
        {"chosen", "decision_chosen"},
        {"to", "handoff_target"},
        {"decision", "policy_decision"},
        {"reason", "termination_reason"},
    }};
    if (const std::string_view agent = fields.text("agent_name"); !agent.empty()) {
        begin_fact();
        line_ += "agent=";
        add_aligned(agent, agent_widest_, agent_columns_max);
    }
    for (const auto& [name, field] : shown)
        add(name, fields.text(field));
    add_head("event", fields.text("event_name"));
    add("signal", fields.text("signal"));
    add_head("severity", fields.text("severity"));
    const std::string_view outcome = fields.text("outcome");
    const bool is_bad = !outcome.empty() && outcome != "ok";
    if (is_bad && has_colours_) line_ += red;
    add("outcome", outcome);
    add("error", fields.text("error_class"));
    if (is_bad && has_colours_) line_ += plain;
    const std::optional<double> duration_ms = fields.real("duration_ms");
    if (!duration_ms) return;
    begin_fact();
    fmt::format_to(std::back_inserter(line_), "{:.0f}ms", *duration_ms);
}

void EventLine::add_usage(const EventFields& fields) {
    const std::optional<std::int64_t> prompt = fields.integer("tokens_prompt");
    const std::optional<std::int64_t> completion = fields.integer("tokens_completion");
    if (prompt || completion) {
        begin_fact();
        fmt::format_to(
            std::back_inserter(line_), "tokens={}+{}", prompt.value_or(0), completion.value_or(0)
        );
    }
    const std::optional<double> cost = fields.real("cost_usd");
    if (!cost) return;
    begin_fact();
    fmt::format_to(std::back_inserter(line_), "cost=${:.6f}", *cost);
}

}  // namespace spangate
