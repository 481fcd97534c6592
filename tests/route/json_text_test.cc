#include "route/json_text.h"

#include <cstdlib>
#include <limits>

#include <catch2/catch.hpp>

using namespace spangate;

namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string real(double value) {
    std::string out;
    append_json_real(out, value);
    return out;
}

}  // namespace

TEST_CASE("plain text of every length stands as it is") {
    for (std::size_t length = 0; length < 40; ++length) {
        const std::string text(length, 'a');
        CHECK(quoted(text) == '"' + text + '"');
    }
}

TEST_CASE("what JSON does not allow is escaped wherever it stands") {
    for (std::size_t at = 0; at < 20; ++at) {
        std::string text(20, 'a');
        std::string expected = text;
        text[at] = '"';
        expected.replace(at, 1, "\\\"");
        CHECK(quoted(text) == '"' + expected + '"');
    }
    CHECK(quoted("a\\b\n\r\t\x01\x1f") == R"("a\\b\n\r\t\u0001\u001f")");
    CHECK(quoted(std::string_view("\0", 1)) == R"("\u0000")");
    CHECK(quoted("\x7f") == "\"\x7f\"");
}

TEST_CASE("UTF-8 stands, ill-formed bytes become U+FFFD") {
    CHECK(quoted("12345678\xC3\xBC\xE2\x82\xAC") == "\"12345678\xC3\xBC\xE2\x82\xAC\"");
    CHECK(quoted("a\xFF\"") == "\"a\xEF\xBF\xBD\\\"\"");
    CHECK(quoted("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST_CASE("reals are the shortest text that reads back the same") {
    CHECK(real(0.1) == "0.1");
    CHECK(real(1.0) == "1");
    CHECK(real(-2.5e-9) == "-2.5e-09");
    for (const double value : {1.0 / 3, 1e300, 5e-324, 123456789.123456789}) {
        CHECK(std::strtod(real(value).c_str(), nullptr) == value);
    }
}

TEST_CASE("integers at the ends of their type") {
    std::string out;
    append_json_integer(out, std::numeric_limits<std::int64_t>::min());
    CHECK(out == "-9223372036854775808");
}
