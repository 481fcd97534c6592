// What the sinks can take at most, as far as they have learnt it: written by a sink's thread, read
// by the lanes. Relaxed: each number stands for itself, and a record cut by an older one is refused
// and told, not lost silently.
#pragma once

#include <atomic>
#include <cstdint>

namespace spangate {

struct RecordLimits {
    // The smallest max.message.bytes of the evidence topics; 0: not known (yet).
    std::atomic<std::uint64_t> evidence_bytes{0};
};

}  // namespace spangate
