// Gives every span of a batch its session (contract §4): its own key; the nearest keyed ancestor's;
// the key of its trace's root; the only key known for its trace, in the batch and in the memory; a
// linked trace's; its resource's; at last the trace id itself. One for each lane.
//
// A session is (tenant, session): tenants are found first, a key is lent within its tenant only,
// and the spans of two tenants in one trace are two traces here. Who names no tenant and gets none
// lends to all.
//
// A trace with two keys says nothing about its keyless spans beyond ancestor and root: one
// session's story must not run into another's. What belongs together all the same is told by
// aliases.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "digest/hash_key.h"
#include "interpret/draft.h"
#include "interpret/nearest_ancestor.h"
#include "interpret/session_alias.h"
#include "interpret/session_memory.h"
#include "interpret/tenant_finder.h"
#include "interpret/trace_table.h"
#include "observe/metrics.h"

namespace spangate {

// How a span came to its session; `source` of spangate_session_bound_total.
enum class BoundBy : std::uint8_t {
    own,
    ancestor,
    root,
    trace_batch,
    trace_memory,
    link,
    resource,
    trace_id,
    log,
};

inline constexpr std::array<std::string_view, 9> bound_by_names = {
    "own",
    "ancestor",
    "root",
    "trace_batch",
    "trace_memory",
    "link",
    "resource",
    "trace_id",
    "log"};

class SessionBinder {
  public:
    static constexpr std::uint32_t depth_max = NearestAncestor::depth_max;
    static constexpr std::size_t links_max = 8;       // linked traces of one trace in a batch
    static constexpr std::uint32_t chain_max = 64;    // traces followed from link to link
    static constexpr std::size_t aliases_max = 1024;  // pairs told by one batch

    SessionBinder(SessionMemory& memory, const HashKey& hash_key, Metrics& metrics);

    // Sets parent and depth of every draft. A log record's parent is the span it was written in.
    // Ids of different authorities never meet.
    void link_parents(std::span<Draft> drafts);

    // After link_parents: tenants, sessions, and what is keyed by the tenant. `received_at` is that
    // of each request.
    void bind(std::span<Draft> drafts, std::span<const WallNanos> received_at, Arena& arena);

    // The pairs of sessions that the last bind() found to be one story and that were not told yet.
    [[nodiscard]] std::span<const SessionAlias> aliases() const { return aliases_; }

  private:
    enum class Asked : std::uint8_t { no, now, done };

    struct Trace {
        TraceKey key;
        std::uint32_t root = no_index;        // a keyed root
        std::uint32_t first = no_index;       // the first keyed span
        std::uint32_t second = no_index;      // the first with another key
        std::uint32_t published = no_index;   // the first kept span
        std::uint32_t other = no_index;       // the last kept span of another session than that
        std::uint32_t first_link = no_index;  // of links_
        std::uint32_t links_count = 0;
        bool has_two_roots = false;  // with different keys
        bool is_asked = false;
        Asked link_asked = Asked::no;
        KnownTrace known;
        SessionClaim linked;
    };

    // That a trace's spans link to another one.
    struct Link {
        TraceKey target;
        std::uint32_t draft = no_index;  // a span with the link, a kept one if there is one
        std::uint32_t next = no_index;   // of the same trace
        bool is_asked = false;
        SessionClaim claim;  // of a target that is not in the batch
    };

    // session_binder.cc: the drafts and their sessions.
    [[nodiscard]] std::uint32_t find_span(std::span<const Draft> drafts, const Draft& child) const;
    void note_keys(std::span<const Draft> drafts);
    [[nodiscard]] std::uint32_t find_keyed_ancestor(
        std::span<const Draft> drafts, std::uint32_t index
    );
    [[nodiscard]] const KnownTrace& known(Trace& trace);
    [[nodiscard]] SessionClaim only_key(std::span<const Draft> drafts, Trace& trace);
    [[nodiscard]] SessionClaim of_nobodys(
        std::span<const Draft> drafts, TraceKey key, bool& is_here
    );
    [[nodiscard]] SessionClaim of_trace_id(const TraceId& trace_id) const;
    [[nodiscard]] SessionClaim of_resource_hash(const ResourceView& resource);
    [[nodiscard]] BoundBy find_session(std::span<Draft> drafts, std::uint32_t index);
    void write_references(const Draft& draft) const;
    void note_published(std::span<const Draft> drafts, std::uint32_t index);

    // explanation.cc, when somebody asks.
    void explain(std::span<const Draft> drafts, std::uint32_t index);

    // session_links.cc: linked traces, and what the memory is told.
    void note_links(std::span<const Draft> drafts, std::uint32_t index);
    [[nodiscard]] SessionClaim of_link(
        std::span<const Draft> drafts, Link& link, std::uint32_t chain
    );
    [[nodiscard]] SessionClaim of_linked_traces(
        std::span<const Draft> drafts, Trace& trace, std::uint32_t chain
    );
    [[nodiscard]] SessionClaim of_links(std::span<const Draft> drafts, std::uint32_t index);
    [[nodiscard]] TraceSession published_session(std::span<const Draft> drafts, std::uint32_t index)
        const;
    [[nodiscard]] bool is_news(std::span<const Draft> drafts, const Trace& trace) const;
    void tell_traces(std::span<const Draft> drafts, std::span<const WallNanos> received_at);
    void tell_links(std::span<const Draft> drafts, std::span<const WallNanos> received_at);
    void keep_new_aliases(std::span<const WallNanos> received_at);

    SessionMemory& memory_;
    const HashKey& hash_key_;
    std::array<Counter*, bound_by_names.size()> bound_{};
    std::array<Counter*, alias_reason_names.size()> aliased_{};
    Counter& aliases_limited_;
    Gauge& traces_known_;
    Gauge& pairs_known_;
    Gauge& tenants_known_;
    Counter& traces_evicted_;
    Counter& pairs_evicted_;
    Counter& tenants_evicted_;
    TenantFinder tenants_;

    // Of the batch.
    Arena* arena_ = nullptr;
    WallNanos now_ = 0;                       // of the span's request
    std::vector<std::uint32_t> span_places_;  // draft + 1 by (trace, span)
    TraceTable<Trace> traces_;
    std::vector<Link> links_;
    std::vector<std::uint32_t> trace_of_draft_;
    NearestAncestor keyed_ancestors_;
    std::vector<BoundBy> bound_by_;
    std::vector<std::uint32_t> others_;  // kept drafts of another session than their trace's first
    std::vector<TraceSession> published_;   // scratch
    std::vector<std::string_view> pieces_;  // scratch
    const ResourceView* hashed_resource_ = nullptr;
    SessionClaim resource_hash_;
    AliasFinds finds_;
    std::vector<SessionAlias> aliases_;
};

}  // namespace spangate
