#include "app/redact_report.h"

#include <algorithm>

#include "redact/json_tokens.h"

namespace spangate {
namespace {

constexpr bool starts_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

void append_text_member(std::string_view name, std::string_view text, std::string& out) {
    out += ",\"";
    out += name;
    out += "\":\"";
    append_json_escaped(text, out);
    out += '"';
}

void append_number_member(std::string_view name, std::size_t number, std::string& out) {
    out += ",\"";
    out += name;
    out += "\":";
    out += std::to_string(number);
}

void append_hit_json(
    const RedactReport& report, const RedactionHit& hit, const LineCounter& place, std::string& out
) {
    out += "{\"rule\":\"";
    append_json_escaped(report.rules.name(hit.rule), out);
    out += '"';
    append_text_member("action", name_of(action_of(report.rules, hit.rule)), out);
    append_text_member("place", name_of(hit.place), out);
    append_number_member("line", place.line(), out);
    append_number_member("column", place.column(), out);
    append_number_member("byte", hit.begin, out);
    append_number_member("bytes", hit.end - hit.begin, out);
    out += hit.is_exact ? ",\"exact\":true" : ",\"exact\":false";
    if (!hit.becomes.empty()) append_text_member("becomes", hit.becomes, out);
    out += '}';
}

}  // namespace

void LineCounter::go_to(std::size_t offset) {
    for (const std::size_t end = std::min(offset, text_.size()); at_ < end; ++at_) {
        if (text_[at_] == '\n') {
            ++line_;
            column_ = 1;
        } else if (starts_character(text_[at_])) {
            ++column_;
        }
    }
}

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string text_of(const RedactReport& report) {
    std::string out;
    LineCounter place(report.text, report.first_line);
    for (const RedactionHit& hit : report.hits) {
        place.go_to(hit.begin);
        const std::size_t size = characters_of(report.text.substr(hit.begin, hit.end - hit.begin));
        out += std::to_string(place.line()) + ":" + std::to_string(place.column()) + " (byte " +
               std::to_string(hit.begin) + ") ";
        out += report.rules.name(hit.rule);
        out += ": ";
        out += name_of(action_of(report.rules, hit.rule));
        out += hit.is_exact ? ", " : ", somewhere in ";
        out += std::to_string(size) + " characters of " + std::string(name_of(hit.place));
        if (!hit.becomes.empty()) out += ", becomes " + hit.becomes;
        out += '\n';
    }
    return out;
}

std::string json_of(const RedactReport& report) {
    std::string out = "{\"line\":" + std::to_string(report.first_line);
    append_text_member("ruleset", report.rules.version(), out);
    bool has_any = false;
    std::string counts;
    for (std::size_t rule = 0; rule < report.counts.size(); ++rule) {
        if (report.counts[rule] == 0) continue;
        counts += has_any ? ",\"" : "\"";
        append_json_escaped(report.rules.name(static_cast<RuleId>(rule)), counts);
        counts += "\":" + std::to_string(report.counts[rule]);
        has_any = true;
    }
    out +=
        report.redacted.data() == report.text.data() ? ",\"changed\":false" : ",\"changed\":true";
    out += ",\"counts\":{" + counts + "}";
    if (report.has_hits) {
        out += ",\"findings\":[";
        LineCounter place(report.text, report.first_line);
        for (std::size_t i = 0; i < report.hits.size(); ++i) {
            if (i > 0) out += ',';
            place.go_to(report.hits[i].begin);
            append_hit_json(report, report.hits[i], place, out);
        }
        out += ']';
    }
    append_text_member("redacted", report.redacted, out);
    out += '}';
    return out;
}

}  // namespace spangate
