#include "base/json_quote.h"

#include <catch2/catch.hpp>

using namespace spangate;

TEST_CASE("a quoted text escapes what JSON wants escaped and repairs its UTF-8") {
    CHECK(json_quote("") == R"("")");
    CHECK(json_quote("plain é") == "\"plain é\"");
    CHECK(json_quote("a\"b\\c") == R"("a\"b\\c")");
    CHECK(json_quote("line\nend\x01") == R"("line\u000aend\u0001")");
    CHECK(json_quote("\xFF") == "\"\xEF\xBF\xBD\"");
}
