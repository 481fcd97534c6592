#include "deliver/delivery_error.h"

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

using namespace spangate;  // NOLINT: a test

TEST_CASE("expiry is retried by the client and opens the circuit") {
    const DeliveryError error = delivery_error(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
    CHECK(error.verdict == DeliveryVerdict::retry_later);
    CHECK(error.reason == WithdrawalReason::not_acknowledged);
    CHECK(error.opens_circuit);
}

TEST_CASE("a record that is too large is rejected") {
    const DeliveryError error = delivery_error(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    CHECK(error.verdict == DeliveryVerdict::rejected);
    CHECK_FALSE(error.opens_circuit);
}

TEST_CASE("purged and fatal reports are sent again") {
    for (const auto code :
         {RD_KAFKA_RESP_ERR__PURGE_QUEUE,
          RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
          RD_KAFKA_RESP_ERR__FATAL,
          RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER})
        CHECK(delivery_error(code).verdict == DeliveryVerdict::resend);
}

TEST_CASE("a code that no row names is retried, never dropped") {
    CHECK(delivery_error(12'345).verdict == DeliveryVerdict::retry_later);
    CHECK(delivery_error(RD_KAFKA_RESP_ERR_NO_ERROR).verdict == DeliveryVerdict::stored);
}
