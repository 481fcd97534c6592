// The compiled form of the conventions table. Every key that the table names has a KeyId;
// conditions are a flat program; what an attribute key means is one KeyFacts, so that a span costs
// one hash lookup an attribute. Built by compile_table.h, read by the rest of this room; immutable.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "interpret/condition_program.h"
#include "model/event_type.h"
#include "model/field.h"
#include "model/span_view.h"

namespace re2 {
class RE2;
}

namespace spangate {

// Bit i stands for the i-th convention in the order of `priority`.
using ConventionMask = std::uint64_t;
inline constexpr std::size_t conventions_max = 62;
inline constexpr ConventionMask common_bit = ConventionMask{1} << 63;  // what holds for all

// What a field list may feed: a field of the contract, or an input that is never published as such.
using TargetId = std::uint8_t;

namespace target {
inline constexpr TargetId session_id = fields_count;
inline constexpr TargetId tenant_id = fields_count + 1;
inline constexpr TargetId user_id = fields_count + 2;
inline constexpr TargetId model_responded = fields_count + 3;
inline constexpr TargetId error_message = fields_count + 4;
inline constexpr TargetId policy_reason = fields_count + 5;
inline constexpr TargetId eval_explanation = fields_count + 6;
}  // namespace target

inline constexpr std::size_t targets_count = fields_count + 7;

[[nodiscard]] std::optional<TargetId> target_from(std::string_view name);

[[nodiscard]] constexpr TargetId target_of(FieldId id) {
    return static_cast<TargetId>(id);
}

// fields ────────────────────────────────────────────────────────────────────────────────────────

struct FieldEntry {
    enum class Source : std::uint8_t {
        attribute,
        pattern,
        resource,
        span_name,
        span_status_message,
        span_kind,
        span_status,
        name_regex,
        span_event,
    };

    Source source = Source::attribute;
    KeyId key = 0;
    std::uint32_t pattern = no_index;     // of patterns, with {N} for an index
    std::string span_event;               // name of the span event that has the key
    std::vector<std::string> pointer;     // json: unescaped segments; `*` = every element
    std::uint32_t item_index = no_index;  // of an array
    std::uint32_t regex = no_index;
    int group = 0;
    double add = 0;
    double scale = 1;
    std::uint32_t map = no_index;
    std::string keyed;              // prefix of a keyed reference
    std::uint32_t when = no_index;  // condition
    std::uint32_t convention = no_index;
    std::string label;       // the key as session_source names it
    std::uint32_t line = 0;  // of the table's file

    // The attribute's value is taken whole, so the key itself is a mapped one.
    [[nodiscard]] bool takes_whole_value() const {
        return pointer.empty() && regex == no_index && keyed.empty();
    }
};

using FieldEntries = std::vector<FieldEntry>;
using FieldLists = std::array<FieldEntries, targets_count>;

// Looks up by view, so that no text is copied.
struct TextHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>()(text);
    }
};

using TextMap = std::unordered_map<std::string, std::string, TextHash, std::equal_to<>>;

// raw value → canonical; raw is lower-cased first.
struct ValueMap {
    std::string name;
    bool folds_separators = false;  // '-' and ' ' count as '_' in the raw value
    TextMap values;
};

// What a field does with a value that no map knows.
struct Vocabulary {
    enum class Unknown : std::uint8_t { keep, absent, replace };

    std::uint32_t map = no_index;
    TextMap values;  // lower case → as it is written
    Unknown unknown = Unknown::keep;
    std::string replacement;
};

// rules ─────────────────────────────────────────────────────────────────────────────────────────

enum class UsageRole : std::uint8_t { call, aggregate, twin };
inline constexpr std::array<std::string_view, 3> usage_role_names = {"call", "aggregate", "twin"};

struct Emit {
    EventType type = EventType::other;
    bool type_is_attribute = false;  // `@event_type`: the value of that attribute
    KeyId type_key = 0;
    bool at_end = true;
    std::optional<bool> counted;
    std::optional<UsageRole> usage_role;
    std::optional<EventType> unless_handed_off;
};

[[nodiscard]] constexpr bool is_tool_event(EventType type) {
    return type == EventType::tool_request || type == EventType::tool_response;
}

struct Rule {
    std::uint32_t when = 0;
    std::vector<Emit> emit;
    bool evidence_only = false;
    bool joins_span = false;  // log records: the record and its span are one call
    bool incidental = false;  // kept only with something to tell, as what only `fallback` matches
    std::uint32_t line = 0;   // of the table's file
};

struct ExtraEvent {
    std::string name;
    std::uint32_t when = 0;
    std::vector<EventType> types;
    std::uint32_t line = 0;  // of the table's file
};

struct EventNameSource {
    enum class From : std::uint8_t { event_name, body, key };

    From from = From::event_name;
    KeyId key = 0;
    std::string add_prefix;
};

// A key of a role list: an attribute, every attribute of a family (`llm.input_messages.**`), or an
// attribute of a span event.
struct RoleKey {
    KeyId key = 0;
    std::uint32_t family = no_index;
    std::string span_event;
};

using RoleKeys = std::vector<RoleKey>;

struct RoleList {
    ContentRole role = ContentRole::other;
    EventTypes on = all_event_types;
    EventTypes not_on = 0;
    RoleKeys keys;
};

struct Convention {
    std::string id;
    std::int64_t priority = 0;
    std::uint32_t detect = no_index;  // condition; no_index: keys, scope and resource say it all
    std::vector<EventNameSource> event_name_from;
    std::vector<Rule> rules;
    std::vector<Rule> span_event_rules;
    std::vector<Rule> log_rules;
    std::vector<ExtraEvent> extra_events;
    FieldLists fields;
    std::array<RoleKeys, content_role_names.size()> roles;
    bool input_includes_cache = true;  // tokens_prompt as sent has cache reads and writes in it
};

// What makes a convention hold without looking at a span's own attributes.
struct ScopeDetector {
    std::string text;
    bool is_prefix = false;
    ConventionMask conventions = 0;
};

struct ResourceDetector {
    std::uint32_t when = 0;
    ConventionMask conventions = 0;
};

struct RepeatTest {
    EventType event = EventType::other;
    std::vector<FieldId> same_fields;
    bool same_parent = false;    // parent_span_id
    bool same_session = false;   // session_id
    std::string outcome;         // of the earlier event
    bool previous_only = false;  // any other outcome in between ends the chain
    std::int64_t within_s = 600;
};

struct OverlaySet {
    FieldId field{};
    std::string text;                   // a literal value
    std::optional<FieldId> from_field;  // "@tool_name"
    bool is_occurrence = false;         // "@occurrence"
};

struct Overlay {
    std::string name;
    std::uint32_t when = no_index;
    std::optional<RepeatTest> repeat;
    std::vector<OverlaySet> set;
    std::vector<EventType> also;
    EventTypes unless_event = 0;
    std::uint32_t line = 0;  // of the table's file
};

// content ───────────────────────────────────────────────────────────────────────────────────────

struct PatternHit {
    std::uint32_t pattern = 0;
    std::uint32_t number = 0;  // what {N} stood for; the first when there are several
};

// What the table says of one attribute key. Trivially destructible: a lane may keep it in an arena.
struct KeyFacts {
    static constexpr std::size_t hits_max = 4;

    KeyId id = 0;
    bool is_plain = false;
    bool names_agent = false;    // marks a span as an agent's, whatever convention holds
    ConventionMask detects = 0;  // conventions that hold when the key is there
    ConventionMask content = 0;
    ConventionMask exceptions = 0;
    ConventionMask mapped = 0;
    ConventionMask identity = 0;
    std::uint64_t prefixes = 0;               // `attr_prefix` tests that it satisfies
    std::uint64_t families = 0;               // `**` families of roles that it belongs to
    std::array<PatternHit, hits_max> hits{};  // field patterns that it matches
    std::uint8_t hits_count = 0;
};

// A key pattern: `{N}` a decimal index, `{*}` one dotted segment, a trailing `**` anything.
struct KeyPattern {
    std::string text;

    [[nodiscard]] static bool is_one(std::string_view text);
    [[nodiscard]] bool matches(std::string_view key, std::uint32_t& number) const;
};

// A rule about keys that no exact name says.
struct KeyNaming {
    enum class What : std::uint8_t { content, exception, mapped, identity, names_agent, plain };

    What what = What::content;
    bool is_prefix = false;  // else `pattern`
    KeyPattern pattern;
    ConventionMask conventions = 0;
};

struct SpanEventContent {
    std::string name;
    bool all = false;
    std::vector<KeyId> keys;
    ConventionMask conventions = 0;
};

struct SessionReject {
    std::vector<std::string> values;  // ASCII lower case
    std::vector<std::string> integer_only_keys;
};

struct UsageDefault {
    bool counted = false;
    UsageRole role = UsageRole::aggregate;
};

struct TwinScopes {
    std::string drop;
    bool drop_is_prefix = false;
    std::string keep;
    bool keep_is_prefix = false;
};

struct ConventionTable {
    ConventionTable();
    ~ConventionTable();
    ConventionTable(const ConventionTable&) = delete;
    ConventionTable& operator=(const ConventionTable&) = delete;

    // keys[id] is the key's text and facts[id] what it means; index 0 is unused.
    std::vector<std::string> keys;
    std::vector<KeyFacts> facts;
    std::unordered_map<std::string, KeyId> ids;

    std::vector<KeyNaming> key_rules;
    std::vector<KeyPattern> ordinary_keys;                         // never `names_agent`
    std::vector<std::pair<std::string, ConventionMask>> prefixes;  // of attr_prefix; bit = index
    std::vector<std::string> families;                             // key prefixes of `**`
    std::vector<KeyPattern> patterns;                              // of field entries

    std::vector<ConditionNode> conditions;
    std::vector<std::vector<std::string>> texts;
    std::vector<ValueTest> tests;
    std::vector<std::unique_ptr<re2::RE2>> regexes;

    std::vector<ValueMap> maps;
    std::array<std::optional<Vocabulary>, targets_count> vocabularies;
    std::array<std::string, event_types_count> operation_by_event;

    std::vector<Convention> conventions;  // by priority
    std::uint32_t fallback = no_index;    // the convention that holds always
    ConventionMask always = 0;            // conventions that hold whatever the span is
    std::vector<ScopeDetector> scope_detectors;
    std::vector<ResourceDetector> resource_detectors;
    ConventionMask with_residue = 0;  // conventions whose `detect` condition must be run
    ConventionMask joining = 0;       // conventions with a log rule that joins a span
    ConventionMask tool_telling =
        0;  // conventions whose log records or span events tell tool calls

    FieldLists common_fields;
    FieldEntries session_keys;
    FieldEntries resource_session_keys;
    SessionReject session_reject;
    std::vector<RoleList> roles;
    std::vector<SpanEventContent> span_event_content;
    std::vector<std::pair<std::string, ContentRole>> log_bodies;  // by the record's name
    std::vector<KeyId> resource_content;
    std::vector<std::uint32_t> drop_partial;        // conditions
    std::vector<std::uint32_t> drop_partial_lines;  // their lines in the table's file
    std::array<std::optional<UsageDefault>, event_types_count> usage_defaults;
    std::vector<TwinScopes> twin_scopes;
    std::vector<Overlay> overlays;
    std::size_t repeats_count = 0;  // events that overlays with `repeat` may add

    // What is known of any key, named or not.
    [[nodiscard]] KeyFacts facts_of(std::string_view key) const;
};

}  // namespace spangate
