#include "interpret/usage_memory.h"

#include <algorithm>
#include <chrono>

#include <xxhash.h>

namespace spangate {
namespace {

// A trace has many calls, few that fail and few hand-offs.
constexpr std::uint32_t calls_per_handoff = 8;
constexpr std::uint32_t calls_per_chain = 8;
constexpr std::uint32_t calls_per_tool = 8;

WallNanos nanos_of(Millis duration) {
    return std::chrono::nanoseconds(duration).count();
}

}  // namespace

MemoryKey memory_key(std::span<const std::string_view> pieces) {
    XXH128_hash_t hash{0x5350414EU, 0x47415445U};
    for (const std::string_view piece : pieces) {
        hash = XXH3_128bits_withSeed(piece.data(), piece.size(), hash.low64 ^ (hash.high64 * 3));
    }
    return {hash.high64, hash.low64};
}

void TraceHandoffs::add(const Handoff& handoff) {
    if (count == handoffs_max) {
        std::move(handoffs.begin() + 1, handoffs.end(), handoffs.begin());
        --count;
    }
    handoffs[count++] = handoff;
}

void AttemptChain::add(const Attempt& attempt) {
    if (count == attempts_max) {
        std::move(attempts.begin() + 1, attempts.end(), attempts.begin());
        --count;
    }
    std::size_t at = count++;
    for (; at > 0 && attempts[at - 1].ended_at > attempt.ended_at; --at)
        attempts[at] = attempts[at - 1];
    attempts[at] = attempt;
}

void ToolTellings::add(const Telling& telling) {
    if (count == tellings_max) {
        std::move(tellings.begin() + 1, tellings.end(), tellings.begin());
        --count;
    }
    tellings[count++] = telling;
}

UsageMemory::UsageMemory(const UsageMemoryConfig& config)
    : calls_(config.calls_max, nanos_of(config.ttl)),
      attempts_(std::max(config.calls_max / calls_per_chain, 1U), nanos_of(config.ttl)),
      handoffs_(std::max(config.calls_max / calls_per_handoff, 1U), nanos_of(config.ttl)),
      tools_(std::max(config.calls_max / calls_per_tool, 1U), nanos_of(config.ttl)) {}

std::size_t UsageMemory::size() {
    const std::lock_guard lock(mutex_);
    return calls_.size() + attempts_.size() + handoffs_.size() + tools_.size();
}

}  // namespace spangate
