#include "interpret/interpreter.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "interpret/alias_writer.h"
#include "interpret/call_ledger.h"
#include "interpret/cost_maker.h"
#include "interpret/draft.h"
#include "interpret/explanation.h"
#include "interpret/session_binder.h"
#include "interpret/span_reader.h"

namespace spangate {

struct Interpreter::State {
    State(
        const InterpretConfig& config,
        InterpretTables the_tables,
        const HashKey& hash_key,
        SessionMemory& sessions,
        UsageMemory& usages,
        Metrics& metrics
    );

    void read_spans(EnrichedBatch& batch);
    void put_in_order();
    void make_items(EventBatch& batch);
    void name_ancestor(const Draft& draft, Arena& arena);

    InterpretTables tables;
    CostMaker costs;
    SpanReader reader;
    SessionBinder binder;
    AliasWriter aliases;
    CallLedger ledger;
    ExplanationRecorder* recorder = nullptr;
    std::vector<Draft> drafts;           // in the order in which they were decoded
    std::vector<std::uint32_t> order;    // of drafts: requests, within them by time
    std::vector<WallNanos> received_at;  // of each request
    FieldSetBuilder fields;
};

Interpreter::State::State(
    const InterpretConfig& config,
    InterpretTables the_tables,
    const HashKey& hash_key,
    SessionMemory& sessions,
    UsageMemory& usages,
    Metrics& metrics
)
    : tables(std::move(the_tables)),
      costs(*tables.prices, metrics),
      reader(tables.conventions->table(), config, hash_key, costs),
      binder(sessions, hash_key, metrics),
      aliases(tables.gateway_id, hash_key),
      ledger(tables.conventions->table(), usages) {}

void Interpreter::State::read_spans(EnrichedBatch& batch) {
    Arena& arena = *batch.spans.arena;
    reader.begin(arena);
    if (recorder != nullptr) recorder->begin();
    drafts.clear();
    received_at.clear();
    for (std::uint32_t i = 0; i < batch.spans.requests.size(); ++i) {
        DecodedRequest& request = batch.spans.requests[i];
        received_at.push_back(request.raw.received_at);
        reader.begin_request();
        for (SpanView& span : request.spans) {
            Draft& draft = drafts.emplace_back();
            draft.span = &span;
            draft.request = i;
            if (recorder != nullptr) draft.explanation = &recorder->add(span);
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
        if (left.started_at != right.started_at) return left.started_at < right.started_at;
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
        item.source = draft.span->is_log() ? EventSource::log : EventSource::span;
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
    InterpretTables tables,
    const HashKey& hash_key,
    SessionMemory& sessions,
    UsageMemory& usages,
    Metrics& metrics
)
    : state_(std::make_unique<State>(config, std::move(tables), hash_key, sessions, usages, metrics)
      ) {}

Interpreter::~Interpreter() = default;

void Interpreter::explain_to(ExplanationRecorder* recorder) {
    state_->recorder = recorder;
}

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
    if (state_->recorder != nullptr) state_->recorder->conclude(state_->drafts);
    state_->make_items(result);
    state_->aliases.append(state_->binder.aliases(), result);
    return result;
}

}  // namespace spangate
