#include "interpret/interpreter.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "interpret/call_ledger.h"
#include "interpret/draft.h"
#include "interpret/session_binder.h"
#include "interpret/span_reader.h"

namespace spangate {

struct Interpreter::State {
    State(
        const InterpretConfig& config,
        std::shared_ptr<const Conventions> the_conventions,
        const HashKey& hash_key,
        SessionMemory& sessions,
        UsageMemory& usages,
        Metrics& metrics
    );

    void read_spans(EnrichedBatch& batch);
    void put_in_order();
    void make_items(EventBatch& batch);
    void name_ancestor(const Draft& draft, Arena& arena);

    std::shared_ptr<const Conventions> conventions;
    SpanReader reader;
    SessionBinder binder;
    CallLedger ledger;
    std::vector<Draft> drafts;           // in the order in which they were decoded
    std::vector<std::uint32_t> order;    // of drafts: requests, within them by time
    std::vector<WallNanos> received_at;  // of each request
    FieldSetBuilder fields;
};

Interpreter::State::State(
    const InterpretConfig& config,
    std::shared_ptr<const Conventions> the_conventions,
    const HashKey& hash_key,
    SessionMemory& sessions,
    UsageMemory& usages,
    Metrics& metrics
)
    : conventions(std::move(the_conventions)),
      reader(conventions->table(), config, hash_key),
      binder(sessions, hash_key, metrics),
      ledger(conventions->table(), usages) {}

void Interpreter::State::read_spans(EnrichedBatch& batch) {
    Arena& arena = *batch.spans.arena;
    reader.begin(arena);
    drafts.clear();
    received_at.clear();
    for (std::uint32_t i = 0; i < batch.spans.requests.size(); ++i) {
        DecodedRequest& request = batch.spans.requests[i];
        received_at.push_back(request.raw.received_at);
        for (SpanView& span : request.spans) {
            Draft& draft = drafts.emplace_back();
            draft.span = &span;
            draft.request = i;
            reader.read(draft, batch.facts[i], request.raw.received_at);
        }
    }
}

// The story's order (contract §3): by start, parents before their children.
void Interpreter::State::put_in_order() {
    order.resize(drafts.size());
    for (std::uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
        const Draft& left = drafts[a];
        const Draft& right = drafts[b];
        if (left.request != right.request) return left.request < right.request;
        if (left.span->start_unix_nano != right.span->start_unix_nano) {
            return left.span->start_unix_nano < right.span->start_unix_nano;
        }
        return left.depth != right.depth ? left.depth < right.depth : a < b;
    });
}

// When the parent is dropped, readers find their way by the nearest ancestor that is not.
void Interpreter::State::name_ancestor(const Draft& draft, Arena& arena) {
    if (draft.parent == no_index || drafts[draft.parent].fate == Fate::kept) return;
    std::uint32_t at = draft.parent;
    std::uint32_t steps = 0;
    while (at != no_index && drafts[at].fate != Fate::kept && steps++ < SessionBinder::depth_max) {
        at = drafts[at].parent;
    }
    if (at == no_index || drafts[at].fate != Fate::kept) return;
    const SpanId& id = drafts[at].span->span_id;
    char* hex = static_cast<char*>(arena.allocate(id.size() * 2, 1));
    write_hex(id, hex);
    fields.assign(*draft.fields);
    fields.put(FieldValue::of_text(FieldId::ancestor_span_id, {hex, id.size() * 2}));
    *draft.fields = fields.pack(arena);
}

void Interpreter::State::make_items(EventBatch& batch) {
    Arena& arena = *batch.source.spans.arena;
    batch.items.reserve(drafts.size());
    batch.item_facts.reserve(drafts.size());
    for (const std::uint32_t index : order) {
        const Draft& draft = drafts[index];
        RequestOutcome& outcome = batch.outcomes[draft.request];
        if (draft.fate == Fate::dropped_other) ++outcome.dropped_other;
        if (draft.fate == Fate::dropped_partial) ++outcome.dropped_partial;
        if (draft.fate != Fate::kept) continue;
        ++outcome.produced;
        name_ancestor(draft, arena);
        const DecodedRequest& request = batch.source.spans.requests[draft.request];
        AgentItem& item = batch.items.emplace_back();
        item.source = EventSource::span;
        item.span = draft.span;
        item.ticket = request.raw.ticket;
        item.received_at = request.raw.received_at;
        item.session = {draft.tenant_id, draft.session.session_id};
        item.session_source = draft.session.source;
        item.session_is_from_client = draft.session.is_from_client;
        item.user_id = draft.user_id;
        item.session_keys_seen = draft.session_keys_seen;
        item.fields = draft.fields;
        item.events = draft.events;
        item.primary = draft.primary;
        batch.item_facts.push_back(&batch.source.facts[draft.request]);
    }
}

Interpreter::Interpreter(
    const InterpretConfig& config,
    std::shared_ptr<const Conventions> conventions,
    const HashKey& hash_key,
    SessionMemory& sessions,
    UsageMemory& usages,
    Metrics& metrics
)
    : state_(std::make_unique<State>(
          config, std::move(conventions), hash_key, sessions, usages, metrics
      )) {}

Interpreter::~Interpreter() = default;

EventBatch Interpreter::interpret(EnrichedBatch&& batch) {
    EventBatch result(std::move(batch));
    Arena& arena = *result.source.spans.arena;
    result.outcomes.resize(result.source.spans.requests.size());
    state_->read_spans(result.source);
    state_->binder.link_parents(state_->drafts);
    state_->put_in_order();
    state_->binder.bind(state_->drafts, state_->received_at, arena);
    state_->ledger.settle(
        state_->drafts, state_->order, state_->received_at, state_->reader, arena
    );
    state_->make_items(result);
    return result;
}

}  // namespace spangate
