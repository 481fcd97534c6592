// Why a span or log record became what it became: which conventions held and which rule decided,
// where each event and field came from, how the session was found. The parts of this room note it
// where they decide, when somebody asks (`spangate explain`); else a null pointer is all there is
// of it. Takes from the heap. Views live as long as the batch and the tables.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "interpret/convention_table.h"
#include "interpret/draft.h"
#include "interpret/price_table.h"
#include "interpret/session_binder.h"
#include "model/span_view.h"

namespace spangate {

// Where a field's value came from: an entry of a list, an overlay, or else what the gateway itself
// makes of the span.
struct FieldOrigin {
    FieldId field{};
    const FieldEntry* entry = nullptr;
    const Overlay* overlay = nullptr;
    Value raw;  // as the entry read it, before any map
};

struct EventOrigin {
    enum class Made : std::uint8_t { no_rule, rule, span_event, extra_event, overlay, repeat };

    Made made = Made::no_rule;
    EventType type = EventType::other;    // as it was made; a ledger may give it another
    std::uint32_t convention = no_index;  // of the rule or the extra event
    std::uint32_t line = 0;               // of the rule, extra event or overlay
    std::string_view name;                // of the extra event or overlay
    std::uint32_t span_event = no_index;  // whose attributes it tells
    std::string_view relabelled_because;  // empty: it has the type it was made with
    std::vector<FieldOrigin> fields;      // that a span event tells for itself
};

inline constexpr std::array<std::string_view, 6> event_made_names = {
    "no_rule", "rule", "span_event", "extra_event", "overlay", "repeat"};

// A session key that the span itself carries.
struct SessionKeySeen {
    enum class Fate : std::uint8_t { taken, same, weaker, rejected };

    std::string_view key;
    Fate fate = Fate::taken;
};

inline constexpr std::array<std::string_view, 4> session_key_fate_names = {
    "taken", "same", "weaker", "rejected"};

struct Explanation {
    const SpanView* span = nullptr;

    // Which conventions held, and by what; what is in none of the three was found by a condition.
    ConventionMask holding = 0;
    ConventionMask held_by_resource = 0;
    ConventionMask held_by_scope = 0;
    ConventionMask held_by_attributes = 0;
    std::uint32_t convention = no_index;  // whose rule decided
    const Rule* rule = nullptr;           // null: none matched
    std::string_view record_name;         // of a log record, as rules see it

    Fate fate = Fate::kept;
    std::uint32_t partial_line = 0;  // of the drop_partial condition

    std::vector<EventOrigin> events;  // as AgentItem::events
    std::vector<FieldOrigin> fields;  // a later one of a field replaces an earlier one
    bool cache_was_added = false;     // to tokens_prompt
    bool usage_is_of_rule = false;    // counted and usage_role; else the table's defaults
    const Price* price = nullptr;     // that made cost_usd
    std::string_view twin_because;    // why another telling counts; empty: none does

    // Identity.
    bool tenant_is_given = false;  // authenticated or configured
    TenantBy tenant_by = TenantBy::own;
    const FieldEntry* tenant_entry = nullptr;  // of its own tenant, when none is given
    const FieldEntry* user_entry = nullptr;
    std::string_view tenant_id;
    std::vector<SessionKeySeen> session_keys;
    SessionClaim session;
    SessionClaim of_resource;
    BoundBy bound_by = BoundBy::own;
    const SpanView* bound_from = nullptr;  // the span whose key it is, when it is in the batch

    // The last origin of a field; null: the gateway made it.
    [[nodiscard]] const FieldOrigin* origin_of(FieldId field) const;
};

// Collects the explanations of one batch, in the order in which its items were decoded.
class ExplanationRecorder {
  public:
    void begin() { explanations_.clear(); }

    // The address stays until the next begin().
    [[nodiscard]] Explanation& add(const SpanView& span);

    // After the whole walk: what the drafts themselves know.
    void conclude(std::span<const Draft> drafts);

    [[nodiscard]] const std::deque<Explanation>& explanations() const { return explanations_; }

  private:
    std::deque<Explanation> explanations_;
};

// What the ledgers note of a draft; nothing when nobody asks. `because` is a literal.
void note_twin(const Draft& draft, std::string_view because);
void note_relabelled(const Draft& draft, const AgentEvent& event, std::string_view because);
void note_dropped(const Draft& draft, std::size_t event);
void note_only_primary(const Draft& draft, std::string_view because);
void note_repeat(const Draft& draft, const Overlay& overlay);

// What names a key for what it is treated as.
struct Naming {
    std::string list;  // «otel_genai content», «common fields», «plain_keys»; empty: no list
    std::string pattern;  // the prefix or pattern of the list; empty: the key itself
};

// Why an attribute of a span, span event, scope or resource has its treatment.
[[nodiscard]] Naming naming_of(
    const ConventionTable& table, std::string_view key, ConventionMask holding
);

// The convention that an entry's list belongs to; «common» for those of all.
[[nodiscard]] std::string_view list_of(const ConventionTable& table, const FieldEntry& entry);

// The entry as its author wrote it: «gen_ai.request.model», «resource service.name»,
// «metadata/thread_id», «span name ~ ^tool (.*)$».
[[nodiscard]] std::string text_of(const ConventionTable& table, const FieldEntry& entry);

}  // namespace spangate
