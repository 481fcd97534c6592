// Two sessions that turned out to be one story (contract §4): what a key that came late, a second
// key in one trace, or a link between traces leads to. Nothing is re-keyed; both sessions are told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/span_view.h"

namespace spangate {

// A session as a span's key, an ancestor or the memory gives it. Views live as long as the batch.
struct SessionClaim {
    std::string_view session_id;
    std::string_view source;      // the key that gave it
    bool is_from_client = false;  // else a token made by the gateway

    [[nodiscard]] bool empty() const { return session_id.empty(); }
};

enum class AliasReason : std::uint8_t { late_key, same_trace, link };

inline constexpr std::array<std::string_view, 3> alias_reason_names = {
    "late_key", "same_trace", "link"};

[[nodiscard]] constexpr std::string_view name_of(AliasReason reason) {
    return alias_reason_names[static_cast<std::size_t>(reason)];
}

// One side: a session, and a trace that is told in it.
struct AliasEnd {
    SessionClaim claim;
    TraceId trace_id{};
};

struct SessionAlias {
    std::string_view tenant_id;  // of both
    AliasEnd one;
    AliasEnd other;
    AliasReason reason = AliasReason::late_key;
    std::uint32_t request = 0;  // of the batch: whose spans showed it
    std::uint64_t number = 0;   // of the pairs of this process, from 1
};

}  // namespace spangate
