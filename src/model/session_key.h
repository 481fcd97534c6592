// A session is (tenant, session id). Borrowed; whose bytes they are is said where it is stored.
#pragma once

#include <cstdint>
#include <string_view>

#include <xxhash.h>

namespace spangate {

struct SessionKey {
    std::string_view tenant_id;
    std::string_view session_id;

    friend bool operator==(const SessionKey&, const SessionKey&) = default;

    // Stable within a process; for stripes and maps, not for Kafka's partitions.
    [[nodiscard]] std::uint64_t hash() const {
        const std::uint64_t tenant = XXH3_64bits(tenant_id.data(), tenant_id.size());
        return XXH3_64bits_withSeed(session_id.data(), session_id.size(), tenant);
    }
};

}  // namespace spangate
