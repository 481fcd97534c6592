#include "interpret/session_binder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <xxhash.h>

#include "base/text.h"

namespace spangate {
namespace {

constexpr std::string_view source_trace = "trace";
constexpr std::string_view source_log = "log";
constexpr std::string_view trace_prefix = "trace:";
constexpr std::string_view log_prefix = "log:";
constexpr std::uint32_t unknown = no_index - 1;

std::uint64_t span_hash(const TraceId& trace_id, const SpanId& span_id) {
    std::uint64_t seed = 0;
    std::memcpy(&seed, span_id.data(), sizeof(seed));
    return XXH3_64bits_withSeed(trace_id.data(), trace_id.size(), seed);
}

std::size_t places_for(std::size_t entries) {
    return std::bit_ceil(std::max<std::size_t>(entries * 2, 16));
}

}  // namespace

SessionBinder::SessionBinder(SessionMemory& memory, const HashKey& hash_key, Metrics& metrics)
    : memory_(memory),
      hash_key_(hash_key) {
    for (std::size_t i = 0; i < bound_by_names.size(); ++i) {
        bound_[i] = &metrics.counter(
            "spangate_session_bound_total",
            "Spans by what gave them their session.",
            {{"source", bound_by_names[i]}}
        );
    }
}

std::uint32_t SessionBinder::find_span(std::span<const Draft> drafts, const Draft& child) const {
    const SpanView& span = *child.span;
    if (span.is_root()) return no_index;
    const std::size_t mask = span_places_.size() - 1;
    for (std::size_t at = span_hash(span.trace_id, span.parent_span_id) & mask;
         span_places_[at] != 0;
         at = (at + 1) & mask) {
        const Draft& draft = drafts[span_places_[at] - 1];
        if (draft.span->span_id == span.parent_span_id && draft.span->trace_id == span.trace_id &&
            draft.authority == child.authority) {
            return span_places_[at] - 1;
        }
    }
    return no_index;
}

void SessionBinder::link_parents(std::span<Draft> drafts) {
    span_places_.assign(places_for(drafts.size()), 0);
    const std::size_t mask = span_places_.size() - 1;
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
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

std::uint32_t SessionBinder::find_trace(const TraceKey& key) const {
    const std::size_t mask = trace_places_.size() - 1;
    for (std::size_t at = key.hash() & mask; trace_places_[at] != 0; at = (at + 1) & mask) {
        if (traces_[trace_places_[at] - 1].key == key) return trace_places_[at] - 1;
    }
    return no_index;
}

std::uint32_t SessionBinder::trace_of(const TraceKey& key) {
    if (const std::uint32_t known = find_trace(key); known != no_index) return known;
    const std::size_t mask = trace_places_.size() - 1;
    std::size_t at = key.hash() & mask;
    while (trace_places_[at] != 0)
        at = (at + 1) & mask;
    traces_.push_back({});
    traces_.back().key = key;
    trace_places_[at] = static_cast<std::uint32_t>(traces_.size());
    return trace_places_[at] - 1;
}

void SessionBinder::note_keys(std::span<Draft> drafts) {
    traces_.clear();
    trace_places_.assign(places_for(drafts.size()), 0);
    trace_of_draft_.assign(drafts.size(), no_index);
    keyed_ancestor_.assign(drafts.size(), unknown);
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
        const Draft& draft = drafts[i];
        if (is_zero(draft.span->trace_id)) continue;
        trace_of_draft_[i] = trace_of(trace_key(draft.authority, draft.span->trace_id));
        if (draft.own.empty()) continue;
        Trace& trace = traces_[trace_of_draft_[i]];
        if (trace.first == no_index) trace.first = i;
        if (trace.root == no_index && draft.span->is_root()) trace.root = i;
    }
}

SessionClaim SessionBinder::asked(Trace& trace, WallNanos now, Arena& arena) {
    if (!trace.is_asked) trace.remembered = memory_.find(trace.key, now, arena);
    trace.is_asked = true;
    return trace.remembered;
}

SessionClaim SessionBinder::of_trace(
    std::span<const Draft> drafts, Trace& trace, WallNanos now, Arena& arena
) {
    if (trace.first != no_index) return drafts[trace.first].own;
    return asked(trace, now, arena);
}

SessionClaim SessionBinder::of_links(
    std::span<const Draft> drafts, const Draft& draft, WallNanos now, Arena& arena
) {
    std::size_t links = 0;
    for (const SpanLinkView& link : draft.span->links) {
        if (is_zero(link.trace_id) || link.trace_id == draft.span->trace_id) continue;
        if (++links > links_max) break;
        const TraceKey key = trace_key(draft.authority, link.trace_id);
        const std::uint32_t known = find_trace(key);
        const SessionClaim claim = known == no_index ? memory_.find(key, now, arena)
                                                     : of_trace(drafts, traces_[known], now, arena);
        if (!claim.empty()) return claim;
    }
    return {};
}

SessionClaim SessionBinder::of_trace_id(const Draft& draft, Arena& arena) const {
    const SpanView& span = *draft.span;
    constexpr std::size_t hex_size = 32;
    if (!is_zero(span.trace_id)) {
        char* out = static_cast<char*>(arena.allocate(trace_prefix.size() + hex_size, 1));
        std::memcpy(out, trace_prefix.data(), trace_prefix.size());
        write_hex(span.trace_id, out + trace_prefix.size());
        return {{out, trace_prefix.size() + hex_size}, source_trace, false};
    }
    // Without a trace, what comes from one resource belongs together.
    std::vector<std::string_view> pieces;
    for (const Attribute& attribute : span.resource->attributes) {
        pieces.push_back(attribute.key);
        if (attribute.value.is_text()) pieces.push_back(attribute.value.text());
    }
    const Sha256Digest digest = hash_key_.hmac(pieces);
    char* out = static_cast<char*>(arena.allocate(log_prefix.size() + hex_size, 1));
    std::memcpy(out, log_prefix.data(), log_prefix.size());
    write_hex(std::span(digest).first(hex_size / 2), out + log_prefix.size());
    return {{out, log_prefix.size() + hex_size}, source_log, false};
}

void SessionBinder::bind_one(
    std::span<Draft> drafts, std::uint32_t index, WallNanos now, Arena& arena
) {
    Draft& draft = drafts[index];
    const auto bound = [&](BoundBy by, const SessionClaim& claim) {
        if (claim.empty()) return false;
        draft.session = claim;
        if (draft.fate == Fate::kept) bound_[static_cast<std::size_t>(by)]->add();
        return true;
    };
    if (bound(BoundBy::own, draft.own)) return;
    // Ancestors' answers are kept for their other children: O(1) a span on the whole.
    std::uint32_t at = draft.parent;
    std::uint32_t steps = 0;
    while (at != no_index && drafts[at].own.empty() && keyed_ancestor_[at] == unknown &&
           steps++ < depth_max) {
        at = drafts[at].parent;
    }
    std::uint32_t keyed = no_index;
    if (at != no_index && !drafts[at].own.empty()) keyed = at;
    if (at != no_index && drafts[at].own.empty() && keyed_ancestor_[at] != unknown) {
        keyed = keyed_ancestor_[at];
    }
    for (at = index; at != no_index && keyed_ancestor_[at] == unknown && drafts[at].own.empty();
         at = drafts[at].parent) {
        keyed_ancestor_[at] = keyed;
    }
    if (keyed != no_index && bound(BoundBy::ancestor, drafts[keyed].own)) return;
    if (trace_of_draft_[index] != no_index) {
        Trace& trace = traces_[trace_of_draft_[index]];
        if (trace.root != no_index && bound(BoundBy::root, drafts[trace.root].own)) return;
        if (trace.first != no_index && bound(BoundBy::trace_batch, drafts[trace.first].own)) return;
        if (bound(BoundBy::trace_memory, asked(trace, now, arena))) return;
    }
    if (bound(BoundBy::link, of_links(drafts, draft, now, arena))) return;
    if (bound(BoundBy::resource, draft.of_resource)) return;
    static_cast<void>(bound(BoundBy::trace_id, of_trace_id(draft, arena)));
}

void SessionBinder::bind(
    std::span<Draft> drafts, std::span<const WallNanos> received_at, Arena& arena
) {
    note_keys(drafts);
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
        bind_one(drafts, i, received_at[drafts[i].request], arena);
    }
    for (const Trace& trace : traces_) {
        const std::uint32_t donor = trace.root != no_index ? trace.root : trace.first;
        if (donor == no_index) continue;
        memory_.remember(trace.key, drafts[donor].own, received_at[drafts[donor].request]);
    }
}

}  // namespace spangate
