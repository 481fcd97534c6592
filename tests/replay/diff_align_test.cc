#include "replay/diff_align.h"

#include <algorithm>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

std::size_t longest_common(
    const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b
) {
    std::vector<std::vector<std::size_t>> best(
        a.size() + 1, std::vector<std::size_t>(b.size() + 1)
    );
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t k = 1; k <= b.size(); ++k) {
            best[i][k] = a[i - 1] == b[k - 1] ? best[i - 1][k - 1] + 1
                                              : std::max(best[i - 1][k], best[i][k - 1]);
        }
    }
    return best[a.size()][b.size()];
}

}  // namespace

TEST_CASE("common tokens are a longest common subsequence, rising on both sides") {
    std::mt19937 random(7);
    for (int round = 0; round < 400; ++round) {
        std::vector<std::uint64_t> a(random() % 40);
        std::vector<std::uint64_t> b(random() % 40);
        for (std::uint64_t& token : a)
            token = random() % 5;
        for (std::uint64_t& token : b)
            token = random() % 5;
        const std::vector<TokenPair> pairs = common_tokens(a, b);
        REQUIRE(pairs.size() == longest_common(a, b));
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            REQUIRE(a[pairs[i].left] == b[pairs[i].right]);
            if (i == 0) continue;
            REQUIRE(pairs[i - 1].left < pairs[i].left);
            REQUIRE(pairs[i - 1].right < pairs[i].right);
        }
    }
}

TEST_CASE("long rows with little in common are aligned all the same") {
    std::mt19937 random(8);
    std::vector<std::uint64_t> a(50'000);
    std::vector<std::uint64_t> b(50'000);
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] = random();
        b[i] = i % 10 == 0 ? a[i] : random();
    }
    const std::vector<TokenPair> pairs = common_tokens(a, b);
    CHECK(pairs.size() > 1'000);
    CHECK(pairs.front().left == 0);
    for (const TokenPair& pair : pairs)
        REQUIRE(a[pair.left] == b[pair.right]);
}

}  // namespace spangate
