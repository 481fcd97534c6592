// Keeps one large client from starving the small ones: while memory is plentiful anyone may take
// it; when three quarters are leased, whoever holds an eighth already is asked to come back.
//
// A client is its tenant where clients prove who they are; else its address; on loopback, where all
// have one address, its connection. Clients are told apart by a hash over a fixed table, so memory
// is bounded and nobody is ever forgotten; two that fall on one place share its fate. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/memory_budget.h"

namespace spangate {

// Who sends, as far as its transport knows.
struct ClientPeer {
    std::string_view address;  // without port; empty: not known (a Unix socket)
    std::uint16_t port = 0;
};

// From gRPC's words for it: `ipv4:10.0.0.7:50123`, `ipv6:%5B::1%5D:50123` (brackets percent-encoded
// or not), `unix:...`. The views point into `uri`.
[[nodiscard]] ClientPeer peer_of_uri(std::string_view uri);

class ClientShares {
  public:
    // What that client's leases count; null: nothing tells this client from others, so it is not
    // held to a share.
    [[nodiscard]] std::atomic<std::uint64_t>* of(std::string_view tenant_id, ClientPeer peer);

    // Whether `lease` may grow to `bytes`. A client's only request is never refused here.
    [[nodiscard]] static bool may_grow(
        const MemoryBudget& budget, const Lease& lease, std::uint64_t bytes
    );

  private:
    std::array<std::atomic<std::uint64_t>, 4096> bytes_held_{};
};

}  // namespace spangate
