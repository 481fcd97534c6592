#include "receive/credentials.h"

#include <memory>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "receive_context.h"

using namespace spangate;           // NOLINT
using namespace spangate::testing;  // NOLINT

namespace {

std::shared_ptr<const Credentials> read(std::string_view text) {
    const TokenFile file(text);
    auto credentials = Credentials::read(file.path());
    REQUIRE(credentials);
    return *credentials;
}

std::string basic(std::string_view pair) {
    return "Basic " + to_base64(pair);
}

}  // namespace

TEST_CASE("a token is known as Bearer, as Basic password, as the whole Basic pair, as x-api-key") {
    const auto credentials = read("secret acme\npublic:private globex\n");
    CHECK(*credentials->tenant_of({"Bearer secret", {}}) == "acme");
    CHECK(*credentials->tenant_of({"BEARER \tsecret ", {}}) == "acme");
    CHECK(*credentials->tenant_of({basic("anyone:secret"), {}}) == "acme");
    CHECK(*credentials->tenant_of({basic(":secret"), {}}) == "acme");
    CHECK(*credentials->tenant_of({basic("public:private"), {}}) == "globex");
    CHECK(*credentials->tenant_of({{}, "secret"}) == "acme");
    CHECK(*credentials->tenant_of({{}, " public:private "}) == "globex");
}

TEST_CASE("the pair of a Basic header counts before its password") {
    const auto credentials = read("secret acme\npublic:secret globex\n");
    CHECK(*credentials->tenant_of({basic("public:secret"), {}}) == "globex");
    CHECK(*credentials->tenant_of({basic("other:secret"), {}}) == "acme");
}

TEST_CASE("a password may hold colons") {
    CHECK(*read("a:b:c acme\n")->tenant_of({basic("user:a:b:c"), {}}) == "acme");
}

TEST_CASE("whoever shows no known token is unauthenticated, and no message holds what was shown") {
    const auto credentials = read("secret acme\n");
    const std::string wrong[] = {
        "",
        "Basic",
        "Basic ",
        "Basic secret",
        "Basic !!!!",
        basic("secret"),
        basic("secret:"),
        basic("secret:other"),
        basic("secret:secretx"),
        "Digest secret",
        "secret",
        "Bearer anyone:secret",
    };
    for (const std::string& authorization : wrong) {
        INFO(authorization);
        const auto tenant = credentials->tenant_of({authorization, {}});
        REQUIRE_FALSE(tenant);
        CHECK(tenant.error().code == ErrorCode::unauthenticated);
        CHECK(tenant.error().message.find("secret") == std::string::npos);
    }
    CHECK_FALSE(credentials->tenant_of({{}, "secretx"}));
    CHECK_FALSE(Credentials().tenant_of({"Bearer secret", {}}));
}

TEST_CASE("an Authorization header decides, whatever x-api-key says") {
    const auto credentials = read("secret acme\n");
    CHECK_FALSE(credentials->tenant_of({"Bearer wrong", "secret"}));
    CHECK_FALSE(credentials->tenant_of({"Digest x", "secret"}));
}
