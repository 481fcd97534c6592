#include "interpret/table_faults.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "config/read_settings.h"

namespace spangate {
namespace {

constexpr std::array<std::string_view, 12> for_people = {
    "about",
    "title",
    "note",
    "traps",
    "aliases",
    "proposed",
    "metrics",
    "correlation",
    "redacted_marker",
    "twins",
    "policy",
    "updated"};

}  // namespace

void TableFaults::add(const YamlNode& at, std::string_view what) {
    if (lines_.size() == lines_max) {
        ++left_out_;
        return;
    }
    lines_.push_back(fmt::format("{}:{}:{}: {}", file_name_, at.place.line, at.place.column, what));
}

std::string TableFaults::text() const {
    std::string text = fmt::format("{}", fmt::join(lines_, "\n"));
    if (left_out_ > 0) text += fmt::format("\n{}: {} more faults", file_name_, left_out_);
    return text;
}

void TableFaults::expect_map(const YamlNode& node, std::initializer_list<std::string_view> known) {
    if (!node.is_map()) {
        add(node, "a map is wanted here");
        return;
    }
    for (const auto& [key, value] : node.entries) {
        if (std::find(known.begin(), known.end(), key.scalar) != known.end()) continue;
        if (std::find(for_people.begin(), for_people.end(), key.scalar) != for_people.end())
            continue;
        const std::string near = nearest_word(key.scalar, {known.begin(), known.end()});
        const std::string advice = near.empty()
                                       ? fmt::format("known here: {}", fmt::join(known, ", "))
                                       : fmt::format("did you mean '{}'?", near);
        add(key, fmt::format("unknown key '{}'; {}", key.scalar, advice));
    }
}

std::string TableFaults::text_of(const YamlNode& node) {
    if (!node.is_scalar()) {
        add(node, "a text is wanted here");
        return {};
    }
    return node.scalar;
}

std::optional<bool> TableFaults::flag_of(const YamlNode& node) {
    if (node.is_scalar() && node.scalar == "true") return true;
    if (node.is_scalar() && node.scalar == "false") return false;
    add(node, "true or false is wanted here");
    return std::nullopt;
}

double TableFaults::number_of(const YamlNode& node) {
    double number = 0;
    const char* end = node.scalar.data() + node.scalar.size();
    const auto [stopped, error] = std::from_chars(node.scalar.data(), end, number);
    if (!node.is_scalar() || error != std::errc() || stopped != end) {
        add(node, "a number is wanted here");
    }
    return number;
}

std::int64_t TableFaults::integer_of(const YamlNode& node) {
    std::int64_t number = 0;
    const char* end = node.scalar.data() + node.scalar.size();
    const auto [stopped, error] = std::from_chars(node.scalar.data(), end, number);
    if (!node.is_scalar() || error != std::errc() || stopped != end) {
        add(node, "a whole number is wanted here");
    }
    return number;
}

std::vector<const YamlNode*> TableFaults::list_of(const YamlNode& node) {
    std::vector<const YamlNode*> items;
    if (!node.is_sequence()) {
        if (node.kind != YamlNode::Kind::null) items.push_back(&node);
        return items;
    }
    for (const YamlNode& item : node.items)
        items.push_back(&item);
    return items;
}

std::vector<std::string> TableFaults::texts_of(const YamlNode& node) {
    std::vector<std::string> texts;
    for (const YamlNode* item : list_of(node))
        texts.push_back(text_of(*item));
    return texts;
}

}  // namespace spangate
