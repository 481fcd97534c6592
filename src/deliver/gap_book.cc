#include "deliver/gap_book.h"

#include <algorithm>

namespace spangate {

GapBook::GapBook(Metrics& metrics, std::size_t ranges_max)
    : ranges_max_(ranges_max),
      told_(metrics.counter(
          "spangate_deliver_gaps_told_total", "gateway_gap events stored by every required sink."
      )),
      lost_(metrics.counter(
          "spangate_deliver_gaps_lost_total",
          "Gaps that could not be told: too many at once, or the session's counter was forgotten."
      )) {}

void GapBook::withdrawn(const OutboundRecord& record, WithdrawalReason reason) {
    if (record.gateway_seq == 0) return;  // never numbered, so no hole
    const std::lock_guard lock(mutex_);
    if (record.event_type == EventType::gateway_gap) settle_gap(record, true);
    add(
        {std::string(record.tenant_id),
         std::string(record.key),
         record.session_hash,
         record.gateway_epoch,
         record.gateway_seq,
         record.gateway_seq,
         reason}
    );
}

void GapBook::gap_stored(const OutboundRecord& record) {
    const std::lock_guard lock(mutex_);
    settle_gap(record, false);
}

void GapBook::add(Gap gap) {
    SessionGaps& session = pending_[{gap.session_hash, gap.epoch}];
    // The records of one event, and neighbours in time, come one after the other.
    for (Range& range : session.ranges) {
        if (gap.seq_from >= range.seq_from && gap.seq_to <= range.seq_to) return;
        if (range.reason == gap.reason && gap.seq_from == range.seq_to + 1) {
            range.seq_to = gap.seq_to;
            return;
        }
    }
    if (ranges_count_ >= ranges_max_) {
        lost_.add();
        if (session.ranges.empty()) pending_.erase({gap.session_hash, gap.epoch});
        return;
    }
    session.tenant_id = std::move(gap.tenant_id);
    session.session_id = std::move(gap.session_id);
    session.ranges.push_back({gap.seq_from, gap.seq_to, gap.reason});
    ++concerned_[gap.session_hash];
    ++ranges_count_;
    pending_count_.fetch_add(1, std::memory_order_relaxed);
}

void GapBook::settle_gap(const OutboundRecord& record, bool is_withdrawn) {
    const auto at =
        under_way_.find({record.session_hash, record.gateway_epoch, record.gateway_seq});
    if (at == under_way_.end()) return;
    at->second.is_withdrawn |= is_withdrawn;
    if (--at->second.sinks_left > 0) return;
    Gap gap = std::move(at->second.gap);
    const bool again = at->second.is_withdrawn;
    under_way_.erase(at);
    release(gap.session_hash);
    if (again) {
        add(std::move(gap));
    } else {
        told_.add();
    }
}

void GapBook::release(std::uint64_t session_hash) {
    --ranges_count_;
    const auto at = concerned_.find(session_hash);
    if (at != concerned_.end() && --at->second == 0) concerned_.erase(at);
}

// Joins neighbours of one reason; returns how many ranges went.
std::size_t GapBook::merge(EpochKey key, SessionGaps& gaps) {
    std::sort(gaps.ranges.begin(), gaps.ranges.end(), [](const Range& a, const Range& b) {
        return a.seq_from < b.seq_from;
    });
    std::vector<Range> merged;
    for (const Range& range : gaps.ranges) {
        const bool joins = !merged.empty() && merged.back().reason == range.reason &&
                           range.seq_from <= merged.back().seq_to + 1;
        if (joins) {
            merged.back().seq_to = std::max(merged.back().seq_to, range.seq_to);
            release(key.first);
        } else {
            merged.push_back(range);
        }
    }
    const std::size_t gone = gaps.ranges.size() - merged.size();
    gaps.ranges = std::move(merged);
    return gone;
}

std::vector<Gap> GapBook::take(std::size_t gaps_max) {
    std::vector<Gap> taken;
    const std::lock_guard lock(mutex_);
    while (!pending_.empty() && taken.size() < gaps_max) {
        const auto at = pending_.begin();
        auto& [key, session] = *at;
        pending_count_.fetch_sub(merge(key, session), std::memory_order_relaxed);
        while (!session.ranges.empty() && taken.size() < gaps_max) {
            const Range range = session.ranges.front();
            session.ranges.erase(session.ranges.begin());
            pending_count_.fetch_sub(1, std::memory_order_relaxed);
            taken.push_back(
                {session.tenant_id,
                 session.session_id,
                 key.first,
                 key.second,
                 range.seq_from,
                 range.seq_to,
                 range.reason}
            );
        }
        if (session.ranges.empty()) pending_.erase(at);
    }
    return taken;
}

void GapBook::put_back(Gap gap) {
    const std::lock_guard lock(mutex_);
    release(gap.session_hash);
    add(std::move(gap));
}

void GapBook::under_way(Gap gap, const OutboundRecord& record, std::uint32_t sinks_count) {
    const std::lock_guard lock(mutex_);
    const GapKey key{record.session_hash, record.gateway_epoch, record.gateway_seq};
    under_way_.insert_or_assign(key, UnderWay{std::move(gap), sinks_count, false});
}

void GapBook::lost(const Gap& gap) {
    const std::lock_guard lock(mutex_);
    release(gap.session_hash);
    lost_.add();
}

bool GapBook::concerns(std::uint64_t session_hash) const {
    const std::lock_guard lock(mutex_);
    return concerned_.contains(session_hash);
}

}  // namespace spangate
