#include <algorithm>

#include <fmt/format.h>

#include "interpret/table_compiler.h"

namespace spangate {
namespace {

constexpr std::size_t emits_max = 8;

}  // namespace

void TableCompiler::compile_conventions(const YamlNode& node) {
    std::vector<const YamlNode*> in_order = faults_.list_of(node);
    if (in_order.empty() || in_order.size() > conventions_max) {
        faults_.add(node, fmt::format("between 1 and {} conventions are wanted", conventions_max));
        return;
    }
    const auto priority_of = [this](const YamlNode* convention) {
        const YamlNode* priority = convention->find("priority");
        return priority == nullptr ? std::int64_t{0} : faults_.integer_of(*priority);
    };
    for (const YamlNode* convention : in_order) {
        faults_.expect_map(
            *convention,
            {"id",
             "priority",
             "detect",
             "see",
             "event_name_from",
             "rules",
             "span_event_rules",
             "log_rules",
             "extra_events",
             "fields",
             "content"}
        );
        const YamlNode* id = convention->find("id");
        if (id == nullptr) faults_.add(*convention, "a convention needs an id");
        if (convention->find("priority") == nullptr) {
            faults_.add(*convention, "a convention needs a priority");
        }
    }
    std::stable_sort(in_order.begin(), in_order.end(), [&](const YamlNode* a, const YamlNode* b) {
        return priority_of(a) < priority_of(b);
    });
    table_.conventions.resize(in_order.size());
    for (std::uint32_t i = 0; i < in_order.size(); ++i) {
        const YamlNode* id = in_order[i]->find("id");
        const std::string name = id == nullptr ? std::string() : faults_.text_of(*id);
        if (convention_named(name))
            faults_.add(*in_order[i], fmt::format("'{}' stands twice", name));
        table_.conventions[i].id = name;
        table_.conventions[i].priority = priority_of(in_order[i]);
        if (name == "fallback") table_.fallback = i;
    }
    for (std::uint32_t i = 0; i < in_order.size(); ++i)
        compile_convention(*in_order[i], i);
    if (table_.fallback == no_index) faults_.add(node, "no convention 'fallback'");
    append_seen_rules(node);
}

void TableCompiler::compile_convention(const YamlNode& node, std::uint32_t index) {
    Convention& convention = table_.conventions[index];
    if (const YamlNode* detect = node.find("detect")) {
        compile_detect(*detect, index);
    } else {
        faults_.add(node, "a convention needs detect");
    }
    if (const YamlNode* names = node.find("event_name_from"))
        compile_event_names(*names, convention);
    if (const YamlNode* rules = node.find("rules")) compile_rules(*rules, false, convention.rules);
    if (const YamlNode* rules = node.find("log_rules")) {
        compile_rules(*rules, true, convention.log_rules);
    }
    if (const YamlNode* rules = node.find("span_event_rules")) {
        if (rules->is_scalar() && rules->scalar == "same_as_log_rules") {
            convention.span_event_rules = convention.log_rules;
        } else {
            compile_rules(*rules, true, convention.span_event_rules);
        }
    }
    if (const YamlNode* extra = node.find("extra_events")) compile_extra_events(*extra, convention);
    if (const YamlNode* fields = node.find("fields")) {
        compile_field_lists(*fields, index, convention.fields);
    }
    if (const YamlNode* content = node.find("content")) compile_content(*content, index);
}

void TableCompiler::append_seen_rules(const YamlNode& conventions) {
    const std::vector<Convention> own = table_.conventions;
    const auto append = [](auto& to, const auto& from) {
        to.insert(to.end(), from.begin(), from.end());
    };
    for (const YamlNode* node : faults_.list_of(conventions)) {
        const YamlNode* see = node->find("see");
        const YamlNode* id = node->find("id");
        if (see == nullptr || id == nullptr) continue;
        Convention& convention = table_.conventions[*convention_named(id->scalar)];
        for (const YamlNode* name : faults_.list_of(*see)) {
            const std::optional<std::uint32_t> seen = convention_named(name->scalar);
            if (!seen) {
                faults_.add(*name, fmt::format("no convention '{}'", name->scalar));
                continue;
            }
            append(convention.rules, own[*seen].rules);
            append(convention.span_event_rules, own[*seen].span_event_rules);
            append(convention.log_rules, own[*seen].log_rules);
            append(convention.extra_events, own[*seen].extra_events);
        }
    }
    const auto tells_a_tool = [](const Rule& rule) {
        return std::any_of(rule.emit.begin(), rule.emit.end(), [](const Emit& emit) {
            return is_tool_event(emit.type);
        });
    };
    for (std::size_t i = 0; i < table_.conventions.size(); ++i) {
        const std::vector<Rule>& rules = table_.conventions[i].log_rules;
        const std::vector<Rule>& of_events = table_.conventions[i].span_event_rules;
        const bool joins = std::any_of(rules.begin(), rules.end(), [](const Rule& rule) {
            return rule.joins_span;
        });
        if (joins) table_.joining |= ConventionMask{1} << i;
        const bool tells_tools = std::any_of(rules.begin(), rules.end(), tells_a_tool) ||
                                 std::any_of(of_events.begin(), of_events.end(), tells_a_tool);
        if (tells_tools) table_.tool_telling |= ConventionMask{1} << i;
    }
}

// Most conventions are recognised by a key, a scope or the resource alone; only what is left needs
// a look at each span.
void TableCompiler::compile_detect(const YamlNode& node, std::uint32_t index) {
    const ConventionMask convention = ConventionMask{1} << index;
    const YamlNode* any = node.find("any");
    const bool is_any = any != nullptr && node.entries.size() == 1;
    const std::vector<const YamlNode*> parts =
        is_any ? faults_.list_of(*any) : std::vector<const YamlNode*>{&node};
    std::vector<const YamlNode*> rest;
    for (const YamlNode* part : parts) {
        if (!compile_quick_detector(*part, convention)) rest.push_back(part);
    }
    if (rest.empty()) return;
    const auto first = static_cast<std::uint32_t>(table_.conditions.size());
    table_.conditions.push_back({.op = ConditionOp::any});
    for (const YamlNode* part : rest)
        append_condition(*part);
    table_.conditions[first].end = static_cast<std::uint32_t>(table_.conditions.size());
    table_.conventions[index].detect = first;
    table_.with_residue |= convention;
}

bool TableCompiler::compile_quick_detector(const YamlNode& part, ConventionMask convention) {
    if (!part.is_map()) return false;
    const YamlNode* attribute = part.find("attr");
    const YamlNode* exists = part.find("exists");
    if (attribute != nullptr && exists != nullptr && part.entries.size() == 2) {
        if (exists->scalar != "true") return false;
        table_.facts[intern(*attribute, faults_.text_of(*attribute))].detects |= convention;
        return true;
    }
    if (part.find("resource") != nullptr && part.entries.size() == 2) {
        table_.resource_detectors.push_back({compile_condition(part), convention});
        return true;
    }
    if (part.entries.size() != 1) return false;
    if (const YamlNode* prefix = part.find("attr_prefix")) {
        const std::uint32_t index = prefix_index(*prefix);
        if (index < table_.prefixes.size()) table_.prefixes[index].second |= convention;
        return true;
    }
    for (const std::string_view word : {"scope", "scope_prefix"}) {
        const YamlNode* scope = part.find(word);
        if (scope == nullptr) continue;
        table_.scope_detectors.push_back(
            {faults_.text_of(*scope), word == "scope_prefix", convention}
        );
        return true;
    }
    const YamlNode* name = part.find("name_regex");
    if (name == nullptr || name->scalar != ".*") return false;
    table_.always |= convention;
    return true;
}

void TableCompiler::compile_rules(const YamlNode& node, bool one_slot, std::vector<Rule>& rules) {
    for (const YamlNode* item : faults_.list_of(node)) {
        faults_.expect_map(*item, {"when", "emit", "evidence_only", "joins_span", "incidental"});
        const YamlNode* when = item->find("when");
        const YamlNode* emit = item->find("emit");
        if (when == nullptr || emit == nullptr) {
            faults_.add(*item, "a rule needs when and emit");
            continue;
        }
        Rule rule;
        rule.line = item->place.line;
        rule.when = compile_condition(*when);
        for (const YamlNode* entry : faults_.list_of(*emit)) {
            rule.emit.push_back(compile_emit(*entry, one_slot));
        }
        if (const YamlNode* only = item->find("evidence_only")) {
            rule.evidence_only = faults_.flag_of(*only).value_or(false);
        }
        if (const YamlNode* joins = item->find("joins_span")) {
            rule.joins_span = faults_.flag_of(*joins).value_or(false);
        }
        if (const YamlNode* incidental = item->find("incidental")) {
            rule.incidental = faults_.flag_of(*incidental).value_or(false);
        }
        if (rule.emit.size() > emits_max) faults_.add(*emit, "more than 8 events");
        if (!one_slot && rule.emit.empty()) faults_.add(*emit, "a rule for spans emits an event");
        const auto ends = std::count_if(rule.emit.begin(), rule.emit.end(), [](const Emit& entry) {
            return entry.at_end;
        });
        const auto starts = static_cast<std::ptrdiff_t>(rule.emit.size()) - ends;
        // The slot is part of the event id.
        if (!one_slot && (ends > 1 || starts > 1)) {
            faults_.add(*emit, "two events of one span at the same end of it");
        }
        rules.push_back(std::move(rule));
    }
}

Emit TableCompiler::compile_emit(const YamlNode& node, bool one_slot) {
    faults_.expect_map(node, {"event", "at", "counted", "usage_role", "unless_handed_off"});
    Emit emit;
    if (!node.is_map()) return emit;
    const YamlNode* type = node.find("event");
    if (type == nullptr) {
        faults_.add(node, "an event is wanted here");
    } else if (type->scalar.starts_with('@')) {
        emit.type_is_attribute = true;
        emit.type_key = intern(*type, std::string_view(type->scalar).substr(1));
    } else {
        emit.type = event_type(*type).value_or(EventType::other);
    }
    const YamlNode* at = node.find("at");
    if (at != nullptr && at->scalar != "start" && at->scalar != "end") {
        faults_.add(*at, "start or end is wanted here");
    }
    if (at == nullptr && !one_slot) faults_.add(node, "`at` is wanted here: start or end");
    emit.at_end = at == nullptr || at->scalar == "end";
    if (const YamlNode* counted = node.find("counted")) emit.counted = faults_.flag_of(*counted);
    if (const YamlNode* role = node.find("usage_role")) {
        const auto* found =
            std::find(usage_role_names.begin(), usage_role_names.end(), role->scalar);
        if (found == usage_role_names.end()) {
            faults_.add(*role, "call, aggregate or twin is wanted here");
        } else {
            emit.usage_role = static_cast<UsageRole>(found - usage_role_names.begin());
        }
    }
    if (const YamlNode* other = node.find("unless_handed_off")) {
        emit.unless_handed_off = event_type(*other);
    }
    return emit;
}

void TableCompiler::compile_extra_events(const YamlNode& node, Convention& convention) {
    for (const YamlNode* item : faults_.list_of(node)) {
        faults_.expect_map(*item, {"name", "when", "emit"});
        const YamlNode* name = item->find("name");
        const YamlNode* when = item->find("when");
        const YamlNode* emit = item->find("emit");
        if (name == nullptr || when == nullptr || emit == nullptr) {
            faults_.add(*item, "an extra event needs name, when and emit");
            continue;
        }
        ExtraEvent extra;
        extra.line = item->place.line;
        extra.name = faults_.text_of(*name);
        extra.when = compile_condition(*when);
        for (const YamlNode* entry : faults_.list_of(*emit)) {
            extra.types.push_back(compile_emit(*entry, true).type);
        }
        convention.extra_events.push_back(std::move(extra));
    }
}

void TableCompiler::compile_event_names(const YamlNode& node, Convention& convention) {
    for (const YamlNode* item : faults_.list_of(node)) {
        faults_.expect_map(*item, {"record", "key", "add_prefix"});
        EventNameSource source;
        const YamlNode* record = item->find("record");
        const YamlNode* key = item->find("key");
        if (key != nullptr) {
            source.from = EventNameSource::From::key;
            source.key = intern(*key, faults_.text_of(*key));
        } else if (record != nullptr && record->scalar == "body") {
            source.from = EventNameSource::From::body;
        } else if (record == nullptr || record->scalar != "event_name") {
            faults_.add(*item, "record: event_name, record: body or key: K is wanted here");
        }
        if (const YamlNode* prefix = item->find("add_prefix")) {
            source.add_prefix = faults_.text_of(*prefix);
        }
        convention.event_name_from.push_back(std::move(source));
    }
}

}  // namespace spangate
