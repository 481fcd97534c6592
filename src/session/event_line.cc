#include "session/event_line.h"

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
    line_.clear();
    if (!event.is_json) {
        return line_ = fmt::format(
                   "{} ({} bytes of protobuf)", name_of(event.event_class), event.value.size()
               );
    }
    if (!fields_.parse(event.value)) return line_ = "(not an event)";
    const std::optional<WallNanos> time = fields_.time("timestamp");
    if (has_colours_) line_ += dim;
    line_ += time ? to_rfc3339(*time).substr(0, 23) + "Z" : std::string("-");
    if (has_colours_) line_ += plain;
    fmt::format_to(std::back_inserter(line_), " {:<11} ", name_of(event.event_class));
    if (has_colours_) line_ += bold;
    const std::string_view type = fields_.text("event_type");
    append_harmless(type, line_);
    if (has_colours_) line_ += plain;
    line_.append(type.size() < 19 ? 19 - type.size() : 0, ' ');
    line_ += ' ';
    append_harmless(fields_.text("session_id"), line_);
    add_facts();
    add_usage();
    return line_;
}

void EventLine::add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    line_ += ' ';
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

void EventLine::add_facts() {
    constexpr std::array<std::array<std::string_view, 2>, 6> shown = {{
        {"agent", "agent_name"},
        {"tool", "tool_name"},
        {"model", "model"},
        {"to", "handoff_target"},
        {"decision", "policy_decision"},
        {"reason", "termination_reason"},
    }};
    for (const auto& [name, field] : shown)
        add(name, fields_.text(field));
    add_head("event", fields_.text("event_name"));
    add_head("severity", fields_.text("severity"));
    const std::string_view outcome = fields_.text("outcome");
    const bool is_bad = !outcome.empty() && outcome != "ok";
    if (is_bad && has_colours_) line_ += red;
    add("outcome", outcome);
    add("error", fields_.text("error_class"));
    if (is_bad && has_colours_) line_ += plain;
    const std::optional<double> duration_ms = fields_.real("duration_ms");
    if (duration_ms) fmt::format_to(std::back_inserter(line_), " {:.0f}ms", *duration_ms);
}

void EventLine::add_usage() {
    const std::optional<std::int64_t> prompt = fields_.integer("tokens_prompt");
    const std::optional<std::int64_t> completion = fields_.integer("tokens_completion");
    if (prompt || completion) {
        fmt::format_to(
            std::back_inserter(line_), " tokens={}+{}", prompt.value_or(0), completion.value_or(0)
        );
    }
    const std::optional<double> cost = fields_.real("cost_usd");
    if (cost) fmt::format_to(std::back_inserter(line_), " cost=${:.6f}", *cost);
}

}  // namespace spangate
