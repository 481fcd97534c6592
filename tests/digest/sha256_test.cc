#include "digest/sha256.h"

#include <catch2/catch.hpp>

#include "base/text.h"

namespace spangate {
namespace {

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples") {
    Sha256 hasher;
    CHECK(
        to_hex(hasher.add("abc").finish()) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    CHECK(
        to_hex(hasher.add("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").finish()) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    );
    CHECK(
        to_hex(hasher.finish()) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

TEST_CASE("a hasher takes its bytes in pieces of any kind") {
    Sha256 pieces;
    const std::array<std::uint8_t, 2> bytes = {'d', 'e'};
    pieces.add("abc").add(bytes).add_byte(0).add_u32be(0x01020304);
    Sha256 whole;
    whole.add(std::string_view("abcde\0\1\2\3\4", 10));
    CHECK(pieces.finish() == whole.finish());
}

TEST_CASE("random bytes are filled to the end and differ") {
    std::array<std::uint8_t, 64> first{};
    std::array<std::uint8_t, 64> second{};
    fill_random(first);
    fill_random(second);
    CHECK(first != second);
}

}  // namespace
}  // namespace spangate
