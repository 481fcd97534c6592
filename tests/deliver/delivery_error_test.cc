#include "deliver/delivery_error.h"

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

using namespace spangate;  // NOLINT: a test

TEST_CASE("what time or an operator heals is collected") {
    for (const auto code :
         {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
          RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
          RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
          RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC})
        CHECK(delivery_error(code).verdict == DeliveryVerdict::collect);
    CHECK(
        delivery_error(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT).reason ==
        WithdrawalReason::not_acknowledged
    );
}

TEST_CASE("what a broker judges by the batch is split") {
    const DeliveryError error = delivery_error(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    CHECK(error.verdict == DeliveryVerdict::split);
    CHECK(error.reason == WithdrawalReason::too_large);
    CHECK(delivery_error(RD_KAFKA_RESP_ERR_INVALID_RECORD).verdict == DeliveryVerdict::split);
}

TEST_CASE("a broken client is replaced, and what was purged is only taken back") {
    for (const auto code :
         {RD_KAFKA_RESP_ERR__FATAL,
          RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE,
          RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER})
        CHECK(delivery_error(code).verdict == DeliveryVerdict::rebuild);
    for (const auto code : {RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT})
        CHECK(delivery_error(code).verdict == DeliveryVerdict::purged);
}

TEST_CASE("a code that no row names is collected, never dropped") {
    CHECK(delivery_error(12'345).verdict == DeliveryVerdict::collect);
    CHECK(delivery_error(RD_KAFKA_RESP_ERR_NO_ERROR).verdict == DeliveryVerdict::stored);
}
