#include "interpret/session_memory.h"

#include <xxhash.h>

namespace spangate {

std::uint64_t TraceKey::hash() const {
    return XXH3_64bits_withSeed(trace_id.data(), trace_id.size(), authority);
}

TraceKey trace_key(std::string_view authority, const TraceId& trace_id) {
    return {XXH3_64bits(authority.data(), authority.size()), trace_id};
}

SessionMemory::SessionMemory(const SessionMemoryConfig& config) {
    const std::size_t traces_max = (config.traces_max + stripes_count - 1) / stripes_count;
    const WallNanos ttl = std::chrono::nanoseconds(config.ttl).count();
    for (Stripe& stripe : stripes_) {
        stripe.traces = std::make_unique<BoundedMap<TraceKey, Known>>(traces_max, ttl);
    }
}

SessionClaim SessionMemory::find(const TraceKey& trace, WallNanos now, Arena& arena) {
    const std::uint64_t hash = trace.hash();
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    const Known* known = stripe.traces->find(trace, hash, now);
    if (known == nullptr) return {};
    return {arena.copy(known->session_id), arena.copy(known->source), known->is_from_client};
}

void SessionMemory::remember(const TraceKey& trace, const SessionClaim& session, WallNanos now) {
    const std::uint64_t hash = trace.hash();
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock(stripe.mutex);
    Known& known = stripe.traces->at(trace, hash, now);
    if (!known.session_id.empty()) return;
    known.session_id = session.session_id;
    known.source = session.source;
    known.is_from_client = session.is_from_client;
}

std::size_t SessionMemory::size() const {
    std::size_t size = 0;
    for (const Stripe& stripe : stripes_) {
        const std::lock_guard lock(stripe.mutex);
        size += stripe.traces->size();
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
