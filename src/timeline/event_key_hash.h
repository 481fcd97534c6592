// Event ids in tables. They are digests as a rule, but nothing forces who writes a topic.
#pragma once

#include <cstdint>
#include <cstring>

#include "timeline/story_event.h"

namespace spangate {

[[nodiscard]] inline std::uint64_t event_key_hash(const EventKey& key) {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::memcpy(&first, key.data(), sizeof first);
    std::memcpy(&last, key.data() + sizeof first, sizeof last);
    std::uint64_t hash = (first ^ (last + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9;
    hash = (hash ^ (hash >> 32) ^ last) * 0x94D049BB133111EB;
    return hash ^ (hash >> 32);
}

}  // namespace spangate
