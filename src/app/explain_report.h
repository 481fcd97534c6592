// What `spangate explain` says, as plain data: the same for people (explain_text.h) and machines
// (explain_json.h). Made of what the rooms noted (interpret/explanation.h) and of what may be
// published (the redactor's release); holds no content unless it was asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpret/explanation.h"
#include "model/batch.h"
#include "redact/rule_set.h"

namespace spangate {

struct FieldReport {
    std::string name;
    std::string value;  // as published
    std::string raw;    // as sent, where it says more and is fit to be shown
    std::string kind;   // key, overlay, derived, computed
    std::string from;   // the key, the overlay's name, or how it was made
    std::string list;   // the convention whose list has the key, or `common`
    std::uint32_t line = 0;
    bool is_text = true;
};

struct EventReport {
    std::string type;
    std::string made_as;  // when it is another now
    std::string because;  // why it is
    std::string at;       // start, end
    std::string event_id;
    bool is_primary = false;
    std::string made;  // rule, span_event, …
    std::string name;  // of the overlay, extra event or span event
    std::string convention;
    std::uint32_t line = 0;
    std::optional<std::uint32_t> span_event;
    std::vector<FieldReport> fields;  // that a span event tells for itself
};

struct AttributeReport {
    std::string place;  // span, event, log, resource, scope
    std::string key;
    std::string treatment;  // content, plain, mapped, identity; empty: the item was dropped
    std::string role;
    std::string list;     // that names it; empty: no table does
    std::string pattern;  // the list's prefix or pattern
    std::uint64_t bytes = 0;
    std::optional<std::string> value;  // with --show-content
};

struct SessionReport {
    std::string id;
    std::string bound_by;  // own, ancestor, root, …
    std::string source;    // the key
    std::string because;   // the same in a sentence
    std::string from_span;
    std::vector<std::pair<std::string, std::string>> other_keys;  // and what became of each
};

struct ItemReport {
    std::string kind;  // span, log, alias
    std::size_t number = 0;
    std::string trace_id;
    std::string span_id;
    std::string parent_span_id;
    std::string name;
    std::string span_kind;
    std::string status;
    std::optional<double> duration_ms;
    std::string fate;     // kept, dropped_other, dropped_partial
    std::string because;  // why it was dropped
    std::string convention;
    std::uint32_t rule_line = 0;                               // 0: no rule matched
    std::vector<std::pair<std::string, std::string>> holding;  // conventions, and by what
    std::vector<EventReport> events;
    std::vector<FieldReport> fields;
    std::string tenant;
    std::string tenant_because;
    SessionReport session;
    std::vector<AttributeReport> attributes;
    std::string twin_because;
};

struct ExplainTotals {
    std::size_t bodies = 0;
    std::size_t items = 0;
    std::size_t rejected = 0;
    std::size_t dropped_other = 0;
    std::size_t dropped_partial = 0;
    std::size_t aliases = 0;
    std::map<std::string, std::size_t> events;
    std::map<std::string, std::size_t> conventions;
    std::map<std::string, std::size_t> sessions;      // by how they were found
    std::map<std::string, std::size_t> unnamed_keys;  // «place key»

    void add(const ItemReport& item);
    void add_unnamed(const std::vector<AttributeReport>& attributes);
};

// Makes reports of one batch after the other. References outlive it.
class ExplainReporter {
  public:
    ExplainReporter(const ConventionTable& table, const RuleSet& rules, bool shows_content)
        : table_(table),
          rules_(rules),
          shows_content_(shows_content) {}

    // `released` null: the item was dropped.
    [[nodiscard]] ItemReport item(
        const Explanation& explanation, const ReleasedItem* released, std::size_t number
    ) const;

    [[nodiscard]] ItemReport alias(const ReleasedItem& released) const;

    [[nodiscard]] std::vector<AttributeReport> resource(const SpanView& span) const;

  private:
    void describe(const Explanation& explanation, const ReleasedItem* released, ItemReport& report)
        const;
    void add_conventions(const Explanation& explanation, ItemReport& report) const;
    void add_drop(const Explanation& explanation, ItemReport& report) const;
    void add_events(
        const Explanation& explanation, const ReleasedItem& released, ItemReport& report
    ) const;
    void add_fields(
        const Explanation& explanation, const ReleasedItem& released, ItemReport& report
    ) const;
    void add_session(
        const Explanation& explanation, const ReleasedItem* released, ItemReport& report
    ) const;
    void add_attributes(const Explanation& explanation, bool is_dropped, ItemReport& report) const;
    [[nodiscard]] FieldReport field(const FieldValue& value, const FieldOrigin& origin) const;
    [[nodiscard]] std::string fit_to_show(std::string_view text) const;
    [[nodiscard]] bool is_named_content(const SpanEventView& event, const Attribute& attribute)
        const;
    [[nodiscard]] AttributeReport attribute(
        const Attribute& attribute, std::string place, ConventionMask holding
    ) const;

    const ConventionTable& table_;
    const RuleSet& rules_;
    bool shows_content_;
};

}  // namespace spangate
