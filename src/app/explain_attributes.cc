// The part of the text report that tells of attributes: what is content and why, and what is not.
#include <algorithm>

#include <fmt/format.h>

#include "app/explain_text.h"
#include "base/text.h"

namespace spangate {
namespace {

constexpr std::size_t text_column = 14;
constexpr std::size_t key_width_max = 44;
constexpr std::size_t bytes_width = 11;
constexpr std::size_t shown_content_bytes_max = 400;

std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

}  // namespace

// Columns on a terminal: continuation bytes take none.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
    }));
}

// What is content, whose role it is, and why. Keys of one prefix or pattern are told together.
std::vector<AttributeReport> ExplainText::grouped(const std::vector<AttributeReport>& all) {
    std::vector<AttributeReport> rows;
    std::vector<std::size_t> members;
    for (const AttributeReport& one : all) {
        if (one.treatment != "content" && one.treatment != "identity") continue;
        const auto same = std::find_if(rows.begin(), rows.end(), [&](const AttributeReport& row) {
            return !one.pattern.empty() && !one.value && row.pattern == one.pattern &&
                   row.list == one.list && row.role == one.role && row.place == one.place;
        });
        if (same == rows.end()) {
            rows.push_back(one);
            members.push_back(1);
            continue;
        }
        same->bytes += one.bytes;
        ++members[static_cast<std::size_t>(same - rows.begin())];
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool is_own = rows[i].place == "span" || rows[i].place == "log";
        if (members[i] > 1) rows[i].key = fmt::format("{} ({} keys)", rows[i].pattern, members[i]);
        if (!is_own) rows[i].key = fmt::format("{} · {}", rows[i].place, rows[i].key);
    }
    return rows;
}

void ExplainText::content(const std::vector<AttributeReport>& all) {
    const std::vector<AttributeReport> rows = grouped(all);
    if (rows.empty()) return;
    std::size_t keys = 0;
    for (const AttributeReport& row : rows) {
        const std::size_t width = width_of(row.key);
        if (width <= key_width_max) keys = std::max(keys, width);
    }
    const std::size_t bytes_column = text_column + keys + 1;
    const std::size_t why_column = bytes_column + bytes_width + 2;
    label("content");
    for (const AttributeReport& row : rows) {
        pad_to(text_column);
        wrapped(row.key, text_column + 2);
        pad_to(bytes_column);
        put(fmt::format("{:>9} B", with_commas(row.bytes)), Style::dim);
        pad_to(why_column);
        std::string why = row.role.empty() ? "" : row.role + " · ";
        if (row.treatment == "identity") why += "a person's id, published as a keyed hash · ";
        why += row.list.empty() ? "no table names it (deny by default)" : row.list;
        wrapped(why, why_column + 2, row.list.empty() ? Style::hint : Style::dim);
        end_line();
        if (!row.value) continue;
        pad_to(text_column + 2);
        wrapped(utf8_prefix(*row.value, shown_content_bytes_max), text_column + 2);
        end_line();
    }
}

void ExplainText::named(const std::vector<AttributeReport>& all, std::string_view treatment) {
    std::string keys;
    for (const AttributeReport& one : all) {
        if (one.treatment != treatment) continue;
        const bool is_of_event = one.place.starts_with("event ");
        keys += keys.empty() ? "" : ", ";
        keys += is_of_event ? fmt::format("{}·{}", one.place.substr(6), one.key) : one.key;
    }
    if (keys.empty()) return;
    label(treatment);
    wrapped(keys, text_column, Style::dim);
    end_line();
}

void ExplainText::attributes(const std::vector<AttributeReport>& all) {
    content(all);
    named(all, "mapped");
    named(all, "plain");
    // Of a dropped item nothing stands anywhere; what no table names is worth a look.
    std::string unnamed;
    for (const AttributeReport& one : all) {
        if (one.treatment.empty() && one.list.empty())
            unnamed += (unnamed.empty() ? "" : ", ") + one.key;
    }
    if (unnamed.empty()) return;
    label("unnamed");
    wrapped(unnamed, text_column, Style::hint);
    end_line();
}

}  // namespace spangate
