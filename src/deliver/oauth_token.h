// SASL/OAUTHBEARER with a token from a file that someone else renews (a projected service account
// token, an agent's sink). It is read again whenever librdkafka asks: at start, and at 80 % of the
// token's life.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

struct rd_kafka_conf_s;

namespace spangate {

// Takes the file's path from the property sasl.oauthbearer.config. Call
// rd_kafka_sasl_background_callbacks_enable() on the handle.
void read_oauth_tokens_from_file(rd_kafka_conf_s* conf);

struct TokenClaims {
    std::int64_t expires_at_ms = 0;
    std::string_view subject;  // borrowed from `payload`
};

// `exp` and `sub` of a JWT's decoded payload; the signature is the broker's affair.
[[nodiscard]] std::optional<TokenClaims> token_claims(std::string_view payload);

}  // namespace spangate
