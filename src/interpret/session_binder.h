// Gives every span of a batch its session (contract §4): its own key; the nearest keyed ancestor's;
// the key of its trace's root; the first known for its trace, in the batch and then in the memory;
// a linked trace's; its resource's; at last the trace id itself. One for each lane.
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
#include "interpret/session_memory.h"
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
};

inline constexpr std::array<std::string_view, 8> bound_by_names = {
    "own", "ancestor", "root", "trace_batch", "trace_memory", "link", "resource", "trace_id"};

class SessionBinder {
  public:
    static constexpr std::uint32_t depth_max = 256;  // ancestors looked at
    static constexpr std::size_t links_max = 8;      // linked traces looked at

    SessionBinder(SessionMemory& memory, const HashKey& hash_key, Metrics& metrics);

    // Sets parent and depth of every draft. Ids of different authorities never meet.
    void link_parents(std::span<Draft> drafts);

    // After link_parents. `received_at` of a draft is that of its request.
    void bind(std::span<Draft> drafts, std::span<const WallNanos> received_at, Arena& arena);

  private:
    struct Trace {
        TraceKey key;
        std::uint32_t root = no_index;   // a keyed root
        std::uint32_t first = no_index;  // the first keyed span
        bool is_asked = false;
        SessionClaim remembered;
    };

    [[nodiscard]] std::uint32_t find_span(std::span<const Draft> drafts, const Draft& child) const;
    [[nodiscard]] std::uint32_t find_trace(const TraceKey& key) const;
    [[nodiscard]] std::uint32_t trace_of(const TraceKey& key);  // new when it is not known yet
    [[nodiscard]] SessionClaim asked(Trace& trace, WallNanos now, Arena& arena);
    [[nodiscard]] SessionClaim of_trace(
        std::span<const Draft> drafts, Trace& trace, WallNanos now, Arena& arena
    );
    [[nodiscard]] SessionClaim of_links(
        std::span<const Draft> drafts, const Draft& draft, WallNanos now, Arena& arena
    );
    [[nodiscard]] SessionClaim of_trace_id(const Draft& draft, Arena& arena) const;
    void note_keys(std::span<Draft> drafts);
    void bind_one(std::span<Draft> drafts, std::uint32_t index, WallNanos now, Arena& arena);

    SessionMemory& memory_;
    const HashKey& hash_key_;
    std::array<Counter*, bound_by_names.size()> bound_{};
    std::vector<std::uint32_t> span_places_;   // draft + 1 by (trace, span)
    std::vector<std::uint32_t> trace_places_;  // trace + 1
    std::vector<Trace> traces_;
    std::vector<std::uint32_t> trace_of_draft_;
    std::vector<std::uint32_t> keyed_ancestor_;  // draft, no_index: none
};

}  // namespace spangate
