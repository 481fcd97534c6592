#include "deliver/oauth_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include <librdkafka/rdkafka.h>

#include "base/text.h"

namespace spangate {
namespace {

constexpr std::int64_t opaque_token_life_ms = 600'000;  // a token that is not a JWT

std::string payload_of(std::string_view token) {
    const std::size_t first = token.find('.');
    if (first == std::string_view::npos) return {};
    const std::size_t second = token.find('.', first + 1);
    if (second == std::string_view::npos) return {};
    std::string text(token.substr(first + 1, second - first - 1));
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return from_base64(text).value_or("");
}

// What stands after `"name":` and blanks.
std::string_view after_key(std::string_view json, std::string_view quoted_name) {
    std::size_t at = json.find(quoted_name);
    if (at == std::string_view::npos) return {};
    at = json.find_first_not_of(" \t\r\n:", at + quoted_name.size());
    return at == std::string_view::npos ? std::string_view() : json.substr(at);
}

void refresh(rd_kafka_t* client, const char* token_file, void* /*opaque*/) {
    std::ifstream file(token_file);
    std::string token((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
        token.pop_back();
    if (token.empty()) {
        rd_kafka_oauthbearer_set_token_failure(client, "the token file is empty or unreadable");
        return;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    const std::string payload = payload_of(token);
    const TokenClaims claims =
        token_claims(payload).value_or(TokenClaims{now_ms + opaque_token_life_ms, {}});
    const std::string subject = claims.subject.empty() ? "spangate" : std::string(claims.subject);
    std::array<char, 256> fault{};
    const rd_kafka_resp_err_t error = rd_kafka_oauthbearer_set_token(
        client,
        token.c_str(),
        claims.expires_at_ms,
        subject.c_str(),
        nullptr,
        0,
        fault.data(),
        fault.size()
    );
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_oauthbearer_set_token_failure(client, fault.data());
    }
}

}  // namespace

std::optional<TokenClaims> token_claims(std::string_view payload) {
    const std::string_view expires = after_key(payload, "\"exp\"");
    TokenClaims claims;
    std::int64_t seconds = 0;
    const auto [end, fault] =
        std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
    if (fault != std::errc{} || seconds <= 0) return std::nullopt;
    claims.expires_at_ms = seconds * 1'000;
    const std::string_view subject = after_key(payload, "\"sub\"");
    if (subject.starts_with('"')) claims.subject = subject.substr(1, subject.find('"', 1) - 1);
    return claims;
}

void read_oauth_tokens_from_file(rd_kafka_conf_s* conf) {
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, refresh);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
}

}  // namespace spangate
