#include "digest/hash_key.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/text.h"

namespace spangate {
namespace {

std::string hmac_hex(std::string_view key, std::string_view data) {
    const std::array<std::string_view, 2> pieces = {
        data.substr(0, data.size() / 2), data.substr(data.size() / 2)};
    return to_hex(HashKey(key).hmac(pieces));
}

TEST_CASE("HMAC-SHA-256 gives the results of RFC 4231") {
    CHECK(
        hmac_hex(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
    CHECK(
        hmac_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    CHECK(
        hmac_hex(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    );
    CHECK(
        hmac_hex(
            std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"
        ) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
}

TEST_CASE("the key's id is the start of its hash") {
    CHECK(HashKey("abc").id() == "ba78");
}

TEST_CASE("tokens, references and digests are parted by purpose, tenant and role") {
    const HashKey key("test key");
    std::array<char, HashKey::digest_size> digest{};
    std::array<char, HashKey::digest_size> other{};
    key.write_digest("acme", "tool_args", "{}", digest.data());
    key.write_digest("acme", "tool_result", "{}", other.data());
    CHECK(digest != other);
    CHECK(std::string_view(digest.data(), 5) == std::string(key.id()) + ":");

    const std::array<std::string_view, 1> pieces = {
        std::string_view("digest/1\0acme\0tool_args\0{}", 26)};
    CHECK(std::string_view(digest.data() + 5, 32) == to_hex(key.hmac(pieces)).substr(0, 32));

    std::array<char, HashKey::user_ref_size> user{};
    std::array<char, HashKey::user_ref_size> reference{};
    key.write_user_ref("acme", "jane", user.data());
    key.write_reference("acme", "jane", reference.data());
    CHECK(user != reference);

    std::array<char, HashKey::token_size> token{};
    key.write_token("jane", token.data());
    CHECK(std::string_view(token.data(), 2) == "h:");
    const std::array<std::string_view, 1> value = {"jane"};
    CHECK(std::string_view(token.data() + 2, 32) == to_hex(key.hmac(value)).substr(0, 32));
}

}  // namespace
}  // namespace spangate
