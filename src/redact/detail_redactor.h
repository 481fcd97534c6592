// Makes the detail of an item: a copy of its span, in the batch's arena, in which nothing stands
// that a rule matched. On the way it collects what the other classes need: evidence parts, the
// paths that were cut, the bytes of content. Belongs to one lane.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "model/agent_event.h"
#include "model/batch.h"
#include "redact/evidence_writer.h"
#include "redact/value_redactor.h"

namespace spangate {

// A resource, a scope or added attributes: redacted once a batch, used by many items.
struct SharedFacts {
    const void* source = nullptr;
    std::string_view tenant_id;
    const void* released = nullptr;               // ResourceView or ScopeView
    std::span<const Attribute> attributes;        // of added attributes
    std::string_view parts;                       // evidence, as EvidenceParts::json()
    std::span<const std::uint32_t> counts;        // by rule
    std::span<const std::string_view> truncated;  // paths
    bool is_counted = false;                      // in the metrics, once a batch
};

// What redacting one item has found, besides its detail.
struct ItemFindings {
    EvidenceParts parts;
    std::vector<std::string_view> truncated;  // in the arena
    std::size_t content_bytes = 0;

    void clear();
};

class DetailRedactor {
  public:
    DetailRedactor(
        const RedactConfig& config, const RuleSet& rules, const HashKey& key, TextRedactor& texts
    );

    // Starts a batch; what was shared before is forgotten.
    void use(Arena& arena);

    // The redacted copy of `span`, its resource and scope not yet replaced. A log record's copy has
    // its own LogRecordView.
    [[nodiscard]] SpanView* redact(
        const SpanView& span, std::string_view tenant_id, ItemFindings& findings
    );

    // Valid until the batch ends.
    [[nodiscard]] SharedFacts& resource(const ResourceView& resource, std::string_view tenant_id);
    [[nodiscard]] SharedFacts& scope(const ScopeView& scope, std::string_view tenant_id);
    [[nodiscard]] SharedFacts& added(std::span<Attribute> attributes, std::string_view tenant_id);

    void trim();

  private:
    enum class PlaceKind : std::uint8_t { span, event, link, resource, scope, added };

    // Where attributes stand, for paths.
    struct Place {
        PlaceKind kind = PlaceKind::span;
        std::string_view name;           // of the span event, raw
        std::string_view released_name;  // likewise, redacted
        std::size_t index = 0;
    };

    struct RedactedAttribute {
        RedactedValue result;
        bool is_content = false;
        bool is_evidence = false;
    };

    [[nodiscard]] std::span<Attribute> redact_attributes(
        std::span<Attribute> attributes, const Place& place
    );
    [[nodiscard]] RedactedAttribute redact_attribute(
        const Attribute& attribute, KeyHints hints, KeyRule rule, const Place& place
    );
    [[nodiscard]] std::string_view redact_text(
        std::string_view text,
        std::string_view path,
        ContentRole role,
        bool is_content,
        KeyHints hints = {}
    );
    [[nodiscard]] std::span<SpanEventView> redact_events(std::span<SpanEventView> events);
    [[nodiscard]] std::span<SpanLinkView> redact_links(std::span<SpanLinkView> links);
    [[nodiscard]] LogRecordView* redact_log(const LogRecordView& log);
    void redact_body(Attribute& body);
    [[nodiscard]] std::string_view path(
        const Place& place, std::string_view name, std::string_view key
    );
    [[nodiscard]] SharedFacts* known(const void* source, std::string_view tenant_id) const;
    void begin_shared(std::string_view tenant_id);
    SharedFacts& end_shared(SharedFacts facts);

    const HashKey& key_;
    TextRedactor& texts_;
    ValueRedactor values_;
    Arena* arena_ = nullptr;
    std::string_view tenant_id_;
    ItemFindings* findings_ = nullptr;  // of the item, or of the shared facts under way
    ItemFindings shared_findings_;
    std::vector<std::uint32_t> counts_before_;
    std::vector<SharedFacts*> shared_;  // in the arena
    std::vector<std::string_view> cut_keys_;
    std::string path_;
    std::string text_;
};

}  // namespace spangate
