// The longest common subsequence of two rows of tokens: Myers, An O(ND) Difference Algorithm, 1986,
// in linear space. Where two rows have little in common the search is cut short, and what it finds
// is good but perhaps not longest: time is O((n + m) · edits_max), space O(n + m).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace spangate {

// Indices of tokens that belong together.
struct TokenPair {
    std::uint32_t left = 0;
    std::uint32_t right = 0;
};

// Pairs of equal tokens, rising on both sides. What is equal at the beginning is always paired, so
// the first token without a partner stands where the two rows part.
[[nodiscard]] std::vector<TokenPair> common_tokens(
    std::span<const std::uint64_t> left, std::span<const std::uint64_t> right
);

}  // namespace spangate
