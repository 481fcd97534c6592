#include "deliver/delivery_error.h"

#include <algorithm>
#include <array>

#include <librdkafka/rdkafka.h>

namespace spangate {
namespace {

using enum DeliveryVerdict;
using enum WithdrawalReason;

struct Row {
    rd_kafka_resp_err_t code;
    DeliveryError meaning;
};

constexpr auto table = std::to_array<Row>({
    {RD_KAFKA_RESP_ERR_NO_ERROR, {stored, refused, false}},
    // Time ran out; the record may be in the log all the same.
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, {retry_later, not_acknowledged, true}},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, {retry_later, not_acknowledged, true}},
    {RD_KAFKA_RESP_ERR__TRANSPORT, {retry_later, not_acknowledged, true}},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, {retry_later, not_acknowledged, true}},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, {retry_later, not_acknowledged, true}},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, {retry_later, not_acknowledged, true}},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, {retry_later, not_acknowledged, true}},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, {retry_later, not_acknowledged, true}},
    // An operator has to act; the same record is fine afterwards.
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, {retry_later, refused, true}},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, {retry_later, queue_full, false}},
    // Never storable.
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, {rejected, too_large, false}},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, {rejected, too_large, false}},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, {rejected, too_large, false}},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, {rejected, refused, false}},
    // The producer's state broke, or we purged it: possibly persisted, sent again with equal ids.
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR__FATAL, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR__FENCED, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR__INCONSISTENT, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, {resend, not_acknowledged, false}},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, {resend, not_acknowledged, false}},
});

}  // namespace

DeliveryError delivery_error(int code) {
    const auto* row =
        std::find_if(table.begin(), table.end(), [code](const Row& r) { return r.code == code; });
    return row == table.end() ? DeliveryError{retry_later, refused, true} : row->meaning;
}

}  // namespace spangate
