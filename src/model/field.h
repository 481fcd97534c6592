// The fixed field list of the operational event (contract §5) with the header fields that come from
// telemetry (§3): one row a field, in the order in which encoders write them. Nothing outside this
// table can stand in an operational record. Numbers are those of proto/spangate/v1/events.proto;
// tests/model/field_test.cc holds both against each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/event_type.h"

namespace spangate {

enum class FieldId : std::uint8_t {
    env,
    service_name,
    agent_id,
    agent_name,
    workflow_id,
    run_id,
    user_ref,
    operation,
    step,
    caller_step,
    turn_id,
    task_id,
    workflow_name,
    agent_version,
    parent_agent_id,
    primary_event_id,
    ancestor_span_id,
    joins,
    start_ts,
    end_ts,
    duration_ms,
    time_fault,
    ttft_ms,
    status_code,
    outcome,
    error_class,
    http_status,
    tool_name,
    tool_call_id,
    tool_type,
    mcp_method,
    mcp_server,
    args_digest,
    result_digest,
    args_shape_digest,
    provider,
    model,
    model_requested,
    response_id,
    finish_reason,
    stream,
    tokens_prompt,
    tokens_completion,
    tokens_total,
    tokens_cache_read,
    tokens_cache_write,
    tokens_reasoning,
    cost_usd,
    cost_source,
    price_version,
    counted,
    usage_role,
    twin_of,
    policy_decision,
    policy_source,
    guardrail_name,
    guardrail_triggered,
    retry_count,
    retry_max,
    attempt_of,
    budget_remaining,
    termination_reason,
    state_snapshot_hash,
    memory_ref,
    decision_chosen,
    decision_options,
    handoff_source,
    handoff_target,
    retrieval_ids,
    retrieval_scores,
    retrieval_count,
    data_source_id,
    eval_name,
    eval_score,
    eval_label,
    content_length,
    classes,
    redactions,
    evidence_commitment,
    alias_session_id,
    alias_reason,
    seq_from,
    seq_to,
    reason,
    signal,
    severity,
    first_event_id,
    last_event_id,
    repeat_count,
    cost_so_far_usd,
};

inline constexpr std::size_t fields_count = 90;

enum class FieldType : std::uint8_t { text, integer, real, flag, time, texts, reals };

// What a text must look like to stand in an operational record (contract §5, Forms); anything else
// is replaced whole by `h:` and its keyed hash.
enum class FieldForm : std::uint8_t {
    none,         // numbers and flags
    enumeration,  // a value of the contract, chosen by interpret
    id,           // [A-Za-z0-9_.:@/+=#~-]{1,128}
    name,         // the same characters and single blanks, at most 64 bytes and 6 words
    made,         // made by the gateway itself; never read from a client
};

struct FieldInfo {
    FieldId id;
    std::string_view name;
    FieldType type;
    FieldForm form;
    EventTypes on;         // the event types on which the field may stand
    bool at_end;           // only on events at the item's end
    bool primary_only;     // only on the primary event
    bool is_header;        // stands on the records of every class
    std::uint16_t number;  // protobuf field number
};

// Where fields may stand: the `on` column.
namespace on {
using enum EventType;
inline constexpr EventTypes all_events = all_event_types;
inline constexpr EventTypes usage_events = bit(inference) | bit(step_cost) | bit(session_end);
inline constexpr EventTypes tool_or_policy_events =
    bit(tool_request) | bit(tool_response) | bit(retry) | bit(error) | bit(policy_intervention);
inline constexpr EventTypes tool_events =
    bit(tool_request) | bit(tool_response) | bit(retry) | bit(error);
inline constexpr EventTypes policy_events =
    bit(policy_intervention) | bit(tool_request) | bit(tool_response);
inline constexpr EventTypes decision_events =
    bit(planner_decision) | bit(handoff) | bit(policy_intervention);
inline constexpr EventTypes twins_events = bit(inference) | bit(step_cost) | bit(session_end) |
                                           bit(handoff) | bit(tool_request) | bit(tool_response);
inline constexpr EventTypes attempts_events =
    bit(inference) | bit(tool_request) | bit(tool_response) | bit(retry);
inline constexpr EventTypes ends_events =
    bit(termination) | bit(session_end) | bit(step_cost) | bit(error);
inline constexpr EventTypes memory_events = bit(state_snapshot) | bit(retrieval) |
                                            bit(planner_decision) | bit(handoff) |
                                            bit(tool_request) | bit(tool_response);
inline constexpr EventTypes handoff_events = bit(handoff);
inline constexpr EventTypes retrieval_events = bit(retrieval);
inline constexpr EventTypes evaluation_events = bit(evaluation);
inline constexpr EventTypes alias_events = bit(session_alias);
inline constexpr EventTypes gap_events = bit(gateway_gap);
inline constexpr EventTypes intervention_events = bit(policy_intervention);
}  // namespace on

// clang-format off
inline constexpr std::array<FieldInfo, fields_count> field_table = {{
    // id, name, type, form, on, at_end, primary_only, is_header, number
    {FieldId::env, "env", FieldType::text, FieldForm::name, on::all_events, false, false, true, 21},
    {FieldId::service_name, "service_name", FieldType::text, FieldForm::name, on::all_events, false, false, true, 22},
    {FieldId::agent_id, "agent_id", FieldType::text, FieldForm::id, on::all_events, false, false, true, 23},
    {FieldId::agent_name, "agent_name", FieldType::text, FieldForm::name, on::all_events, false, false, true, 24},
    {FieldId::workflow_id, "workflow_id", FieldType::text, FieldForm::id, on::all_events, false, false, true, 25},
    {FieldId::run_id, "run_id", FieldType::text, FieldForm::id, on::all_events, false, false, true, 26},
    {FieldId::user_ref, "user_ref", FieldType::text, FieldForm::id, on::all_events, false, false, true, 27},
    {FieldId::operation, "operation", FieldType::text, FieldForm::enumeration, on::all_events, false, false, false, 50},
    {FieldId::step, "step", FieldType::text, FieldForm::name, on::all_events, false, false, false, 51},
    {FieldId::caller_step, "caller_step", FieldType::text, FieldForm::name, on::all_events, false, false, false, 52},
    {FieldId::turn_id, "turn_id", FieldType::text, FieldForm::id, on::all_events, false, false, false, 53},
    {FieldId::task_id, "task_id", FieldType::text, FieldForm::id, on::all_events, false, false, false, 54},
    {FieldId::workflow_name, "workflow_name", FieldType::text, FieldForm::name, on::all_events, false, false, false, 55},
    {FieldId::agent_version, "agent_version", FieldType::text, FieldForm::name, on::all_events, false, false, false, 56},
    {FieldId::parent_agent_id, "parent_agent_id", FieldType::text, FieldForm::id, on::all_events, false, false, false, 57},
    {FieldId::primary_event_id, "primary_event_id", FieldType::text, FieldForm::made, on::all_events, false, false, false, 58},
    {FieldId::ancestor_span_id, "ancestor_span_id", FieldType::text, FieldForm::made, on::all_events, false, false, false, 59},
    {FieldId::joins, "joins", FieldType::text, FieldForm::made, on::all_events, false, false, false, 60},
    {FieldId::start_ts, "start_ts", FieldType::time, FieldForm::made, on::all_events, false, false, false, 61},
    {FieldId::end_ts, "end_ts", FieldType::time, FieldForm::made, on::all_events, true, false, false, 62},
    {FieldId::duration_ms, "duration_ms", FieldType::real, FieldForm::none, on::all_events, true, false, false, 63},
    {FieldId::time_fault, "time_fault", FieldType::flag, FieldForm::none, on::all_events, true, false, false, 64},
    {FieldId::ttft_ms, "ttft_ms", FieldType::real, FieldForm::none, on::usage_events, true, false, false, 65},
    {FieldId::status_code, "status_code", FieldType::text, FieldForm::enumeration, on::all_events, true, false, false, 66},
    {FieldId::outcome, "outcome", FieldType::text, FieldForm::enumeration, on::all_events, true, false, false, 67},
    {FieldId::error_class, "error_class", FieldType::text, FieldForm::name, on::all_events, true, false, false, 68},
    {FieldId::http_status, "http_status", FieldType::integer, FieldForm::none, on::all_events, true, false, false, 69},
    {FieldId::tool_name, "tool_name", FieldType::text, FieldForm::name, on::tool_or_policy_events, false, false, false, 70},
    {FieldId::tool_call_id, "tool_call_id", FieldType::text, FieldForm::id, on::tool_or_policy_events, false, false, false, 71},
    {FieldId::tool_type, "tool_type", FieldType::text, FieldForm::name, on::tool_events, false, false, false, 72},
    {FieldId::mcp_method, "mcp_method", FieldType::text, FieldForm::name, on::all_events, false, false, false, 73},
    {FieldId::mcp_server, "mcp_server", FieldType::text, FieldForm::name, on::all_events, false, false, false, 74},
    {FieldId::args_digest, "args_digest", FieldType::text, FieldForm::made, on::tool_events, false, false, false, 75},
    {FieldId::result_digest, "result_digest", FieldType::text, FieldForm::made, on::tool_events, true, false, false, 76},
    {FieldId::args_shape_digest, "args_shape_digest", FieldType::text, FieldForm::made, on::tool_events, false, false, false, 77},
    {FieldId::provider, "provider", FieldType::text, FieldForm::name, on::usage_events, false, false, false, 78},
    {FieldId::model, "model", FieldType::text, FieldForm::name, on::usage_events, false, false, false, 79},
    {FieldId::model_requested, "model_requested", FieldType::text, FieldForm::name, on::usage_events, false, false, false, 80},
    {FieldId::response_id, "response_id", FieldType::text, FieldForm::id, on::usage_events, true, false, false, 81},
    {FieldId::finish_reason, "finish_reason", FieldType::text, FieldForm::enumeration, on::usage_events, true, false, false, 82},
    {FieldId::stream, "stream", FieldType::flag, FieldForm::none, on::usage_events, false, false, false, 83},
    {FieldId::tokens_prompt, "tokens_prompt", FieldType::integer, FieldForm::none, on::usage_events, false, true, false, 84},
    {FieldId::tokens_completion, "tokens_completion", FieldType::integer, FieldForm::none, on::usage_events, false, true, false, 85},
    {FieldId::tokens_total, "tokens_total", FieldType::integer, FieldForm::none, on::usage_events, false, true, false, 86},
    {FieldId::tokens_cache_read, "tokens_cache_read", FieldType::integer, FieldForm::none, on::usage_events, false, true, false, 87},
    {FieldId::tokens_cache_write, "tokens_cache_write", FieldType::integer, FieldForm::none, on::usage_events, false, true, false, 88},
    {FieldId::tokens_reasoning, "tokens_reasoning", FieldType::integer, FieldForm::none, on::usage_events, false, true, false, 89},
    {FieldId::cost_usd, "cost_usd", FieldType::real, FieldForm::none, on::usage_events, false, true, false, 90},
    {FieldId::cost_source, "cost_source", FieldType::text, FieldForm::enumeration, on::usage_events, false, true, false, 91},
    {FieldId::price_version, "price_version", FieldType::text, FieldForm::id, on::usage_events, false, true, false, 92},
    {FieldId::counted, "counted", FieldType::flag, FieldForm::none, on::usage_events, false, true, false, 93},
    {FieldId::usage_role, "usage_role", FieldType::text, FieldForm::enumeration, on::usage_events, false, true, false, 94},
    {FieldId::twin_of, "twin_of", FieldType::text, FieldForm::made, on::twins_events, false, true, false, 95},
    {FieldId::policy_decision, "policy_decision", FieldType::text, FieldForm::enumeration, on::policy_events, false, false, false, 96},
    {FieldId::policy_source, "policy_source", FieldType::text, FieldForm::name, on::policy_events, false, false, false, 97},
    {FieldId::guardrail_name, "guardrail_name", FieldType::text, FieldForm::name, on::policy_events, false, false, false, 98},
    {FieldId::guardrail_triggered, "guardrail_triggered", FieldType::flag, FieldForm::none, on::policy_events, false, false, false, 99},
    {FieldId::retry_count, "retry_count", FieldType::integer, FieldForm::none, on::all_events, false, false, false, 100},
    {FieldId::retry_max, "retry_max", FieldType::integer, FieldForm::none, on::all_events, false, false, false, 101},
    {FieldId::attempt_of, "attempt_of", FieldType::text, FieldForm::made, on::attempts_events, false, false, false, 102},
    {FieldId::budget_remaining, "budget_remaining", FieldType::real, FieldForm::none, on::all_events, false, false, false, 103},
    {FieldId::termination_reason, "termination_reason", FieldType::text, FieldForm::name, on::ends_events, false, false, false, 104},
    {FieldId::state_snapshot_hash, "state_snapshot_hash", FieldType::text, FieldForm::id, on::all_events, false, false, false, 105},
    {FieldId::memory_ref, "memory_ref", FieldType::text, FieldForm::id, on::memory_events, false, false, false, 106},
    {FieldId::decision_chosen, "decision_chosen", FieldType::text, FieldForm::name, on::decision_events, false, false, false, 107},
    {FieldId::decision_options, "decision_options", FieldType::texts, FieldForm::name, on::decision_events, false, false, false, 108},
    {FieldId::handoff_source, "handoff_source", FieldType::text, FieldForm::name, on::handoff_events, false, false, false, 109},
    {FieldId::handoff_target, "handoff_target", FieldType::text, FieldForm::name, on::handoff_events, false, false, false, 110},
    {FieldId::retrieval_ids, "retrieval_ids", FieldType::texts, FieldForm::id, on::retrieval_events, false, false, false, 111},
    {FieldId::retrieval_scores, "retrieval_scores", FieldType::reals, FieldForm::none, on::retrieval_events, false, false, false, 112},
    {FieldId::retrieval_count, "retrieval_count", FieldType::integer, FieldForm::none, on::retrieval_events, false, false, false, 113},
    {FieldId::data_source_id, "data_source_id", FieldType::text, FieldForm::name, on::retrieval_events, false, false, false, 114},
    {FieldId::eval_name, "eval_name", FieldType::text, FieldForm::name, on::evaluation_events, false, false, false, 115},
    {FieldId::eval_score, "eval_score", FieldType::real, FieldForm::none, on::evaluation_events, false, false, false, 116},
    {FieldId::eval_label, "eval_label", FieldType::text, FieldForm::name, on::evaluation_events, false, false, false, 117},
    {FieldId::content_length, "content_length", FieldType::integer, FieldForm::made, on::all_events, false, true, false, 118},
    {FieldId::classes, "classes", FieldType::texts, FieldForm::made, on::all_events, false, false, false, 119},
    {FieldId::redactions, "redactions", FieldType::integer, FieldForm::made, on::all_events, false, false, false, 120},
    {FieldId::evidence_commitment, "evidence_commitment", FieldType::text, FieldForm::made, on::all_events, false, false, false, 121},
    {FieldId::alias_session_id, "alias_session_id", FieldType::text, FieldForm::id, on::alias_events, false, false, false, 122},
    {FieldId::alias_reason, "alias_reason", FieldType::text, FieldForm::enumeration, on::alias_events, false, false, false, 123},
    {FieldId::seq_from, "seq_from", FieldType::integer, FieldForm::none, on::gap_events, false, false, false, 124},
    {FieldId::seq_to, "seq_to", FieldType::integer, FieldForm::none, on::gap_events, false, false, false, 125},
    {FieldId::reason, "reason", FieldType::text, FieldForm::name, on::gap_events, false, false, false, 126},
    {FieldId::signal, "signal", FieldType::text, FieldForm::enumeration, on::intervention_events, false, false, false, 127},
    {FieldId::severity, "severity", FieldType::text, FieldForm::name, on::intervention_events, false, false, false, 128},
    {FieldId::first_event_id, "first_event_id", FieldType::text, FieldForm::made, on::intervention_events, false, false, false, 129},
    {FieldId::last_event_id, "last_event_id", FieldType::text, FieldForm::made, on::intervention_events, false, false, false, 130},
    {FieldId::repeat_count, "repeat_count", FieldType::integer, FieldForm::none, on::intervention_events, false, false, false, 131},
    {FieldId::cost_so_far_usd, "cost_so_far_usd", FieldType::real, FieldForm::none, on::intervention_events, false, false, false, 132},
}};

// clang-format on

[[nodiscard]] constexpr const FieldInfo& info(FieldId id) {
    return field_table[static_cast<std::size_t>(id)];
}

[[nodiscard]] constexpr std::optional<FieldId> field_from(std::string_view name) {
    for (const FieldInfo& field : field_table) {
        if (field.name == name) return field.id;
    }
    return std::nullopt;
}

namespace detail {
constexpr bool field_table_is_in_order() {
    for (std::size_t i = 0; i < fields_count; ++i) {
        if (field_table[i].id != static_cast<FieldId>(i)) return false;
    }
    return true;
}

static_assert(field_table_is_in_order());
}  // namespace detail

// One value of a field. Texts are borrowed from the batch.
struct FieldValue {
    FieldId id{};

    union {
        std::int64_t integer = 0;  // also time: nanoseconds since the epoch
        double real;
        bool flag;
        const char* text_first;
        const std::string_view* texts_first;
        const double* reals_first;
    };

    std::uint32_t size = 0;  // bytes of text, items of texts and reals

    [[nodiscard]] std::string_view text() const { return {text_first, size}; }

    [[nodiscard]] std::span<const std::string_view> texts() const { return {texts_first, size}; }

    [[nodiscard]] std::span<const double> reals() const { return {reals_first, size}; }

    [[nodiscard]] static FieldValue of_text(FieldId id, std::string_view text) {
        FieldValue value;
        value.id = id;
        value.text_first = text.data();
        value.size = static_cast<std::uint32_t>(text.size());
        return value;
    }

    [[nodiscard]] static FieldValue of_texts(FieldId id, std::span<const std::string_view> texts) {
        FieldValue value;
        value.id = id;
        value.texts_first = texts.data();
        value.size = static_cast<std::uint32_t>(texts.size());
        return value;
    }

    [[nodiscard]] static FieldValue of_reals(FieldId id, std::span<const double> reals) {
        FieldValue value;
        value.id = id;
        value.reals_first = reals.data();
        value.size = static_cast<std::uint32_t>(reals.size());
        return value;
    }

    [[nodiscard]] static FieldValue of_integer(FieldId id, std::int64_t integer) {
        FieldValue value;
        value.id = id;
        value.integer = integer;
        return value;
    }

    [[nodiscard]] static FieldValue of_real(FieldId id, double real) {
        FieldValue value;
        value.id = id;
        value.real = real;
        return value;
    }

    [[nodiscard]] static FieldValue of_flag(FieldId id, bool flag) {
        FieldValue value;
        value.id = id;
        value.flag = flag;
        return value;
    }
};

}  // namespace spangate
