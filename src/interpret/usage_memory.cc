#include "interpret/usage_memory.h"

#include <algorithm>
#include <chrono>

#include <xxhash.h>

namespace spangate {
namespace {

// A trace has many calls and few hand-offs.
constexpr std::uint32_t calls_per_handoff = 8;

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

UsageMemory::UsageMemory(const UsageMemoryConfig& config)
    : calls_(config.calls_max, nanos_of(config.ttl)),
      handoffs_(std::max(config.calls_max / calls_per_handoff, 1U), nanos_of(config.ttl)) {}

std::size_t UsageMemory::size() {
    const std::lock_guard lock(mutex_);
    return calls_.size() + handoffs_.size();
}

}  // namespace spangate
