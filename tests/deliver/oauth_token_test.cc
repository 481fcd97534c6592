#include "deliver/oauth_token.h"

#include <catch2/catch.hpp>

using namespace spangate;  // NOLINT: a test

TEST_CASE("a token's expiry and subject are read from its payload") {
    const auto claims = token_claims(R"({"sub": "gateway", "exp": 1790000000, "iss":"x"})");
    REQUIRE(claims);
    CHECK(claims->expires_at_ms == 1'790'000'000'000);
    CHECK(claims->subject == "gateway");
}

TEST_CASE("a payload without an expiry gives nothing") {
    CHECK_FALSE(token_claims(""));
    CHECK_FALSE(token_claims(R"({"sub":"gateway"})"));
    CHECK_FALSE(token_claims(R"({"exp":"soon"})"));
}
