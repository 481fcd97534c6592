#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.h"
#include "interpret/table_compiler.h"

namespace spangate {
namespace {

constexpr std::size_t prefixes_max = 64;  // bits of KeyFacts::prefixes

constexpr std::array<std::string_view, 6> test_words = {
    "exists", "eq", "in", "prefix", "regex", "gt"};

constexpr std::array<std::pair<std::string_view, ConditionOp>, 6> text_ops = {{
    {"scope", ConditionOp::scope},
    {"scope_prefix", ConditionOp::scope_prefix},
    {"name", ConditionOp::name},
    {"name_prefix", ConditionOp::name_prefix},
    {"event_name", ConditionOp::event_name},
    {"event_prefix", ConditionOp::event_prefix},
}};

bool is_test_word(std::string_view word) {
    return std::find(test_words.begin(), test_words.end(), word) != test_words.end();
}

std::string lower(std::string text) {
    for (char& c : text)
        c = ascii_lower(c);
    return text;
}

template <std::size_t Count>
std::optional<std::uint32_t> bit_named(
    const std::array<std::string_view, Count>& names, std::string_view name
) {
    for (std::size_t i = 0; i < Count; ++i) {
        if (names[i] == name) return std::uint32_t{1} << i;
    }
    return std::nullopt;
}

}  // namespace

std::uint32_t TableCompiler::compile_condition(const YamlNode& node) {
    const auto first = static_cast<std::uint32_t>(table_.conditions.size());
    append_condition(node);
    return first;
}

// A map's entries are ANDed; the words of a test belong to the subject beside them.
void TableCompiler::append_condition(const YamlNode& node) {
    if (!node.is_map()) {
        faults_.add(node, "a condition is a map");
        table_.conditions.push_back(
            {.end = static_cast<std::uint32_t>(table_.conditions.size()) + 1}
        );
        return;
    }
    const auto parts =
        std::count_if(node.entries.begin(), node.entries.end(), [](const auto& entry) {
            return !is_test_word(entry.first.scalar);
        });
    if (parts == 0) faults_.add(node, "a condition needs something to test");
    const std::size_t first = table_.conditions.size();
    if (parts != 1) table_.conditions.push_back({.op = ConditionOp::all});
    for (const auto& [key, value] : node.entries) {
        if (!is_test_word(key.scalar)) append_part(node, key, value);
    }
    if (parts != 1) {
        table_.conditions[first].end = static_cast<std::uint32_t>(table_.conditions.size());
    }
}

void TableCompiler::append_group(ConditionOp op, const YamlNode& list) {
    const std::size_t first = table_.conditions.size();
    table_.conditions.push_back({.op = op});
    for (const YamlNode* item : faults_.list_of(list))
        append_condition(*item);
    table_.conditions[first].end = static_cast<std::uint32_t>(table_.conditions.size());
}

void TableCompiler::append_part(const YamlNode& map, const YamlNode& key, const YamlNode& value) {
    const std::string& word = key.scalar;
    if (word == "all") return append_group(ConditionOp::all, value);
    if (word == "any") return append_group(ConditionOp::any, value);
    if (word == "not") return append_group(ConditionOp::negate, value);
    if (word == "attr") return append_test(ConditionOp::attribute, map, value, false);
    if (word == "resource") return append_test(ConditionOp::resource, map, value, false);
    if (word == "span_event_attr") {
        return append_test(ConditionOp::span_event_attribute, map, value, false);
    }
    if (word == "field") return append_test(ConditionOp::field, map, value, false);
    if (word == "event") return append_event_types(value);

    ConditionNode node;
    node.end = static_cast<std::uint32_t>(table_.conditions.size()) + 1;
    const auto* text_op = std::find_if(text_ops.begin(), text_ops.end(), [&](const auto& entry) {
        return entry.first == word;
    });
    if (text_op != text_ops.end()) {
        node.op = text_op->second;
        const bool ignores_case =
            node.op == ConditionOp::event_name || node.op == ConditionOp::event_prefix;
        node.index = add_texts(faults_.texts_of(value), ignores_case);
    } else if (word == "name_regex" || word == "message_regex") {
        const bool is_any = word == "name_regex" && value.scalar == ".*";
        node.op = is_any                 ? ConditionOp::always
                  : word == "name_regex" ? ConditionOp::name_regex
                                         : ConditionOp::message_regex;
        if (!is_any) node.index = compile_regex(value);
    } else if (word == "kind" || word == "status") {
        node.op = word == "kind" ? ConditionOp::kind : ConditionOp::status;
        for (const YamlNode* item : faults_.list_of(value)) {
            const std::optional<std::uint32_t> bit =
                word == "kind" ? bit_named(span_kind_names, lower(item->scalar))
                               : bit_named(status_code_names, lower(item->scalar));
            if (!bit) faults_.add(*item, fmt::format("unknown {} '{}'", word, item->scalar));
            node.bits |= bit.value_or(0);
        }
    } else if (word == "root" || word == "in_span") {
        node.op = word == "root" ? ConditionOp::root : ConditionOp::in_span;
        node.flag = faults_.flag_of(value).value_or(false);
    } else if (word == "attr_prefix") {
        node.op = ConditionOp::attribute_prefix;
        node.index = prefix_index(value);
    } else {
        faults_.add(key, fmt::format("unknown condition '{}'", word));
    }
    table_.conditions.push_back(node);
}

void TableCompiler::append_test(
    ConditionOp op, const YamlNode& map, const YamlNode& subject, bool test_is_optional
) {
    ConditionNode node;
    node.op = op;
    node.end = static_cast<std::uint32_t>(table_.conditions.size()) + 1;
    if (op == ConditionOp::field) {
        const std::optional<FieldId> field = field_from(subject.scalar);
        if (!field) faults_.add(subject, fmt::format("unknown field '{}'", subject.scalar));
        node.field = field.value_or(FieldId::env);
    } else {
        node.key = intern(subject, faults_.text_of(subject));
    }
    node.index = compile_test(map, subject, test_is_optional);
    table_.conditions.push_back(node);
}

void TableCompiler::append_event_types(const YamlNode& value) {
    ConditionNode node;
    node.op = ConditionOp::has_event;
    node.end = static_cast<std::uint32_t>(table_.conditions.size()) + 1;
    node.bits = event_types(value);
    table_.conditions.push_back(node);
}

std::uint32_t TableCompiler::compile_test(
    const YamlNode& map, const YamlNode& subject, bool is_optional
) {
    ValueTest test;
    std::size_t words = 0;
    for (const auto& [key, value] : map.entries) {
        if (!is_test_word(key.scalar)) continue;
        ++words;
        if (key.scalar == "exists") {
            test.kind = faults_.flag_of(value).value_or(true) ? ValueTest::Kind::present
                                                              : ValueTest::Kind::absent;
        } else if (key.scalar == "regex") {
            test.kind = ValueTest::Kind::matches;
            test.regex = compile_regex(value);
        } else if (key.scalar == "gt") {
            test.kind = ValueTest::Kind::greater;
            test.number = faults_.number_of(value);
        } else {
            test.kind = key.scalar == "prefix" ? ValueTest::Kind::prefix : ValueTest::Kind::any_of;
            for (const std::string& text : faults_.texts_of(value))
                test.texts.push_back(lower(text));
        }
    }
    if (words != 1 && !(is_optional && words == 0)) {
        faults_.add(
            subject, "exactly one of exists, eq, in, prefix, regex, gt is wanted beside this"
        );
    }
    table_.tests.push_back(std::move(test));
    return static_cast<std::uint32_t>(table_.tests.size() - 1);
}

std::uint32_t TableCompiler::add_texts(std::vector<std::string> texts, bool lower_case) {
    if (lower_case) {
        for (std::string& text : texts)
            text = lower(std::move(text));
    }
    table_.texts.push_back(std::move(texts));
    return static_cast<std::uint32_t>(table_.texts.size() - 1);
}

std::uint32_t TableCompiler::compile_regex(const YamlNode& node) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto regex = std::make_unique<re2::RE2>(faults_.text_of(node), options);
    if (!regex->ok()) faults_.add(node, fmt::format("no RE2 pattern: {}", regex->error()));
    table_.regexes.push_back(std::move(regex));
    return static_cast<std::uint32_t>(table_.regexes.size() - 1);
}

int TableCompiler::regex_groups(std::uint32_t regex) const {
    return table_.regexes[regex]->NumberOfCapturingGroups();
}

std::uint32_t TableCompiler::prefix_index(const YamlNode& node) {
    const std::string prefix = faults_.text_of(node);
    for (std::size_t i = 0; i < table_.prefixes.size(); ++i) {
        if (table_.prefixes[i].first == prefix) return static_cast<std::uint32_t>(i);
    }
    if (table_.prefixes.size() == prefixes_max) {
        faults_.add(node, "more than 64 different attr_prefix tests");
        return 0;
    }
    table_.prefixes.emplace_back(prefix, 0);
    return static_cast<std::uint32_t>(table_.prefixes.size() - 1);
}

std::optional<EventType> TableCompiler::event_type(const YamlNode& node) {
    const std::optional<EventType> type = event_type_from(faults_.text_of(node));
    if (type && *type != EventType::session_alias && *type != EventType::gateway_gap) return type;
    faults_.add(node, fmt::format("no event type that a client may cause: '{}'", node.scalar));
    return std::nullopt;
}

EventTypes TableCompiler::event_types(const YamlNode& node) {
    EventTypes types = 0;
    for (const YamlNode* item : faults_.list_of(node)) {
        if (const std::optional<EventType> type = event_type(*item)) types |= bit(*type);
    }
    return types;
}

}  // namespace spangate
