#include <catch2/catch.hpp>

#include "replay/diff_noise.h"

namespace spangate {

TEST_CASE("values of a content are compared whatever the order of keys, and numbers by value") {
    ContentReader reader;
    const std::vector<ContentValue> a = reader.values_of(R"({"b":[1,{"c":"x"}],"a":true})");
    const std::vector<ContentValue> b =
        reader.values_of(R"("{\"a\":true,\"b\":[1.0,{\"c\":\"x\"}]}")");
    REQUIRE(a.size() == 3);
    REQUIRE(b.size() == 3);
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i].path == b[i].path);
        CHECK(a[i].text == b[i].text);
    }
    CHECK(a[2].path == "b[1].c");
    CHECK(reader.values_of("no JSON").front().text == "no JSON");
    CHECK(reader.values_of("").empty());
}

TEST_CASE("times and made-up ids are taken out of a text; words, numbers and digests stay") {
    const BareText bare = bare_text_of(
        "order 4711 at 2026-09-21T10:15:00.123Z by call_8fA83bQ9zK21mm "
        "0b9e8a50-77aa-4c55-9b11-aa0102030405 digest k1ab:00112233445566778899aabbccddeeff"
    );
    CHECK(
        bare.text == "order 4711 at \x02 by \x01 \x01 digest k1ab:00112233445566778899aabbccddeeff"
    );
    CHECK(bare.ids.size() == 2);
    CHECK(bare.times.size() == 1);
}

}  // namespace spangate
