#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "interpret/table_compiler.h"

namespace spangate {
namespace {

constexpr std::size_t keys_max = 65'535;  // KeyId 0 is «not named»
constexpr std::string_view every_element = "*";

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        c = ascii_lower(c);
    return result;
}

// RFC 6901: ~1 stands for / and ~0 for ~.
std::string unescaped(std::string_view segment) {
    std::string result;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        const bool escape = segment[i] == '~' && i + 1 < segment.size();
        if (escape && (segment[i + 1] == '0' || segment[i + 1] == '1')) {
            result.push_back(segment[++i] == '0' ? '~' : '/');
        } else {
            result.push_back(segment[i]);
        }
    }
    return result;
}

std::vector<std::string> segments_of(std::string_view pointer) {
    std::vector<std::string> segments;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);  // the slash
        const std::size_t size = std::min(pointer.find('/'), pointer.size());
        segments.push_back(unescaped(pointer.substr(0, size)));
        pointer.remove_prefix(size);
    }
    return segments;
}

// What may not be fed from telemetry: the gateway makes it.
bool is_made(TargetId target) {
    return target < fields_count && field_table[target].form == FieldForm::made;
}

}  // namespace

KeyId TableCompiler::intern(const YamlNode& at, std::string_view key) {
    if (table_.keys.empty()) {
        table_.keys.emplace_back();
        table_.facts.emplace_back();
    }
    const auto [found, is_new] = table_.ids.try_emplace(std::string(key), KeyId{0});
    if (!is_new) return found->second;
    if (table_.keys.size() > keys_max) {
        faults_.add(at, "more than 65,535 keys are named");
        return 0;
    }
    found->second = static_cast<KeyId>(table_.keys.size());
    table_.keys.emplace_back(key);
    table_.facts.emplace_back().id = found->second;
    return found->second;
}

void TableCompiler::name_key(const YamlNode& at, std::string_view key, FieldEntry& entry) {
    if (key.empty()) faults_.add(at, "an empty key");
    entry.label = key;
    if (!KeyPattern::is_one(key)) {
        entry.key = intern(at, key);
        return;
    }
    entry.source = FieldEntry::Source::pattern;
    for (std::size_t i = 0; i < table_.patterns.size(); ++i) {
        if (table_.patterns[i].text == key) entry.pattern = static_cast<std::uint32_t>(i);
    }
    if (entry.pattern != no_index) return;
    entry.pattern = static_cast<std::uint32_t>(table_.patterns.size());
    table_.patterns.push_back({std::string(key)});
}

void TableCompiler::compile_source(const YamlNode& node, FieldEntry& entry) {
    using Source = FieldEntry::Source;
    const YamlNode* key = node.find("key");
    if (const YamlNode* event = node.find("span_event")) {
        entry.span_event = faults_.text_of(*event);
        if (key == nullptr) return faults_.add(node, "span_event needs a key");
        entry.key = intern(*key, faults_.text_of(*key));
        entry.source = Source::span_event;
        return;
    }
    if (key != nullptr) return name_key(*key, faults_.text_of(*key), entry);
    if (const YamlNode* resource = node.find("resource")) {
        entry.source = Source::resource;
        entry.key = intern(*resource, faults_.text_of(*resource));
        entry.label = resource->scalar;
        return;
    }
    if (const YamlNode* regex = node.find("name_regex")) {
        entry.source = Source::name_regex;
        entry.regex = compile_regex(*regex);
        return;
    }
    const YamlNode* span = node.find("span");
    if (span == nullptr)
        return faults_.add(node, "no key, resource, span, name_regex or span_event");
    if (span->scalar == "name") {
        entry.source = Source::span_name;
    } else if (span->scalar == "status_message") {
        entry.source = Source::span_status_message;
    } else if (span->scalar == "kind") {
        entry.source = Source::span_kind;
    } else if (span->scalar == "status") {
        entry.source = Source::span_status;
    } else {
        faults_.add(*span, "one of name, status_message, kind, status is wanted here");
    }
}

void TableCompiler::compile_options(const YamlNode& node, FieldEntry& entry) {
    if (const YamlNode* json = node.find("json")) {
        if (!json->scalar.starts_with('/')) faults_.add(*json, "a JSON pointer begins with /");
        entry.pointer = segments_of(json->scalar);
        entry.label += json->scalar;
        const auto stars = std::count(entry.pointer.begin(), entry.pointer.end(), every_element);
        if (stars > 1) faults_.add(*json, "at most one * in a pointer");
    }
    if (const YamlNode* index = node.find("index")) {
        entry.item_index = static_cast<std::uint32_t>(faults_.integer_of(*index));
    }
    if (const YamlNode* regex = node.find("regex")) entry.regex = compile_regex(*regex);
    if (const YamlNode* group = node.find("group")) {
        entry.group = static_cast<int>(faults_.integer_of(*group));
        const int groups = entry.regex == no_index ? 0 : regex_groups(entry.regex);
        if (entry.group < 0 || entry.group > groups)
            faults_.add(*group, "no such group in the regex");
    }
    if (const YamlNode* add = node.find("add")) entry.add = faults_.number_of(*add);
    if (const YamlNode* scale = node.find("scale")) entry.scale = faults_.number_of(*scale);
    if (const YamlNode* map = node.find("map")) entry.map = map_index(*map);
    if (const YamlNode* keyed = node.find("keyed")) entry.keyed = faults_.text_of(*keyed);
    if (const YamlNode* when = node.find("when")) entry.when = compile_condition(*when);
}

FieldEntry TableCompiler::compile_entry(const YamlNode& node, std::uint32_t convention) {
    FieldEntry entry;
    entry.convention = convention;
    entry.line = node.place.line;
    if (node.is_scalar()) {
        name_key(node, node.scalar, entry);
        return entry;
    }
    faults_.expect_map(
        node,
        {"key",
         "resource",
         "span",
         "name_regex",
         "span_event",
         "json",
         "index",
         "regex",
         "group",
         "add",
         "scale",
         "map",
         "keyed",
         "when"}
    );
    if (!node.is_map()) return entry;
    compile_source(node, entry);
    compile_options(node, entry);
    return entry;
}

FieldEntries TableCompiler::compile_entries(const YamlNode& node, std::uint32_t convention) {
    FieldEntries entries;
    for (const YamlNode* item : faults_.list_of(node)) {
        entries.push_back(compile_entry(*item, convention));
    }
    return entries;
}

void TableCompiler::compile_field_lists(
    const YamlNode& node, std::uint32_t convention, FieldLists& lists
) {
    const ConventionMask conventions =
        convention == no_index ? common_bit : ConventionMask{1} << convention;
    for (const auto& [key, value] : node.entries) {
        const std::optional<TargetId> target = target_from(key.scalar);
        if (!target) {
            faults_.add(key, fmt::format("unknown field '{}'", key.scalar));
            continue;
        }
        if (is_made(*target)) {
            faults_.add(key, fmt::format("'{}' is made by the gateway", key.scalar));
            continue;
        }
        lists[*target] = compile_entries(value, convention);
        for (const FieldEntry& entry : lists[*target])
            note_entry(*target, entry, conventions);
    }
}

// A key that a field takes whole may stand in detail; one that only a part is lifted from stays
// what it was, which is content unless another list says otherwise.
void TableCompiler::note_entry(
    TargetId target, const FieldEntry& entry, ConventionMask conventions
) {
    using What = KeyNaming::What;
    const bool is_pattern = entry.source == FieldEntry::Source::pattern;
    const bool is_key = is_pattern || entry.source == FieldEntry::Source::attribute ||
                        entry.source == FieldEntry::Source::span_event ||
                        entry.source == FieldEntry::Source::resource;
    if (!is_key) return;
    What what = What::mapped;
    if (target == target::user_id) what = What::identity;
    if (target == target::error_message || target == target::eval_explanation) what = What::content;
    if (is_pattern) {
        const KeyPattern& pattern = table_.patterns[entry.pattern];
        table_.key_rules.push_back({What::names_agent, false, pattern, conventions});
        if (entry.takes_whole_value())
            table_.key_rules.push_back({what, false, pattern, conventions});
        return;
    }
    KeyFacts& facts = table_.facts[entry.key];
    if (entry.source == FieldEntry::Source::attribute) facts.names_agent = true;
    if (!entry.takes_whole_value()) return;
    if (what == What::identity) facts.identity |= conventions;
    if (what == What::mapped) facts.mapped |= conventions;
    if (what == What::content) facts.content |= conventions;
}

void TableCompiler::compile_maps(const YamlNode& node) {
    for (const auto& [name, rows] : node.entries) {
        if (!rows.is_map()) {
            faults_.add(rows, "a value map is a map");
            continue;
        }
        if (name.scalar == "operation_by_event") {
            for (const auto& [type_name, operation] : rows.entries) {
                if (const std::optional<EventType> type = event_type(type_name)) {
                    table_.operation_by_event[static_cast<std::size_t>(*type)] = operation.scalar;
                }
            }
            continue;
        }
        ValueMap map;
        map.name = name.scalar;
        map.folds_separators = name.scalar == "finish_reason";
        for (const auto& [raw, canonical] : rows.entries) {
            map.values.emplace(lower(raw.scalar), faults_.text_of(canonical));
        }
        table_.maps.push_back(std::move(map));
    }
}

std::uint32_t TableCompiler::map_index(const YamlNode& node) {
    for (std::size_t i = 0; i < table_.maps.size(); ++i) {
        if (table_.maps[i].name == node.scalar) return static_cast<std::uint32_t>(i);
    }
    faults_.add(node, fmt::format("no map '{}'", node.scalar));
    return no_index;
}

void TableCompiler::compile_vocabularies(const YamlNode& node) {
    for (const auto& [name, row] : node.entries) {
        const YamlNode* map = row.find("map");
        const YamlNode* values = row.find("values");
        const YamlNode* unknown = row.find("unknown");
        if (map == nullptr && values == nullptr) continue;
        const std::optional<TargetId> target = target_from(name.scalar);
        if (!target) {
            if (map != nullptr) faults_.add(name, fmt::format("unknown field '{}'", name.scalar));
            continue;
        }
        Vocabulary vocabulary;
        if (map != nullptr) vocabulary.map = map_index(*map);
        if (values != nullptr) {
            vocabulary.unknown = Vocabulary::Unknown::replace;
            vocabulary.replacement = "other";
            for (const std::string& value : faults_.texts_of(*values)) {
                vocabulary.values.emplace(lower(value), value);
            }
        }
        if (unknown != nullptr && unknown->scalar == "absent") {
            vocabulary.unknown = Vocabulary::Unknown::absent;
        } else if (unknown != nullptr) {
            vocabulary.unknown = Vocabulary::Unknown::replace;
            vocabulary.replacement = faults_.text_of(*unknown);
        }
        table_.vocabularies[*target] = std::move(vocabulary);
    }
}

void TableCompiler::compile_session(const YamlNode& node) {
    faults_.expect_map(
        node,
        {"span_keys",
         "baggage_keys",
         "resource_keys",
         "transport_session_keys",
         "binding",
         "alias",
         "reject",
         "conflict"}
    );
    const auto read_keys = [this](const YamlNode* list, FieldEntries& entries) {
        if (list == nullptr) return;
        for (FieldEntry& entry : compile_entries(*list, no_index)) {
            entries.push_back(std::move(entry));
        }
        for (const FieldEntry& entry : entries)
            note_entry(target::session_id, entry, common_bit);
    };
    read_keys(node.find("span_keys"), table_.session_keys);
    if (const YamlNode* keys = node.find("resource_keys")) {
        for (const YamlNode* item : faults_.list_of(*keys)) {
            FieldEntry entry;
            entry.line = item->place.line;
            entry.source = FieldEntry::Source::resource;
            entry.key = intern(*item, faults_.text_of(*item));
            entry.label = item->scalar;
            note_entry(target::session_id, entry, common_bit);
            table_.resource_session_keys.push_back(std::move(entry));
        }
    }
    const YamlNode* reject = node.find("reject");
    if (reject == nullptr) return;
    faults_.expect_map(*reject, {"values", "integer_only_keys"});
    if (const YamlNode* values = reject->find("values")) {
        for (const std::string& value : faults_.texts_of(*values)) {
            table_.session_reject.values.push_back(lower(value));
        }
    }
    if (const YamlNode* keys = reject->find("integer_only_keys")) {
        table_.session_reject.integer_only_keys = faults_.texts_of(*keys);
    }
}

}  // namespace spangate
