#include "base/text.h"

#include <catch2/catch.hpp>

using namespace spangate;

TEST_CASE("times are written with nine digits and read back") {
    CHECK(to_rfc3339(0) == "1970-01-01T00:00:00.000000000Z");
    CHECK(to_rfc3339(1'790'000'000'123'456'789) == "2026-09-21T14:13:20.123456789Z");
    CHECK(from_rfc3339("2026-09-21T14:13:20.123456789Z") == 1'790'000'000'123'456'789);
    CHECK(from_rfc3339("2026-09-21T14:13:20Z") == 1'790'000'000'000'000'000);
    CHECK_FALSE(from_rfc3339("2026-13-21T14:13:20Z"));
    CHECK_FALSE(from_rfc3339("yesterday"));
}

TEST_CASE("hex is read in either case and only whole") {
    std::array<std::uint8_t, 2> bytes{};
    CHECK(read_hex("aBcD", bytes));
    CHECK(to_hex(bytes) == "abcd");
    CHECK_FALSE(read_hex("abc", bytes));
    CHECK_FALSE(read_hex("abxd", bytes));
}

TEST_CASE("base64 of RFC 4648 section 10") {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [plain, encoded] : vectors) {
        CHECK(to_base64(plain) == encoded);
        CHECK(from_base64(encoded) == std::string(plain));
    }
    CHECK_FALSE(from_base64("Zg="));
    CHECK_FALSE(from_base64("Z!=="));
}

TEST_CASE("ill-formed UTF-8 is found and replaced, the rest stays") {
    const auto repaired = [](std::string_view text) {
        std::string out;
        append_as_utf8(text, out);
        return out;
    };
    CHECK(is_utf8("plain, \xC3\xBC, \xE2\x82\xAC, \xF0\x9F\x98\x80"));
    CHECK_FALSE(is_utf8("\xC0\xAF"));          // overlong
    CHECK_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
    CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
    CHECK(repaired("a\xFFz") == "a\xEF\xBF\xBDz");
    CHECK(repaired("\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("a prefix never ends inside a character") {
    CHECK(utf8_prefix("a\xE2\x82\xACz", 3) == "a");
    CHECK(utf8_prefix("a\xE2\x82\xACz", 4) == "a\xE2\x82\xAC");
    CHECK(utf8_prefix("abc", 10) == "abc");
}
