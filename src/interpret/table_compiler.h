// Makes a ConventionTable of a YAML tree. One object compiles one file and is then thrown away; its
// parts stand in compile_conditions.cc, compile_fields.cc, compile_content.cc, compile_rules.cc and
// compile_table.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/yaml_tree.h"
#include "interpret/convention_table.h"
#include "interpret/table_faults.h"

namespace spangate {

class TableCompiler {
  public:
    TableCompiler(ConventionTable& table, TableFaults& faults) : table_(table), faults_(faults) {}

    void compile(const YamlNode& root);

  private:
    // compile_conditions.cc. Each gives the index of the condition's first node.
    std::uint32_t compile_condition(const YamlNode& node);
    void append_condition(const YamlNode& node);
    void append_part(const YamlNode& map, const YamlNode& key, const YamlNode& value);
    void append_group(ConditionOp op, const YamlNode& list);
    void append_test(
        ConditionOp op, const YamlNode& map, const YamlNode& subject, bool test_is_optional
    );
    void append_event_types(const YamlNode& value);
    std::uint32_t compile_test(const YamlNode& map, const YamlNode& subject, bool is_optional);
    std::uint32_t add_texts(std::vector<std::string> texts, bool lower_case);
    std::uint32_t compile_regex(const YamlNode& node);
    [[nodiscard]] int regex_groups(std::uint32_t regex) const;
    std::uint32_t prefix_index(const YamlNode& node);
    std::optional<EventType> event_type(const YamlNode& node);
    EventTypes event_types(const YamlNode& node);

    // compile_fields.cc
    KeyId intern(const YamlNode& at, std::string_view key);
    FieldEntry compile_entry(const YamlNode& node, std::uint32_t convention);
    void compile_source(const YamlNode& node, FieldEntry& entry);
    void compile_options(const YamlNode& node, FieldEntry& entry);
    void name_key(const YamlNode& at, std::string_view key, FieldEntry& entry);
    FieldEntries compile_entries(const YamlNode& node, std::uint32_t convention);
    void compile_field_lists(const YamlNode& node, std::uint32_t convention, FieldLists& lists);
    void note_entry(TargetId target, const FieldEntry& entry, ConventionMask conventions);
    void compile_maps(const YamlNode& node);
    std::uint32_t map_index(const YamlNode& node);
    void compile_vocabularies(const YamlNode& node);
    void compile_session(const YamlNode& node);

    // compile_content.cc
    void compile_content(const YamlNode& node, std::uint32_t convention);
    void compile_span_event_content(const YamlNode& node, ConventionMask conventions);
    void add_key_rule(
        const YamlNode& at, std::string_view key, KeyNaming::What what, ConventionMask conventions
    );
    void add_prefix_rule(std::string_view prefix, KeyNaming::What what, ConventionMask conventions);
    void compile_roles(const YamlNode& node);
    RoleKeys compile_role_keys(const YamlNode& node);
    std::optional<ContentRole> role_named(const YamlNode& key);

    // compile_rules.cc
    void compile_conventions(const YamlNode& node);
    void compile_convention(const YamlNode& node, std::uint32_t index);
    void compile_detect(const YamlNode& node, std::uint32_t index);
    bool compile_quick_detector(const YamlNode& part, ConventionMask convention);
    void compile_rules(const YamlNode& node, bool one_slot, std::vector<Rule>& rules);
    Emit compile_emit(const YamlNode& node, bool one_slot);
    void compile_extra_events(const YamlNode& node, Convention& convention);
    void compile_event_names(const YamlNode& node, Convention& convention);
    void append_seen_rules(const YamlNode& conventions);
    void compile_overlays(const YamlNode& node);
    void compile_overlay(const YamlNode& node);
    void compile_repeat(const YamlNode& node, Overlay& overlay);
    void compile_set(const YamlNode& node, Overlay& overlay);

    // compile_table.cc
    void compile_usage(const YamlNode& node);
    void compile_dedupe(const YamlNode& node);
    void compile_cache_rules(const YamlNode& node);
    void compile_ordinary_keys(const YamlNode& node);
    [[nodiscard]] std::optional<std::uint32_t> convention_named(std::string_view id) const;

    ConventionTable& table_;
    TableFaults& faults_;
};

}  // namespace spangate
