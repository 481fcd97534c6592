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
    {RD_KAFKA_RESP_ERR_NO_ERROR, {stored, refused}},
    // Time ran out; the record may be in the log all the same.
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, {collect, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, {collect, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__TRANSPORT, {collect, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, {collect, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, {collect, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, {collect, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, {collect, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, {collect, not_acknowledged}},
    // An operator has to act; the same record is fine afterwards.
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, {collect, refused}},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, {collect, refused}},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, {collect, refused}},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, {collect, refused}},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, {collect, refused}},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, {collect, refused}},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, {collect, refused}},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, {collect, refused}},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, {collect, refused}},
    // One of the clocks, ours or the broker's, is an hour off; nothing is wrong with the record.
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, {collect, refused}},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, {collect, queue_full}},
    // Brokers measure and judge a batch, so it may be one record of many.
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, {split, too_large}},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, {split, too_large}},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, {split, too_large}},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, {split, invalid_record}},
    {RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD, {split, invalid_record}},
    // The producer's state broke.
    {RD_KAFKA_RESP_ERR__FATAL, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__FENCED, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__INCONSISTENT, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, {rebuild, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, {purged, not_acknowledged}},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, {purged, not_acknowledged}},
});

}  // namespace

DeliveryError delivery_error(int code) {
    const auto* row =
        std::find_if(table.begin(), table.end(), [code](const Row& r) { return r.code == code; });
    return row == table.end() ? DeliveryError{collect, refused} : row->meaning;
}

}  // namespace spangate
