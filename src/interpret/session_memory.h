// Which session a trace belongs to, for spans that come without a key in a later request (contract
// §4). One object for all lanes; bounded, with a time to live. Asked once for each trace of a
// batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/clock.h"
#include "config/config.h"
#include "interpret/bounded_map.h"
#include "model/span_view.h"

namespace spangate {

// A session as a span's key, an ancestor or the memory gives it. Views live as long as the batch.
struct SessionClaim {
    std::string_view session_id;
    std::string_view source;      // the key that gave it
    bool is_from_client = false;  // else a token made by the gateway

    [[nodiscard]] bool empty() const { return session_id.empty(); }
};

// Traces of different authorities (authenticated or configured tenants) never meet.
struct TraceKey {
    std::uint64_t authority = 0;  // hash of the tenant
    TraceId trace_id{};

    friend bool operator==(const TraceKey&, const TraceKey&) = default;

    [[nodiscard]] std::uint64_t hash() const;
};

[[nodiscard]] TraceKey trace_key(std::string_view authority, const TraceId& trace_id);

class SessionMemory {
  public:
    static constexpr std::size_t stripes_count = 64;

    explicit SessionMemory(const SessionMemoryConfig& config);

    // Any thread. Copies into the arena; empty when nothing is known. `now` is the request's time.
    [[nodiscard]] SessionClaim find(const TraceKey& trace, WallNanos now, Arena& arena);

    // The first session told for a trace stays until it is forgotten.
    void remember(const TraceKey& trace, const SessionClaim& session, WallNanos now);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::uint64_t evicted() const;

  private:
    struct Known {
        std::string session_id;
        std::string source;
        bool is_from_client = false;
    };

    struct alignas(64) Stripe {
        mutable std::mutex mutex;
        std::unique_ptr<BoundedMap<TraceKey, Known>> traces;  // guarded by mutex
    };

    [[nodiscard]] Stripe& stripe_of(std::uint64_t hash) {
        return stripes_[hash >> 58];  // the upper six bits; the maps use the lower ones
    }

    std::array<Stripe, stripes_count> stripes_;
};

}  // namespace spangate
