#include "interpret/session_binder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <xxhash.h>

#include "base/text.h"
#include "interpret/loose_value.h"

namespace spangate {
namespace {

constexpr std::string_view source_trace = "trace";
constexpr std::string_view source_log = "log";
constexpr std::string_view trace_prefix = "trace:";
constexpr std::string_view log_prefix = "log:";

std::uint64_t span_hash(const TraceId& trace_id, const SpanId& span_id) {
    std::uint64_t seed = 0;
    std::memcpy(&seed, span_id.data(), sizeof(seed));
    return XXH3_64bits_withSeed(trace_id.data(), trace_id.size(), seed);
}

// A key of one tenant's span is no key for another tenant's.
bool may_lend(const Draft& lender, const Draft& borrower) {
    return lender.tenant_by == TenantBy::nobody || lender.tenant_id == borrower.tenant_id;
}

TraceKey key_of(const Draft& draft) {
    const bool is_nobodys = draft.tenant_by == TenantBy::nobody;
    return trace_key(
        draft.authority, is_nobodys ? std::string_view() : draft.tenant_id, draft.span->trace_id
    );
}

}  // namespace

SessionBinder::SessionBinder(SessionMemory& memory, const HashKey& hash_key, Metrics& metrics)
    : memory_(memory),
      hash_key_(hash_key),
      aliases_limited_(metrics.counter(
          "spangate_session_aliases_limited_total",
          "Pairs of sessions left untold because one batch had too many of them."
      )),
      traces_known_(metrics.gauge(
          "spangate_session_memory_entries", "What the session memory holds.", {{"kind", "trace"}}
      )),
      pairs_known_(metrics.gauge(
          "spangate_session_memory_entries", "What the session memory holds.", {{"kind", "pair"}}
      )),
      tenants_known_(metrics.gauge(
          "spangate_session_memory_entries", "What the session memory holds.", {{"kind", "tenant"}}
      )),
      traces_evicted_(metrics.counter(
          "spangate_session_memory_evicted_total",
          "Entries of the session memory that had to go before their time.",
          {{"kind", "trace"}}
      )),
      pairs_evicted_(metrics.counter(
          "spangate_session_memory_evicted_total",
          "Entries of the session memory that had to go before their time.",
          {{"kind", "pair"}}
      )),
      tenants_evicted_(metrics.counter(
          "spangate_session_memory_evicted_total",
          "Entries of the session memory that had to go before their time.",
          {{"kind", "tenant"}}
      )),
      tenants_(memory) {
    for (std::size_t i = 0; i < bound_by_names.size(); ++i) {
        bound_[i] = &metrics.counter(
            "spangate_session_bound_total",
            "Spans and log records by what gave them their session.",
            {{"source", bound_by_names[i]}}
        );
    }
    for (std::size_t i = 0; i < alias_reason_names.size(); ++i) {
        aliased_[i] = &metrics.counter(
            "spangate_session_aliases_total",
            "Pairs of sessions told to be one story (two session_alias events each), by reason.",
            {{"reason", alias_reason_names[i]}}
        );
    }
}

// The span a draft hangs under; log records under the span they were written in.
std::uint32_t SessionBinder::find_span(std::span<const Draft> drafts, const Draft& child) const {
    const SpanView& span = *child.span;
    const SpanId& wanted = span.is_log() ? span.span_id : span.parent_span_id;
    if (is_zero(wanted)) return no_index;
    const std::size_t mask = span_places_.size() - 1;
    for (std::size_t at = span_hash(span.trace_id, wanted) & mask; span_places_[at] != 0;
         at = (at + 1) & mask) {
        const Draft& draft = drafts[span_places_[at] - 1];
        if (draft.span->span_id == wanted && draft.span->trace_id == span.trace_id &&
            draft.authority == child.authority) {
            return span_places_[at] - 1;
        }
    }
    return no_index;
}

void SessionBinder::link_parents(std::span<Draft> drafts) {
    span_places_.assign(std::bit_ceil(std::max<std::size_t>(drafts.size() * 2, 16)), 0);
    const std::size_t mask = span_places_.size() - 1;
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
        if (drafts[i].span->is_log()) continue;  // nothing hangs under a log record
        std::size_t at = span_hash(drafts[i].span->trace_id, drafts[i].span->span_id) & mask;
        while (span_places_[at] != 0)
            at = (at + 1) & mask;
        span_places_[at] = i + 1;
    }
    for (Draft& draft : drafts)
        draft.parent = find_span(drafts, draft);
    // A forged ring of parents ends where it would begin again: nobody is deeper than the batch.
    for (Draft& draft : drafts) {
        std::uint32_t depth = 0;
        for (std::uint32_t at = draft.parent; at != no_index && depth < depth_max;
             at = drafts[at].parent) {
            ++depth;
        }
        draft.depth = depth;
    }
}

void SessionBinder::note_keys(std::span<const Draft> drafts) {
    traces_.begin(drafts.size());
    links_.clear();
    trace_of_draft_.assign(drafts.size(), no_index);
    keyed_ancestors_.begin(drafts.size());
    bound_by_.assign(drafts.size(), BoundBy::own);
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
        const Draft& draft = drafts[i];
        if (is_zero(draft.span->trace_id)) continue;
        trace_of_draft_[i] = traces_.at(key_of(draft));
        if (!draft.span->links.empty()) note_links(drafts, i);
        if (draft.own.empty()) continue;
        const auto differs = [&](std::uint32_t keyed) {
            return drafts[keyed].own.session_id != draft.own.session_id;
        };
        Trace& trace = traces_[trace_of_draft_[i]];
        if (trace.first == no_index) trace.first = i;
        if (trace.second == no_index && differs(trace.first)) trace.second = i;
        if (!draft.span->is_root()) continue;
        if (trace.root == no_index) trace.root = i;
        trace.has_two_roots = trace.has_two_roots || differs(trace.root);
    }
}

const KnownTrace& SessionBinder::known(Trace& trace) {
    if (!trace.is_asked) trace.known = memory_.find(trace.key, now_, *arena_);
    trace.is_asked = true;
    return trace.known;
}

// The only key known, in the batch and in the memory. Two keys are none.
SessionClaim SessionBinder::only_key(std::span<const Draft> drafts, Trace& trace) {
    if (trace.second != no_index) return {};
    const KnownTrace& remembered = known(trace);
    if (trace.first == no_index) return remembered.only_key();
    const SessionClaim& own = drafts[trace.first].own;
    const bool is_other =
        remembered.standing == Standing::key && remembered.session.session_id != own.session_id;
    return is_other || remembered.has_two_keys ? SessionClaim{} : own;
}

SessionClaim SessionBinder::of_trace_id(const TraceId& trace_id) const {
    constexpr std::size_t hex_size = 32;
    char* out = static_cast<char*>(arena_->allocate(trace_prefix.size() + hex_size, 1));
    std::memcpy(out, trace_prefix.data(), trace_prefix.size());
    write_hex(trace_id, out + trace_prefix.size());
    return {{out, trace_prefix.size() + hex_size}, source_trace, false};
}

// Without a trace, what comes from one resource belongs together. Records of one resource follow
// each other: it is hashed once.
SessionClaim SessionBinder::of_resource_hash(const ResourceView& resource) {
    if (hashed_resource_ == &resource) return resource_hash_;
    constexpr std::string_view end("\0", 1);
    constexpr std::size_t hex_size = 32;
    pieces_.clear();
    for (const Attribute& attribute : resource.attributes) {
        pieces_.insert(pieces_.end(), {attribute.key, end, text_of(attribute.value, *arena_), end});
    }
    const Sha256Digest digest = hash_key_.hmac(pieces_);
    char* out = static_cast<char*>(arena_->allocate(log_prefix.size() + hex_size, 1));
    std::memcpy(out, log_prefix.data(), log_prefix.size());
    write_hex(std::span(digest).first(hex_size / 2), out + log_prefix.size());
    hashed_resource_ = &resource;
    resource_hash_ = {{out, log_prefix.size() + hex_size}, source_log, false};
    return resource_hash_;
}

// The nearest whose key it may take.
std::uint32_t SessionBinder::find_keyed_ancestor(
    std::span<const Draft> drafts, std::uint32_t index
) {
    const auto is_keyed = [&](std::uint32_t at) {
        return !drafts[at].own.empty();
    };
    std::uint32_t keyed = keyed_ancestors_.find(drafts, index, is_keyed);
    for (std::uint32_t steps = 0; keyed != no_index && steps < depth_max; ++steps) {
        if (may_lend(drafts[keyed], drafts[index])) return keyed;
        keyed = keyed_ancestors_.find(drafts, keyed, is_keyed);
    }
    return no_index;
}

// The only key known of the trace's spans for which nobody says a tenant; whether some are here.
SessionClaim SessionBinder::of_nobodys(std::span<const Draft> drafts, TraceKey key, bool& is_here) {
    if (key.authority != 0 || key.tenant == 0) return {};
    key.tenant = 0;
    const std::uint32_t trace = traces_.find(key);
    is_here = trace != no_index;
    if (is_here) return only_key(drafts, traces_[trace]);
    return memory_.find(key, now_, *arena_).only_key();
}

// Sets the draft's session.
BoundBy SessionBinder::find_session(std::span<Draft> drafts, std::uint32_t index) {
    Draft& draft = drafts[index];
    SessionClaim& session = draft.session;
    session = draft.own;
    if (!session.empty()) return BoundBy::own;
    const std::uint32_t keyed = find_keyed_ancestor(drafts, index);
    if (keyed != no_index) {
        session = drafts[keyed].own;
        return BoundBy::ancestor;
    }
    const bool has_trace = trace_of_draft_[index] != no_index;
    if (has_trace) {
        Trace& trace = traces_[trace_of_draft_[index]];
        if (trace.root != no_index && !trace.has_two_roots) {
            session = drafts[trace.root].own;
            return BoundBy::root;
        }
        session = only_key(drafts, trace);
        if (!session.empty()) {
            return trace.first != no_index ? BoundBy::trace_batch : BoundBy::trace_memory;
        }
        bool is_here = false;
        session = of_nobodys(drafts, trace.key, is_here);
        if (!session.empty()) return is_here ? BoundBy::trace_batch : BoundBy::trace_memory;
        session = of_links(drafts, index);
        if (!session.empty()) return BoundBy::link;
    }
    session = draft.of_resource;
    if (!session.empty()) return BoundBy::resource;
    session =
        has_trace ? of_trace_id(draft.span->trace_id) : of_resource_hash(*draft.span->resource);
    return has_trace ? BoundBy::trace_id : BoundBy::log;
}

void SessionBinder::write_references(const Draft& draft) const {
    for (const KeyedReference* one = draft.references; one != nullptr; one = one->next)
        hash_key_.write_reference(draft.tenant_id, one->text, one->out);
}

void SessionBinder::note_published(std::span<const Draft> drafts, std::uint32_t index) {
    if (trace_of_draft_[index] == no_index) return;
    Trace& trace = traces_[trace_of_draft_[index]];
    const std::string_view session_id = drafts[index].session.session_id;
    const auto is_in = [&](std::uint32_t draft) {
        return draft != no_index && drafts[draft].session.session_id == session_id;
    };
    if (trace.published == no_index) trace.published = index;
    if (is_in(trace.published) || is_in(trace.other)) return;
    trace.other = index;
    others_.push_back(index);
}

void SessionBinder::bind(
    std::span<Draft> drafts, std::span<const WallNanos> received_at, Arena& arena
) {
    arena_ = &arena;
    finds_.arena = &arena;
    hashed_resource_ = nullptr;
    others_.clear();
    tenants_.find(drafts, received_at, arena, finds_.change);
    note_keys(drafts);
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
        now_ = received_at[drafts[i].request];
        bound_by_[i] = find_session(drafts, i);
        if (drafts[i].explanation != nullptr) explain(drafts, i);
        if (drafts[i].fate != Fate::kept) continue;
        bound_[static_cast<std::size_t>(bound_by_[i])]->add();
        write_references(drafts[i]);
        note_published(drafts, i);
    }
    tell_traces(drafts, received_at);
    tell_links(drafts, received_at);
    keep_new_aliases(received_at);
}

}  // namespace spangate
