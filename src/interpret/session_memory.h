// What is known of a trace's sessions, for spans that come in later requests (contract §4): the key
// told for it, or the session under which it was published without one. One object for all lanes;
// bounded, with a time to live. Traces of different authorities never meet, and of one trace the
// spans of each tenant are known apart: a session is (tenant, session). Which tenant a trace's
// spans name is known as well, for those that name none.
//
// It also finds which sessions are one story: two sessions of one trace, and the sessions of linked
// traces. They are joined as a star: every further session of a trace is paired with the one that
// the trace is known by, so that n sessions make n - 1 pairs, and following them reaches them all.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "config/config.h"
#include "interpret/bounded_map.h"
#include "interpret/session_alias.h"
#include "interpret/usage_memory.h"
#include "model/span_view.h"

namespace spangate {

// The spans of one tenant in a trace. Traces of different authorities (authenticated or configured
// tenants) never meet.
struct TraceKey {
    std::uint64_t authority = 0;  // hash
    std::uint64_t tenant = 0;     // hash; 0: of the spans for which nobody says a tenant
    TraceId trace_id{};

    friend bool operator==(const TraceKey&, const TraceKey&) = default;

    [[nodiscard]] std::uint64_t hash() const;
};

// An empty tenant: nobody says one.
[[nodiscard]] TraceKey trace_key(
    std::string_view authority, std::string_view tenant_id, const TraceId& trace_id
);

// What gave a session to a trace; the stronger is the greater.
enum class Standing : std::uint8_t { none, trace_id, resource, link, key };

// A session of some spans of a trace. Views live as long as the batch.
struct TraceSession {
    SessionClaim claim;
    std::string_view tenant_id;
    Standing standing = Standing::none;
};

// What the memory knows of a trace; views in the batch's arena.
struct KnownTrace {
    SessionClaim session;  // the one it is known by; empty: nothing is known
    Standing standing = Standing::none;
    bool is_published = false;  // something of the trace stands under it, or names it
    bool has_two_keys = false;

    // The only key known.
    [[nodiscard]] SessionClaim only_key() const {
        return standing == Standing::key && !has_two_keys ? session : SessionClaim{};
    }
};

// The tenant that spans of a trace name.
struct KnownTenant {
    std::string_view tenant_id;  // empty: nothing is known
    bool is_lent = false;        // by a linked trace; no span named it
    bool has_two = false;        // spans name different ones

    // The only one that spans name.
    [[nodiscard]] std::string_view only_said() const {
        return is_lent || has_two ? std::string_view() : tenant_id;
    }
};

// What one batch tells of a trace.
struct TraceNews {
    std::span<const TraceSession> keys;       // by spans' own keys, dropped spans' too; at most two
    std::span<const TraceSession> published;  // sessions of spans that are kept; each once
};

// What calls changed in the memory's size, for metrics.
struct MemoryChange {
    std::int64_t traces_added = 0;
    std::int64_t pairs_added = 0;
    std::int64_t tenants_added = 0;
    std::uint64_t traces_evicted = 0;
    std::uint64_t pairs_evicted = 0;
    std::uint64_t tenants_evicted = 0;
};

// Pairs of sessions that a batch found to be one story; whether they were told before is not looked
// up yet. `change` collects over the batch.
struct AliasFinds {
    Arena* arena = nullptr;
    std::vector<SessionAlias> aliases;
    MemoryChange change;
};

// Any thread. `now` is the request's time of arrival.
class SessionMemory {
  public:
    static constexpr std::size_t stripes_count = 64;
    static constexpr std::size_t waiting_max = 8;  // sessions that wait for one linked trace

    explicit SessionMemory(const SessionMemoryConfig& config);

    // Both copy into the arena.
    [[nodiscard]] KnownTenant find_tenant(const TraceKey& trace, WallNanos now, Arena& arena);
    [[nodiscard]] KnownTrace find(const TraceKey& trace, WallNanos now, Arena& arena);

    // What was lent gives way to what is said.
    void tell_tenant(
        const TraceKey& trace, const KnownTenant& told, WallNanos now, MemoryChange& change
    );
    void tell(const TraceKey& trace, const TraceNews& news, WallNanos now, AliasFinds& finds);

    // Spans of `from_trace`, published under `from`, link to `linked`. A trace that is not known
    // yet keeps the session waiting until it comes.
    void tell_link(
        const TraceKey& linked,
        const TraceId& from_trace,
        const TraceSession& from,
        WallNanos now,
        AliasFinds& finds
    );

    // False when the pair was told already. Else it is remembered, and numbered.
    [[nodiscard]] bool tell_pair(SessionAlias& alias, WallNanos now, MemoryChange& change);

    [[nodiscard]] std::size_t size() const;         // traces
    [[nodiscard]] std::size_t pairs_count() const;  // pairs of sessions
    [[nodiscard]] std::uint64_t evicted() const;    // traces that had to go before their time

  private:
    struct Stored {
        std::string session_id;
        std::string source;
        bool is_from_client = false;

        void assign(const TraceSession& session);
        [[nodiscard]] SessionClaim claim(Arena& arena) const;
    };

    struct Waiting {
        Stored session;
        TraceId trace_id{};
    };

    struct Known {
        Stored main;
        Standing standing = Standing::none;
        bool is_published = false;
        bool has_two_keys = false;
        std::unique_ptr<std::vector<Waiting>> waiting;  // linked to it; mostly none
    };

    struct StoredTenant {
        std::string tenant_id;
        bool is_lent = false;
        bool has_two = false;
    };

    struct Told {};

    struct alignas(64) Stripe {
        mutable std::mutex mutex;
        std::unique_ptr<BoundedMap<TraceKey, Known>> traces;          // guarded by mutex
        std::unique_ptr<BoundedMap<TraceKey, StoredTenant>> tenants;  // guarded by mutex
        mutable std::mutex pairs_mutex;                               // never taken under mutex
        std::unique_ptr<BoundedMap<MemoryKey, Told>> pairs;           // guarded by pairs_mutex
    };

    [[nodiscard]] Stripe& stripe_of(std::uint64_t hash) {
        return stripes_[hash >> 58];  // the upper six bits; the maps use the lower ones
    }

    [[nodiscard]] static Known& known_at(
        Stripe& stripe, const TraceKey& trace, WallNanos now, MemoryChange& change
    );
    static void learn(Known& known, const TraceId& trace, const TraceSession& key, AliasFinds&);
    static void publish(Known& known, const TraceId& trace, const TraceSession& one, AliasFinds&);
    static void end_waiting(
        Known& known, const TraceId& trace, const TraceSession& one, AliasFinds& finds
    );

    std::array<Stripe, stripes_count> stripes_;
    std::atomic<std::uint64_t> pairs_told_{0};
    std::atomic<bool> has_tenants_{false};  // whether one was ever told; else nobody need ask
};

}  // namespace spangate
