// What clients hear from a line, and what goes with it. Literals: tickets borrow them.
#pragma once

#include <string_view>

#include "deliver/sink_ledger.h"

namespace spangate::line_texts {

inline constexpr std::string_view not_reached = "Kafka has not been reached yet";
inline constexpr std::string_view not_in_time = "Kafka did not acknowledge in time";
inline constexpr std::string_view stopped = "the gateway stopped before Kafka acknowledged";
inline constexpr std::string_view spool_full = "the spool is full";
inline constexpr std::string_view spool_broken = "the spool cannot be written";
inline constexpr std::string_view memory_full = "records wait for Kafka and memory is full";
inline constexpr std::string_view invalid = "Kafka refuses a record as invalid";
inline constexpr std::string_view no_topic =
    "this tenant has no Kafka topic: exporters.kafka.tenants lists neither it nor default";

inline constexpr Withdrawal stopped_withdrawal = {
    Settlement::retry_later, WithdrawalReason::shutdown, stopped, 1};
inline constexpr Withdrawal no_topic_withdrawal = {
    Settlement::rejected, WithdrawalReason::no_topic, no_topic, 0};
inline constexpr Withdrawal queue_withdrawal = {
    Settlement::retry_later,
    WithdrawalReason::sink_refusing,
    "too many records wait for Kafka or the spool",
    1};
inline constexpr Withdrawal queue_full_withdrawal = {
    Settlement::retry_later, WithdrawalReason::queue_full, "the Kafka producer's queue is full", 1};

}  // namespace spangate::line_texts
