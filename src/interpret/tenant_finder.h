// Gives spans and log records that say no tenant themselves the one that their trace says
// (contract §3), so that a session is not torn in two: the nearest ancestor's that says one; the
// root's; the only one said in the trace, in the batch and in the memory; a linked trace's; at last
// `default`. What a span says itself always stands. Authenticated and configured tenants are said
// for every span of their requests. One for each lane.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "interpret/draft.h"
#include "interpret/nearest_ancestor.h"
#include "interpret/session_memory.h"
#include "interpret/trace_table.h"

namespace spangate {

class TenantFinder {
  public:
    static constexpr std::size_t links_max = 8;     // linked traces of one trace in a batch
    static constexpr std::uint32_t chain_max = 64;  // traces followed from link to link

    explicit TenantFinder(SessionMemory& memory) : memory_(memory) {}

    // Sets the tenant of each draft that says none. Parents are linked. `change` collects.
    void find(
        std::span<Draft> drafts,
        std::span<const WallNanos> received_at,
        Arena& arena,
        MemoryChange& change
    );

  private:
    enum class Asked : std::uint8_t { no, now, done };

    struct Trace {
        TraceKey key;
        std::string_view root;    // what a root says
        std::string_view first;   // what its spans say; empty: nothing
        std::string_view second;  // another one
        bool has_two_roots = false;
        bool is_asked = false;
        Asked link_asked = Asked::no;
        KnownTenant known;
        std::string_view linked;
        std::uint32_t first_link = no_index;  // of links_
        std::uint32_t links_count = 0;
        std::uint32_t request = 0;
    };

    // Of a trace that has a span without a tenant.
    struct Link {
        TraceKey target;
        std::uint32_t next = no_index;  // of the same trace
    };

    [[nodiscard]] bool note(std::span<const Draft> drafts);
    void note_links(const Draft& draft, Trace& trace);
    [[nodiscard]] const KnownTenant& known(Trace& trace);
    [[nodiscard]] std::string_view only_tenant(Trace& trace);
    [[nodiscard]] std::string_view of_link(const TraceKey& target, std::uint32_t chain);
    [[nodiscard]] std::string_view of_links(Trace& trace, std::uint32_t chain);
    void find_one(std::span<Draft> drafts, std::uint32_t index);
    void tell(std::span<const WallNanos> received_at, MemoryChange& change);

    SessionMemory& memory_;

    // Of the batch.
    Arena* arena_ = nullptr;
    WallNanos now_ = 0;  // of the span's request
    TraceTable<Trace> traces_;
    std::vector<Link> links_;
    std::vector<std::uint32_t> trace_of_draft_;
    NearestAncestor ancestors_;
};

}  // namespace spangate
