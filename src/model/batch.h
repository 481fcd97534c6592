// One type per step of the walk, so that a wrong order does not compile and nothing that has not
// been redacted can be encoded:
//
//   RawRequest ─decode→ SpanBatch ─enrich→ EnrichedBatch ─interpret→ EventBatch ─redact→
//   ReleasedBatch
//
// All live on one lane, for one walk; the arena and the requests' bodies outlive them all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "model/agent_event.h"
#include "model/evidence_key.h"
#include "model/request.h"
#include "model/span_view.h"

namespace spangate {

// The spans of one request. `keep_alive` owns what the views point into besides the body (the JSON
// parser's text).
struct DecodedRequest {
    RawRequest raw;
    std::span<SpanView> spans;
    std::shared_ptr<void> keep_alive;
};

struct SpanBatch {
    Arena* arena = nullptr;
    std::vector<DecodedRequest> requests;
};

// What the enricher knows of a request beside its spans.
struct RequestFacts {
    std::string_view
        tenant_id;         // authenticated or configured; empty: interpret looks into the spans
    std::string_view env;  // configured; empty: from attributes
    std::string_view service_name;    // from resource detection when the resource has none
    std::span<Attribute> attributes;  // configured; added to detail's attributes, win there
    std::span<Attribute> resource_attributes;  // detected; added to detail's resource, lose there
};

class EnrichedBatch {
  public:
    SpanBatch spans;
    std::vector<RequestFacts> facts;  // one per request, same order

  private:
    friend class Enricher;
    friend struct EventBatchForTest;
    EnrichedBatch() = default;
};

// What became of one request's spans in interpret, beside the items they made.
struct RequestOutcome {
    std::uint32_t produced = 0;
    std::uint32_t dropped_other = 0;
    std::uint32_t dropped_partial = 0;
    std::uint32_t dropped_duplicate = 0;
};

class EventBatch {
  public:
    EnrichedBatch source;          // owns the requests
    std::vector<AgentItem> items;  // in request order, within a request in time order
    std::vector<const RequestFacts*> item_facts;  // one per item
    std::vector<RequestOutcome> outcomes;         // one per request, in order

  private:
    friend class Interpreter;
    friend struct EventBatchForTest;  // tests/support/event_batch_for_test.h

    explicit EventBatch(EnrichedBatch&& enriched) : source(std::move(enriched)) {}
};

// The evidence of one item (contract §6): the UTF-8 JSON of its parts, or, encrypted, its sealed
// chunks one behind the other. One of the two, or none.
struct EvidencePayload {
    std::string_view parts_json;     // empty: no evidence record, or an encrypted one
    std::string_view sealed_chunks;  // each nonce, ciphertext, tag
    std::uint32_t chunks = 1;
    std::uint32_t chunk_bytes = 0;  // all chunks but the last have this many payload bytes
    std::array<std::uint8_t, 32> salt{};
    std::array<char, 64> commitment{};  // hex
    std::string_view key_id;            // empty: in clear
    // Has to be stored with this evidence; null when it is, or in clear.
    std::shared_ptr<EvidenceKeyRecord> key_record;

    [[nodiscard]] std::string_view bytes() const {
        return key_id.empty() ? parts_json : sealed_chunks;
    }

    [[nodiscard]] bool empty() const { return bytes().empty(); }
};

// How often each redaction rule matched in one item.
struct RedactionCount {
    std::string_view rule;
    std::uint32_t count = 0;
};

// What of one item may leave, by class. Only the redactor can make one.
class ReleasedItem {
  public:
    const AgentItem* item = nullptr;
    SessionKey session;                  // as published
    std::span<const AgentEvent> events;  // fields replaced by their released forms
    std::uint32_t primary = 0;
    const SpanView* detail = nullptr;  // a redacted copy; its resource and scope likewise
    std::span<const Attribute> added_attributes;  // from enrich, redacted; win over the span's own
    std::span<const Attribute> added_resource;    // likewise; the client's own resource wins
    std::span<const std::string_view> session_keys_seen;  // redacted
    std::span<const RedactionCount> redactions;
    std::span<const std::string_view> truncated;  // paths in detail that were cut to their head
    EvidencePayload evidence;

  private:
    friend class Redactor;
    ReleasedItem() = default;
};

class ReleasedBatch {
  public:
    EventBatch source;  // owns what the views point into
    std::vector<ReleasedItem> items;
    std::string_view ruleset;  // version of the rules; kept alive by rules_keep_alive
    std::shared_ptr<const void> rules_keep_alive;

  private:
    friend class Redactor;

    explicit ReleasedBatch(EventBatch&& events) : source(std::move(events)) {}
};

}  // namespace spangate
