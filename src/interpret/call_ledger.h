// One call told twice counts once, one hand-off is told once, and a call after a failed one is its
// retry (contract §5; conventions table, `dedupe` and overlays with `repeat`). Works on a whole
// batch after its sessions are bound, with one look into the memory. One for each lane.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "interpret/convention_table.h"
#include "interpret/draft.h"
#include "interpret/span_reader.h"
#include "interpret/usage_memory.h"
#include "model/field_set.h"

namespace spangate {

class CallLedger {
  public:
    CallLedger(const ConventionTable& table, UsageMemory& memory);

    // `order`: indices of drafts in the order of the story. `reader` makes ids of further events.
    void settle(
        std::span<Draft> drafts,
        std::span<const std::uint32_t> order,
        std::span<const WallNanos> received_at,
        SpanReader& reader,
        Arena& arena
    );

  private:
    struct Telling {
        std::uint32_t draft = 0;
        const EventId* keeper = nullptr;  // whose twin it is by its scope
    };

    struct Names {
        std::array<MemoryKey, 3> keys{};
        std::size_t count = 0;
        std::size_t lasting = 0;  // the first ones; the rest are kept only for twins by scope
    };

    void collect(std::span<const Draft> drafts, std::span<const std::uint32_t> order);
    [[nodiscard]] bool has_repeat(const Draft& draft) const;

    void settle_scopes(std::span<Draft> drafts);
    [[nodiscard]] const Draft* keeper_of(std::span<const Draft> drafts, const Draft& draft) const;
    [[nodiscard]] Names names_of(const Draft& draft) const;
    [[nodiscard]] bool was_counted(const Draft& draft);
    void settle_names(std::span<Draft> drafts);
    void settle_run(Draft& draft);
    void settle_handoffs(std::span<Draft> drafts);
    void settle_tool_handoff(Draft& draft, WallNanos now);
    void settle_agent_handoff(std::span<const Draft> drafts, Draft& draft, WallNanos now);
    void yield_to_agent(Draft& draft, const EventId& agent);
    void settle_protocol_twins(std::span<Draft> drafts);
    void settle_repeats(std::span<Draft> drafts, SpanReader& reader);
    void settle_repeat(Draft& draft, std::size_t overlay, WallNanos now, SpanReader& reader);

    // attempt_ledger.cc
    [[nodiscard]] std::optional<MemoryKey> chain_of(
        const Draft& draft, std::size_t overlay, const RepeatTest& repeat
    ) const;
    void add_retry(
        Draft& draft,
        const Overlay& overlay,
        const EventId& first,
        std::uint32_t occurrence,
        SpanReader& reader
    );
    void become_twin(Draft& draft, const EventId& of);
    void put(Draft& draft, std::span<const FieldValue> values);

    // tool_ledger.cc
    [[nodiscard]] Names names_of_tool(const Draft& draft, const AgentEvent& event) const;
    [[nodiscard]] EventId first_telling(const Draft& draft, const AgentEvent& event);
    void settle_tools(Draft& draft);
    void settle_joined(Draft& draft);
    void drop_event(Draft& draft, std::size_t index);

    [[nodiscard]] TraceHandoffs& handoffs_of(const Draft& draft, WallNanos now);

    [[nodiscard]] WallNanos now_of(const Draft& draft) const { return received_at_[draft.request]; }

    const ConventionTable& table_;
    UsageMemory& memory_;
    std::vector<std::size_t> repeats_;  // overlays

    // Of the batch.
    Arena* arena_ = nullptr;
    std::span<const WallNanos> received_at_;
    std::vector<Telling> tellings_;       // counted usage, in order
    std::vector<std::uint32_t> keepers_;  // by trace: inferences that the table prefers
    std::vector<std::uint32_t> tool_handoffs_;
    std::vector<std::uint32_t> agent_handoffs_;
    std::vector<std::uint32_t> protocol_calls_;  // of a protocol told by both sides
    std::vector<std::uint32_t> repeatable_;
    std::vector<std::uint32_t> runs_;
    std::vector<std::uint32_t> tools_;  // whose calls another carrier may tell as well
    std::vector<std::uint32_t>
        joined_;  // with more events than their rule's, and a log record's span
    bool joins_are_told_ = false;
    FieldSetBuilder fields_;
};

}  // namespace spangate
