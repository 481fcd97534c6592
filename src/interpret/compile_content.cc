#include <fmt/format.h>

#include "interpret/table_compiler.h"

namespace spangate {
namespace {

constexpr std::size_t families_max = 64;  // bits of KeyFacts::families
constexpr std::string_view family_mark = "**";

}  // namespace

void TableCompiler::add_key_rule(
    const YamlNode& at, std::string_view key, KeyNaming::What what, ConventionMask conventions
) {
    if (KeyPattern::is_one(key)) {
        table_.key_rules.push_back({what, false, {std::string(key)}, conventions});
        return;
    }
    KeyFacts& facts = table_.facts[intern(at, key)];
    switch (what) {
        case KeyNaming::What::content:
            facts.content |= conventions;
            facts.names_agent = true;
            return;
        case KeyNaming::What::exception:
            facts.exceptions |= conventions;
            return;
        case KeyNaming::What::mapped:
            facts.mapped |= conventions;
            return;
        case KeyNaming::What::identity:
            facts.identity |= conventions;
            return;
        case KeyNaming::What::names_agent:
            facts.names_agent = true;
            return;
        case KeyNaming::What::plain:
            facts.is_plain = true;
            return;
    }
}

void TableCompiler::add_prefix_rule(
    std::string_view prefix, KeyNaming::What what, ConventionMask conventions
) {
    table_.key_rules.push_back({what, true, {std::string(prefix)}, conventions});
}

void TableCompiler::compile_content(const YamlNode& node, std::uint32_t convention) {
    using What = KeyNaming::What;
    faults_.expect_map(
        node,
        {"keys",
         "prefixes",
         "patterns",
         "exceptions",
         "span_events",
         "log_bodies",
         "span_status_message",
         "span_name",
         "resource_keys",
         "tracestate",
         "link_attributes",
         "roles"}
    );
    const ConventionMask conventions =
        convention == no_index ? common_bit : ConventionMask{1} << convention;
    for (const std::string_view list : {"keys", "patterns"}) {
        const YamlNode* keys = node.find(list);
        if (keys == nullptr) continue;
        for (const YamlNode* key : faults_.list_of(*keys)) {
            add_key_rule(*key, faults_.text_of(*key), What::content, conventions);
        }
    }
    if (const YamlNode* prefixes = node.find("prefixes")) {
        for (const std::string& prefix : faults_.texts_of(*prefixes)) {
            if (prefix.empty()) faults_.add(*prefixes, "an empty prefix");
            add_prefix_rule(prefix, What::content, conventions);
            add_prefix_rule(prefix, What::names_agent, conventions);
        }
    }
    if (const YamlNode* exceptions = node.find("exceptions")) {
        for (const YamlNode* key : faults_.list_of(*exceptions)) {
            add_key_rule(*key, faults_.text_of(*key), What::exception, conventions);
        }
    }
    if (const YamlNode* events = node.find("span_events")) {
        compile_span_event_content(*events, conventions);
    }
    if (const YamlNode* keys = node.find("resource_keys")) {
        for (const YamlNode* key : faults_.list_of(*keys)) {
            table_.resource_content.push_back(intern(*key, faults_.text_of(*key)));
        }
    }
    if (const YamlNode* bodies = node.find("log_bodies")) {
        for (const auto& [name, role] : bodies->entries) {
            const std::optional<ContentRole> known = role_named(role);
            if (known) table_.log_bodies.emplace_back(name.scalar, *known);
        }
    }
    const YamlNode* roles = node.find("roles");
    if (roles == nullptr) return;
    if (convention == no_index) return faults_.add(*roles, "common roles stand in content_roles");
    for (const auto& [name, keys] : roles->entries) {
        if (const std::optional<ContentRole> role = role_named(name)) {
            table_.conventions[convention].roles[static_cast<std::size_t>(*role)] =
                compile_role_keys(keys);
        }
    }
}

void TableCompiler::compile_span_event_content(const YamlNode& node, ConventionMask conventions) {
    for (const auto& [name, keys] : node.entries) {
        SpanEventContent content;
        content.name = name.scalar;
        content.conventions = conventions;
        content.all = keys.is_scalar() && keys.scalar == "all";
        if (!content.all) {
            for (const YamlNode* key : faults_.list_of(keys)) {
                content.keys.push_back(intern(*key, faults_.text_of(*key)));
            }
        }
        table_.span_event_content.push_back(std::move(content));
    }
}

std::optional<ContentRole> TableCompiler::role_named(const YamlNode& key) {
    for (std::size_t i = 1; i < content_role_names.size(); ++i) {
        if (content_role_names[i] == key.scalar) return static_cast<ContentRole>(i);
    }
    faults_.add(key, fmt::format("unknown role '{}'", key.scalar));
    return std::nullopt;
}

RoleKeys TableCompiler::compile_role_keys(const YamlNode& node) {
    RoleKeys keys;
    for (const YamlNode* item : faults_.list_of(node)) {
        RoleKey key;
        if (item->is_map()) {
            faults_.expect_map(*item, {"span_event", "key", "span"});
            const YamlNode* event = item->find("span_event");
            const YamlNode* name = item->find("key");
            // The status message always has the role `error`; it is no attribute.
            if (event == nullptr || name == nullptr) continue;
            key.span_event = faults_.text_of(*event);
            key.key = intern(*name, faults_.text_of(*name));
        } else if (item->scalar.ends_with(family_mark)) {
            const std::string prefix =
                item->scalar.substr(0, item->scalar.size() - family_mark.size());
            if (table_.families.size() == families_max) {
                faults_.add(*item, "more than 64 families");
                continue;
            }
            key.family = static_cast<std::uint32_t>(table_.families.size());
            for (std::size_t i = 0; i < table_.families.size(); ++i) {
                if (table_.families[i] == prefix) key.family = static_cast<std::uint32_t>(i);
            }
            if (key.family == table_.families.size()) table_.families.push_back(prefix);
        } else {
            key.key = intern(*item, faults_.text_of(*item));
        }
        keys.push_back(std::move(key));
    }
    return keys;
}

void TableCompiler::compile_roles(const YamlNode& node) {
    for (const auto& [name, row] : node.entries) {
        const std::optional<ContentRole> role = role_named(name);
        faults_.expect_map(row, {"on", "not_on", "keys"});
        const YamlNode* keys = row.find("keys");
        if (!role || keys == nullptr) continue;
        RoleList list;
        list.role = *role;
        if (const YamlNode* on = row.find("on")) list.on = event_types(*on);
        if (const YamlNode* not_on = row.find("not_on")) list.not_on = event_types(*not_on);
        list.keys = compile_role_keys(*keys);
        table_.roles.push_back(std::move(list));
    }
}

}  // namespace spangate
