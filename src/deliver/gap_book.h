// Numbers that were given and not delivered, until a `gateway_gap` event that tells them is stored
// (contract §3). Bounded: above `ranges_max` further ones are counted as lost, not kept.
// Thread-safe.
//
//   withdrawn() ─▶ pending ─take()─▶ taken ─under_way()─▶ in the sinks ─gap_stored()─▶ forgotten
//                     ▲                └─put_back()─┐            └─withdrawn()─┐
//                     └───────────────────────────-─┴─────────────────────────-┘
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "deliver/withdrawal.h"
#include "model/record.h"
#include "observe/metrics.h"

namespace spangate {

struct Gap {
    std::string tenant_id;
    std::string session_id;
    std::uint64_t session_hash = 0;
    std::uint64_t epoch = 0;
    std::uint64_t seq_from = 0;
    std::uint64_t seq_to = 0;
    WithdrawalReason reason = WithdrawalReason::refused;
};

class GapBook final : public WithdrawalListener {
  public:
    explicit GapBook(Metrics& metrics, std::size_t ranges_max = 10'000);

    void withdrawn(const OutboundRecord& record, WithdrawalReason reason) override;
    void gap_stored(const OutboundRecord& record) override;

    [[nodiscard]] bool has_pending() const {
        return pending_count_.load(std::memory_order_relaxed) > 0;
    }

    // Up to `gaps_max` pending gaps, neighbours merged. Each must then come back through exactly
    // one of put_back(), under_way() and lost().
    [[nodiscard]] std::vector<Gap> take(std::size_t gaps_max);
    void put_back(Gap gap);

    // `record` tells `gap` and is about to be handed to `sinks_count` sinks.
    void under_way(Gap gap, const OutboundRecord& record, std::uint32_t sinks_count);

    // The session's counter is gone, so nothing can be told in that epoch any more.
    void lost(const Gap& gap);

    // True while a gap of this session is not yet stored: its counter must not be forgotten.
    [[nodiscard]] bool concerns(std::uint64_t session_hash) const;

  private:
    struct Range {
        std::uint64_t seq_from = 0;
        std::uint64_t seq_to = 0;
        WithdrawalReason reason = WithdrawalReason::refused;
    };

    struct SessionGaps {
        std::string tenant_id;
        std::string session_id;
        std::vector<Range> ranges;
    };

    struct UnderWay {
        Gap gap;
        std::uint32_t sinks_left = 0;
        bool is_withdrawn = false;
    };

    using EpochKey = std::pair<std::uint64_t, std::uint64_t>;                // session hash, epoch
    using GapKey = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;  // and the gap's number

    // All with mutex_ held.
    void add(Gap gap);
    void settle_gap(const OutboundRecord& record, bool is_withdrawn);
    void release(std::uint64_t session_hash);
    std::size_t merge(EpochKey key, SessionGaps& gaps);

    const std::size_t ranges_max_;
    Counter& told_;
    Counter& lost_;
    mutable std::mutex mutex_;
    std::map<EpochKey, SessionGaps> pending_;
    std::map<GapKey, UnderWay> under_way_;
    std::unordered_map<std::uint64_t, std::uint32_t> concerned_;  // session hash → ranges anywhere
    std::size_t ranges_count_ = 0;                                // anywhere
    std::atomic<std::size_t> pending_count_{0};
};

}  // namespace spangate
