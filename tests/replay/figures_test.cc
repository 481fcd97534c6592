#include "replay/figures.h"

#include <catch2/catch.hpp>

#include "replay/display_width.h"

namespace spangate {
namespace {

constexpr WallNanos ms = 1'000'000;
constexpr WallNanos second = 1'000 * ms;

}  // namespace

TEST_CASE("Durations take few characters and keep their unit") {
    CHECK(duration_words(0) == "0");
    CHECK(duration_words(-second) == "0");
    CHECK(duration_words(1) == "1ms");
    CHECK(duration_words(42 * ms) == "42ms");
    CHECK(duration_words(400 * ms) == "0.4s");
    CHECK(duration_words(62'100 * ms) == "62.1s");
    CHECK(duration_words(372 * second) == "6m12s");
    CHECK(duration_words(7'500 * second) == "2h05m");
    CHECK(duration_words(400'000 * second) == "4d15h");
}

TEST_CASE("Times since the begin are told to the tenth, before it with a sign") {
    CHECK(clock_words(0) == "00:00.0");
    CHECK(clock_words(62'150 * ms) == "01:02.1");
    CHECK(clock_words(-1'500 * ms) == "-00:01.5");
    CHECK(clock_words(3'723 * second) == "1:02:03");
}

TEST_CASE("Money is told without what adding doubles leaves behind") {
    CHECK(money_words(0) == "0");
    CHECK(money_words(5.5e-17) == "0");
    CHECK(money_words(0.00001) == "<.0001");
    CHECK(money_words(0.0004) == "0.0004");
    CHECK(money_words(0.31) == "0.31");
    CHECK(money_words(0.126) == "0.126");
    CHECK(money_words(12.5) == "12.50");
    CHECK(money_words(123456) == "123456");
}

TEST_CASE("Counts are told in threes") {
    CHECK(count_words(0) == "0");
    CHECK(count_words(999) == "999");
    CHECK(count_words(1'000) == "1,000");
    CHECK(count_words(-1'234'567) == "-1,234,567");
}

TEST_CASE("A short hash leaves its algorithm out") {
    CHECK(short_hash("a1b2c3d4") == "a1b2");
    CHECK(short_hash("sha256:ffee00") == "ffee");
    CHECK(short_hash("x:") == "x:");
    CHECK(short_hash("").empty());
}

TEST_CASE("Wide characters take two columns, marks on letters none") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("→…─Σ") == 4);
    CHECK(display_width("審査") == 4);
    CHECK(display_width("e\xcc\x81") == 1);
    CHECK(display_width("\xf0\x9f\x91\x8d") == 2);
    CHECK(cut_to("審査担当", 5) == "審査…");
    CHECK(cut_to("abc", 3) == "abc");
    CHECK(cut_to("abcd", 3) == "ab…");
    CHECK(cut_to("abcd", 0).empty());
    CHECK(left_in("審", 4) == "審  ");
    CHECK(right_in("ab", 4) == "  ab");
}

}  // namespace spangate
