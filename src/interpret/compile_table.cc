#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "digest/sha256.h"
#include "interpret/conventions.h"
#include "interpret/table_compiler.h"

namespace spangate {
namespace {

constexpr std::string_view schema_name = "agent-semantics/2";
constexpr std::size_t rules_hash_size = 12;

std::string rules_hash_of(std::string_view text) {
    return to_hex(Sha256().add(text).finish()).substr(0, rules_hash_size);
}

}  // namespace

void TableCompiler::compile(const YamlNode& root) {
    faults_.expect_map(
        root,
        {"schema",
         "event_types",
         "fields",
         "session_id",
         "maps",
         "common_fields",
         "content",
         "span_names",
         "content_roles",
         "usage",
         "drop_partial",
         "dedupe",
         "overlays",
         "conventions",
         "input_includes_cache",
         "plain_keys",
         "ordinary_keys"}
    );
    if (!root.is_map()) return;
    const YamlNode* schema = root.find("schema");
    if (schema == nullptr || schema->scalar != schema_name) {
        faults_.add(root, fmt::format("schema: {} is wanted", schema_name));
    }
    const YamlNode nothing;
    const auto section = [&](std::string_view name) -> const YamlNode& {
        const YamlNode* found = root.find(name);
        return found == nullptr ? nothing : *found;
    };
    if (root.find("conventions") == nullptr) faults_.add(root, "no conventions");
    // Entries name maps, and rules name keys: each list after what it refers to.
    compile_maps(section("maps"));
    compile_vocabularies(section("fields"));
    if (const YamlNode* session = root.find("session_id")) compile_session(*session);
    compile_field_lists(section("common_fields"), no_index, table_.common_fields);
    if (const YamlNode* content = root.find("content")) compile_content(*content, no_index);
    compile_roles(section("content_roles"));
    if (const YamlNode* conventions = root.find("conventions")) compile_conventions(*conventions);
    compile_usage(section("usage"));
    for (const YamlNode* condition : faults_.list_of(section("drop_partial"))) {
        table_.drop_partial.push_back(compile_condition(*condition));
        table_.drop_partial_lines.push_back(condition->place.line);
    }
    compile_dedupe(section("dedupe"));
    compile_cache_rules(section("input_includes_cache"));
    compile_overlays(section("overlays"));
    for (const YamlNode* key : faults_.list_of(section("plain_keys"))) {
        add_key_rule(*key, faults_.text_of(*key), KeyNaming::What::plain, common_bit);
    }
    compile_ordinary_keys(section("ordinary_keys"));
}

void TableCompiler::compile_usage(const YamlNode& node) {
    const YamlNode* defaults = node.find("defaults");
    if (defaults == nullptr) return;
    for (const auto& [name, row] : defaults->entries) {
        const std::optional<EventType> type = event_type(name);
        faults_.expect_map(row, {"counted", "usage_role"});
        const YamlNode* counted = row.find("counted");
        const YamlNode* role = row.find("usage_role");
        if (!type || counted == nullptr || role == nullptr) continue;
        const auto* found =
            std::find(usage_role_names.begin(), usage_role_names.end(), role->scalar);
        if (found == usage_role_names.end()) {
            faults_.add(*role, "call, aggregate or twin is wanted here");
            continue;
        }
        table_.usage_defaults[static_cast<std::size_t>(*type)] = {
            faults_.flag_of(*counted).value_or(false),
            static_cast<UsageRole>(found - usage_role_names.begin())};
    }
}

void TableCompiler::compile_dedupe(const YamlNode& node) {
    const YamlNode* scopes = node.find("inference_twin_scopes");
    if (scopes == nullptr) return;
    const auto read = [this](const YamlNode* scope, std::string& text, bool& is_prefix) {
        if (scope == nullptr) return;
        text = faults_.text_of(*scope);
        is_prefix = text.ends_with('*');
        if (is_prefix) text.pop_back();
    };
    for (const YamlNode* row : faults_.list_of(*scopes)) {
        faults_.expect_map(*row, {"drop_usage_of", "keep"});
        TwinScopes twins;
        read(row->find("drop_usage_of"), twins.drop, twins.drop_is_prefix);
        read(row->find("keep"), twins.keep, twins.keep_is_prefix);
        if (twins.drop.empty() || twins.keep.empty()) {
            faults_.add(*row, "drop_usage_of and keep are wanted here");
        }
        table_.twin_scopes.push_back(std::move(twins));
    }
    if (table_.twin_scopes.size() > 32) faults_.add(*scopes, "more than 32 pairs of scopes");
}

void TableCompiler::compile_cache_rules(const YamlNode& node) {
    for (const auto& [name, value] : node.entries) {
        const bool includes = faults_.flag_of(value).value_or(true);
        if (name.scalar == "default") {
            for (Convention& convention : table_.conventions) {
                if (node.find(convention.id) == nullptr) convention.input_includes_cache = includes;
            }
        } else if (const std::optional<std::uint32_t> index = convention_named(name.scalar)) {
            table_.conventions[*index].input_includes_cache = includes;
        } else {
            faults_.add(name, fmt::format("no convention '{}'", name.scalar));
        }
    }
}

// Keys that spans of any program carry: alone they do not make a span an agent's.
void TableCompiler::compile_ordinary_keys(const YamlNode& node) {
    for (std::string& key : faults_.texts_of(node)) {
        table_.ordinary_keys.push_back({std::move(key)});
    }
}

std::optional<std::uint32_t> TableCompiler::convention_named(std::string_view id) const {
    for (std::size_t i = 0; i < table_.conventions.size(); ++i) {
        if (table_.conventions[i].id == id) return static_cast<std::uint32_t>(i);
    }
    return std::nullopt;
}

Conventions::Conventions(std::unique_ptr<const ConventionTable> table, std::string rules_hash)
    : table_(std::move(table)),
      rules_hash_(std::move(rules_hash)) {}

Conventions::~Conventions() = default;

Result<std::shared_ptr<const Conventions>> load_conventions(
    std::string_view yaml, std::string_view name
) {
    const Result<YamlNode> root = parse_yaml(yaml, name);
    if (!root) return tl::unexpected<Error>(root.error());
    auto table = std::make_unique<ConventionTable>();
    TableFaults faults(name);
    TableCompiler(*table, faults).compile(*root);
    if (!faults.empty()) return fail(ErrorCode::invalid_argument, faults.text());
    return std::make_shared<const Conventions>(std::move(table), rules_hash_of(yaml));
}

}  // namespace spangate
