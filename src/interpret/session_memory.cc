#include "interpret/session_memory.h"

#include <algorithm>
#include <utility>

#include <xxhash.h>

namespace spangate {
namespace {

std::uint64_t hash_of(std::string_view tenant_id) {
    return XXH3_64bits(tenant_id.data(), tenant_id.size()) | 1;  // 0 says «nobody's»
}

// Whether keys came too late, or the trace has two of them, or a link joined them.
AliasReason reason_of(Standing one, Standing other, bool has_two_keys) {
    const bool is_keyed = one == Standing::key || other == Standing::key;
    if (is_keyed && one != other && !has_two_keys) return AliasReason::late_key;
    if (is_keyed) return AliasReason::same_trace;
    const bool is_linked = one == Standing::link || other == Standing::link;
    return is_linked ? AliasReason::link : AliasReason::same_trace;
}

template <typename Map>
void note_growth(
    const Map& map,
    std::size_t size,
    std::uint64_t evicted,
    std::int64_t& added,
    std::uint64_t& gone
) {
    added += static_cast<std::int64_t>(map.size() - size);
    gone += map.evicted() - evicted;
}

}  // namespace

std::uint64_t TraceKey::hash() const {
    return XXH3_64bits_withSeed(trace_id.data(), trace_id.size(), authority ^ (tenant << 1));
}

TraceKey trace_key(
    std::string_view authority, std::string_view tenant_id, const TraceId& trace_id
) {
    return {
        authority.empty() ? 0 : hash_of(authority),
        tenant_id.empty() ? 0 : hash_of(tenant_id),
        trace_id};
}

void SessionMemory::Stored::assign(const TraceSession& session) {
    session_id = session.claim.session_id;
    source = session.claim.source;
    is_from_client = session.claim.is_from_client;
}

SessionClaim SessionMemory::Stored::claim(Arena& arena) const {
    return {arena.copy(session_id), arena.copy(source), is_from_client};
}

SessionMemory::SessionMemory(const SessionMemoryConfig& config) {
    const std::size_t entries_max = (config.traces_max + stripes_count - 1) / stripes_count;
    const WallNanos ttl = std::chrono::nanoseconds(config.ttl).count();
    for (Stripe& stripe : stripes_) {
        stripe.traces = std::make_unique<BoundedMap<TraceKey, Known>>(entries_max, ttl);
        stripe.tenants = std::make_unique<BoundedMap<TraceKey, StoredTenant>>(entries_max, ttl);
        stripe.pairs = std::make_unique<BoundedMap<MemoryKey, Told>>(entries_max, ttl);
    }
}

KnownTrace SessionMemory::find(const TraceKey& trace, WallNanos now, Arena& arena) {
    const std::uint64_t hash = trace.hash();
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    const Known* known = stripe.traces->find(trace, hash, now);
    if (known == nullptr || known->standing == Standing::none) return {};
    return {known->main.claim(arena), known->standing, known->is_published, known->has_two_keys};
}

KnownTenant SessionMemory::find_tenant(const TraceKey& trace, WallNanos now, Arena& arena) {
    // A tenant told at this very moment is found by the next batch.
    if (!has_tenants_.load(std::memory_order_relaxed)) return {};
    const std::uint64_t hash = trace.hash();
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    const StoredTenant* known = stripe.tenants->find(trace, hash, now);
    if (known == nullptr) return {};
    return {arena.copy(known->tenant_id), known->is_lent, known->has_two};
}

void SessionMemory::tell_tenant(
    const TraceKey& trace, const KnownTenant& told, WallNanos now, MemoryChange& change
) {
    has_tenants_.store(true, std::memory_order_relaxed);  // publishes nothing; the stripe is locked
    const std::uint64_t hash = trace.hash();
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    const std::size_t size = stripe.tenants->size();
    const std::uint64_t evicted = stripe.tenants->evicted();
    StoredTenant& known = stripe.tenants->at(trace, hash, now);
    note_growth(*stripe.tenants, size, evicted, change.tenants_added, change.tenants_evicted);
    const bool is_unknown = known.tenant_id.empty();
    if (told.is_lent && !is_unknown) return;
    if (is_unknown || known.is_lent) {
        known = {std::string(told.tenant_id), told.is_lent, told.has_two};
        return;
    }
    known.has_two = known.has_two || told.has_two || known.tenant_id != told.tenant_id;
}

SessionMemory::Known& SessionMemory::known_at(
    Stripe& stripe, const TraceKey& trace, WallNanos now, MemoryChange& change
) {
    const std::size_t size = stripe.traces->size();
    const std::uint64_t evicted = stripe.traces->evicted();
    Known& known = stripe.traces->at(trace, trace.hash(), now);
    note_growth(*stripe.traces, size, evicted, change.traces_added, change.traces_evicted);
    return known;
}

void SessionMemory::tell(
    const TraceKey& trace, const TraceNews& news, WallNanos now, AliasFinds& finds
) {
    Stripe& stripe = stripe_of(trace.hash());
    const std::lock_guard lock(stripe.mutex);
    Known& known = known_at(stripe, trace, now, finds.change);
    for (const TraceSession& key : news.keys)
        learn(known, trace.trace_id, key, finds);
    for (const TraceSession& one : news.published)
        publish(known, trace.trace_id, one, finds);
}

// A key, of a dropped span perhaps: the trace is known by it, whatever it was published under.
void SessionMemory::learn(
    Known& known, const TraceId& trace, const TraceSession& key, AliasFinds& finds
) {
    const bool is_same = known.main.session_id == key.claim.session_id;
    if (known.standing == Standing::key) {
        known.has_two_keys = known.has_two_keys || !is_same;
        return;
    }
    if (known.standing != Standing::none && !is_same) publish(known, trace, key, finds);
    if (known.standing == Standing::none) known.main.assign(key);
    known.standing = Standing::key;
}

void SessionMemory::publish(
    Known& known, const TraceId& trace, const TraceSession& one, AliasFinds& finds
) {
    const bool is_first = !std::exchange(known.is_published, true);
    const bool is_same = known.main.session_id == one.claim.session_id;
    const bool was_known = known.standing != Standing::none;
    const bool is_key = one.standing == Standing::key;
    // A key that only dropped spans told gives way to one under which something stands.
    const bool is_paired = was_known && !is_same && !(is_first && is_key);
    if (is_paired) {
        finds.aliases.push_back(
            {one.tenant_id,
             {known.main.claim(*finds.arena), trace},
             {one.claim, trace},
             reason_of(known.standing, one.standing, known.has_two_keys)}
        );
    }
    if (known.standing == Standing::key && is_key && !is_same) known.has_two_keys = true;
    const bool is_stronger = is_key && (known.standing != Standing::key || is_first);
    if (!was_known || (!is_same && is_stronger)) {
        known.main.assign(one);
        known.standing = one.standing;
    } else if (is_same) {
        known.standing = std::max(known.standing, one.standing);
    }
    if (is_first && known.waiting != nullptr) end_waiting(known, trace, one, finds);
}

void SessionMemory::end_waiting(
    Known& known, const TraceId& trace, const TraceSession& one, AliasFinds& finds
) {
    for (const Waiting& waiting : *known.waiting) {
        if (waiting.session.session_id == one.claim.session_id) continue;
        finds.aliases.push_back(
            {one.tenant_id,
             {one.claim, trace},
             {waiting.session.claim(*finds.arena), waiting.trace_id},
             AliasReason::link}
        );
    }
    known.waiting.reset();
}

void SessionMemory::tell_link(
    const TraceKey& linked,
    const TraceId& from_trace,
    const TraceSession& from,
    WallNanos now,
    AliasFinds& finds
) {
    Stripe& stripe = stripe_of(linked.hash());
    const std::lock_guard lock(stripe.mutex);
    Known& known = known_at(stripe, linked, now, finds.change);
    const auto pair_with = [&](const Stored& other, const TraceId& trace) {
        if (other.session_id == from.claim.session_id) return;
        finds.aliases.push_back(
            {from.tenant_id,
             {other.claim(*finds.arena), trace},
             {from.claim, from_trace},
             AliasReason::link}
        );
    };
    if (known.is_published) return pair_with(known.main, linked.trace_id);
    if (known.waiting == nullptr) known.waiting = std::make_unique<std::vector<Waiting>>();
    std::vector<Waiting>& waiting = *known.waiting;
    const bool waits = std::any_of(waiting.begin(), waiting.end(), [&](const Waiting& other) {
        return other.session.session_id == from.claim.session_id;
    });
    if (waits) return;
    // Who finds no place is told of one that waits: when the trace comes, all hang together.
    if (waiting.size() == waiting_max) {
        return pair_with(waiting.front().session, waiting.front().trace_id);
    }
    waiting.emplace_back().session.assign(from);
    waiting.back().trace_id = from_trace;
}

bool SessionMemory::tell_pair(SessionAlias& alias, WallNanos now, MemoryChange& change) {
    std::string_view low = alias.one.claim.session_id;
    std::string_view high = alias.other.claim.session_id;
    if (high < low) std::swap(low, high);
    const std::array<std::string_view, 3> pieces{alias.tenant_id, low, high};
    const MemoryKey key = memory_key(pieces);
    Stripe& stripe = stripe_of(key.high);
    const std::lock_guard lock(stripe.pairs_mutex);
    if (stripe.pairs->find(key, key.low, now) != nullptr) return false;
    const std::size_t size = stripe.pairs->size();
    const std::uint64_t evicted = stripe.pairs->evicted();
    static_cast<void>(stripe.pairs->at(key, key.low, now));
    note_growth(*stripe.pairs, size, evicted, change.pairs_added, change.pairs_evicted);
    alias.number = pairs_told_.fetch_add(1, std::memory_order_relaxed) + 1;  // only a number
    return true;
}

std::size_t SessionMemory::size() const {
    std::size_t size = 0;
    for (const Stripe& stripe : stripes_) {
        const std::lock_guard lock(stripe.mutex);
        size += stripe.traces->size();
    }
    return size;
}

std::size_t SessionMemory::pairs_count() const {
    std::size_t size = 0;
    for (const Stripe& stripe : stripes_) {
        const std::lock_guard lock(stripe.pairs_mutex);
        size += stripe.pairs->size();
    }
    return size;
}

std::uint64_t SessionMemory::evicted() const {
    std::uint64_t evicted = 0;
    for (const Stripe& stripe : stripes_) {
        const std::lock_guard lock(stripe.mutex);
        evicted += stripe.traces->evicted();
    }
    return evicted;
}

}  // namespace spangate
