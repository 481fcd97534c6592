#include <fmt/format.h>

#include "interpret/table_compiler.h"

namespace spangate {

void TableCompiler::compile_overlays(const YamlNode& node) {
    for (const YamlNode* item : faults_.list_of(node))
        compile_overlay(*item);
}

void TableCompiler::compile_overlay(const YamlNode& node) {
    faults_.expect_map(node, {"name", "when", "set", "also", "unless_event"});
    const YamlNode* name = node.find("name");
    const YamlNode* when = node.find("when");
    if (name == nullptr || when == nullptr)
        return faults_.add(node, "an overlay needs name and when");
    Overlay overlay;
    overlay.line = node.place.line;
    overlay.name = faults_.text_of(*name);
    if (const YamlNode* repeat = when->find("repeat")) {
        if (when->entries.size() != 1) faults_.add(*when, "repeat stands alone");
        compile_repeat(*repeat, overlay);
    } else {
        overlay.when = compile_condition(*when);
    }
    if (const YamlNode* set = node.find("set")) compile_set(*set, overlay);
    if (const YamlNode* also = node.find("also")) {
        for (const YamlNode* entry : faults_.list_of(*also)) {
            overlay.also.push_back(compile_emit(*entry, true).type);
        }
    }
    if (const YamlNode* unless = node.find("unless_event")) {
        overlay.unless_event = event_types(*unless);
    }
    if (overlay.repeat) table_.repeats_count += overlay.also.size();
    table_.overlays.push_back(std::move(overlay));
}

void TableCompiler::compile_repeat(const YamlNode& node, Overlay& overlay) {
    faults_.expect_map(node, {"event", "same", "outcome", "previous_outcome", "within_s"});
    RepeatTest repeat;
    if (const YamlNode* event = node.find("event")) {
        repeat.event = event_type(*event).value_or(EventType::other);
    } else {
        faults_.add(node, "repeat needs an event");
    }
    if (const YamlNode* same = node.find("same")) {
        for (const YamlNode* item : faults_.list_of(*same)) {
            if (item->scalar == "parent_span_id") {
                repeat.same_parent = true;
            } else if (item->scalar == "session_id") {
                repeat.same_session = true;
            } else if (const std::optional<FieldId> field = field_from(item->scalar)) {
                repeat.same_fields.push_back(*field);
            } else {
                faults_.add(*item, fmt::format("unknown field '{}'", item->scalar));
            }
        }
    }
    for (const std::string_view word : {"outcome", "previous_outcome"}) {
        const YamlNode* outcome = node.find(word);
        if (outcome == nullptr) continue;
        repeat.outcome = faults_.text_of(*outcome);
        repeat.previous_only = word == "previous_outcome";
    }
    if (const YamlNode* within = node.find("within_s")) {
        repeat.within_s = faults_.integer_of(*within);
    }
    overlay.repeat = std::move(repeat);
}

void TableCompiler::compile_set(const YamlNode& node, Overlay& overlay) {
    for (const auto& [name, value] : node.entries) {
        const std::optional<FieldId> field = field_from(name.scalar);
        if (!field) {
            faults_.add(name, fmt::format("unknown field '{}'", name.scalar));
            continue;
        }
        OverlaySet set;
        set.field = *field;
        const std::string text = faults_.text_of(value);
        set.is_occurrence = text == "@occurrence";
        if (text.starts_with('@') && !set.is_occurrence) {
            set.from_field = field_from(std::string_view(text).substr(1));
            if (!set.from_field) faults_.add(value, fmt::format("unknown field '{}'", text));
        } else {
            set.text = text;
        }
        const FieldType wanted = set.is_occurrence ? FieldType::integer : FieldType::text;
        if (info(*field).type != wanted) faults_.add(name, "this field cannot be set so");
        overlay.set.push_back(std::move(set));
    }
}

}  // namespace spangate
