// One event as the reading side keeps it: the operational fields of the contract (events.md §3,
// §5), from JSON or protobuf, of any class. Flat, so that 100,000 of them are not a burden.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/clock.h"
#include "model/event_type.h"
#include "timeline/text_pool.h"

namespace spangate {

// The 16 bytes whose hex is the contract's event_id; all zero: none.
using EventKey = std::array<std::uint8_t, 16>;
using TraceKey = std::array<std::uint8_t, 16>;
using SpanKey = std::array<std::uint8_t, 8>;

// What the record does not tell: times are 0, counts -1, reals not a number, texts empty.
inline constexpr std::int64_t no_count = -1;
inline constexpr std::int64_t count_max = (std::int64_t{1} << 53) - 1;  // contract §7
inline constexpr double no_real = std::numeric_limits<double>::quiet_NaN();

[[nodiscard]] inline bool is_told(std::int64_t count) {
    return count >= 0;
}

[[nodiscard]] inline bool is_told(double real) {
    return !std::isnan(real);
}

// A set of classes, one bit each.
using ClassBits = std::uint8_t;

[[nodiscard]] constexpr ClassBits bit(EventClass event_class) {
    return static_cast<ClassBits>(1U << static_cast<unsigned>(event_class));
}

enum class EventOutcome : std::uint8_t {
    none,
    ok,
    error,
    blocked,
    rejected,
    timeout,
    cancelled,
    invalid
};
enum class Told : std::uint8_t { unknown, no, yes };

struct StoryEvent {
    EventKey id{};
    EventKey primary_id{};  // of the span's primary event, on the others
    TraceKey trace_id{};
    SpanKey span_id{};
    SpanKey parent_span_id{};
    SpanKey ancestor_span_id{};  // the nearest kept one, where the parent is not kept
    EventKey twin_of{};          // the other telling of the same call
    EventType type = EventType::other;
    EventSource source = EventSource::span;
    TimeSource time_source = TimeSource::span;
    EventOutcome outcome = EventOutcome::none;
    ClassBits classes = 0;  // what the event promises to have been written
    ClassBits seen = 0;     // which of these were read
    Told counted = Told::unknown;
    Told guardrail_triggered = Told::unknown;
    bool has_time_fault = false;

    WallNanos timestamp = 0;
    WallNanos received_at = 0;
    WallNanos start_at = 0;
    WallNanos end_at = 0;
    double duration_ms = no_real;
    double ttft_ms = no_real;

    std::uint64_t gateway_seq = 0;
    std::uint64_t gateway_epoch = 0;
    std::int64_t offset = no_count;  // of the operational record, else of the first class read
    std::int32_t partition = -1;

    TextId gateway_id = no_text;
    TextId tenant_id = no_text;
    TextId session_id = no_text;
    TextId session_source = no_text;
    TextId env = no_text;
    TextId service_name = no_text;
    TextId agent_id = no_text;
    TextId agent_name = no_text;
    TextId workflow_id = no_text;
    TextId run_id = no_text;
    TextId user_ref = no_text;
    TextId operation = no_text;
    TextId step = no_text;
    TextId caller_step = no_text;
    TextId turn_id = no_text;
    TextId task_id = no_text;
    TextId parent_agent_id = no_text;
    TextId error_class = no_text;
    TextId tool_name = no_text;
    TextId tool_call_id = no_text;
    TextId args_digest = no_text;
    TextId result_digest = no_text;
    TextId args_shape_digest = no_text;
    TextId provider = no_text;
    TextId model = no_text;
    TextId response_id = no_text;
    TextId finish_reason = no_text;
    TextId cost_source = no_text;
    TextId usage_role = no_text;
    TextId policy_decision = no_text;
    TextId policy_source = no_text;
    TextId guardrail_name = no_text;
    TextId attempt_of = no_text;
    TextId termination_reason = no_text;
    TextId state_snapshot_hash = no_text;
    TextId decision_chosen = no_text;
    TextId decision_options = no_text;  // joined by U+001F
    TextId handoff_source = no_text;
    TextId handoff_target = no_text;
    TextId eval_name = no_text;
    TextId eval_label = no_text;
    TextId evidence_commitment = no_text;
    TextId alias_session_id = no_text;
    TextId alias_reason = no_text;
    TextId reason = no_text;  // of a gateway_gap
    TextId signal = no_text;  // of a guard's event, as the next five
    TextId severity = no_text;

    std::int64_t http_status = no_count;
    std::int64_t tokens_prompt = no_count;
    std::int64_t tokens_completion = no_count;
    std::int64_t tokens_total = no_count;
    std::int64_t tokens_cache_read = no_count;
    std::int64_t tokens_cache_write = no_count;
    std::int64_t tokens_reasoning = no_count;
    std::int64_t retry_count = no_count;
    std::int64_t retry_max = no_count;
    std::int64_t retrieval_count = no_count;
    std::int64_t redactions = no_count;
    std::int64_t content_length = no_count;  // bytes of content, rounded up to 16
    std::int64_t seq_from = no_count;  // of a gateway_gap
    std::int64_t seq_to = no_count;
    std::int64_t repeat_count = no_count;
    double cost_usd = no_real;
    double budget_remaining = no_real;
    double eval_score = no_real;
    double cost_so_far_usd = no_real;
    EventKey first_event_id{};
    EventKey last_event_id{};
};

template <std::size_t size>
[[nodiscard]] constexpr bool is_zero(const std::array<std::uint8_t, size>& key) {
    for (const std::uint8_t byte : key) {
        if (byte != 0) return false;
    }
    return true;
}

}  // namespace spangate
