#include "replay/diff_align.h"

#include <algorithm>
#include <cmath>

namespace spangate {
namespace {

using Tokens = std::span<const std::uint64_t>;
using Index = std::int64_t;

// Edits after which a search settles for the best that it has seen.
constexpr Index edits_min = 256;

// A part of both rows, half open.
struct Part {
    Index left = 0;
    Index left_end = 0;
    Index right = 0;
    Index right_end = 0;
};

// A place through which a shortest (or good) path goes.
struct Place {
    Index left = 0;
    Index right = 0;
};

// Furthest reaching paths by diagonal (left − right), from one of the two corners.
class Frontier {
  public:
    Frontier(Index lowest, Index highest)
        : lowest_(lowest - 1),
          reached_(static_cast<std::size_t>(highest - lowest + 3)) {}

    [[nodiscard]] Index& operator[](Index diagonal) {
        return reached_[static_cast<std::size_t>(diagonal - lowest_)];
    }

    void start(Index diagonal, Index at) {
        first = last = diagonal;
        (*this)[diagonal] = at;
    }

    // One diagonal further on both sides, within the part's; `beyond` is what no path reaches.
    void widen(Index lowest, Index highest, Index beyond) {
        if (first > lowest) {
            --first;
            (*this)[first - 1] = beyond;
        } else {
            ++first;
        }
        if (last < highest) {
            ++last;
            (*this)[last + 1] = beyond;
        } else {
            --last;
        }
    }

    [[nodiscard]] bool covers(Index diagonal) const {
        return first <= diagonal && diagonal <= last;
    }

    Index first = 0;
    Index last = 0;

  private:
    Index lowest_;
    std::vector<Index> reached_;
};

class Search {
  public:
    Search(Tokens left, Tokens right)
        : left_(left),
          right_(right),
          forward_(-size(right) - 1, size(left) + 1),
          backward_(-size(right) - 1, size(left) + 1),
          edits_max_(std::max(
              edits_min,
              static_cast<Index>(std::sqrt(static_cast<double>(left.size() + right.size())))
          )) {}

    [[nodiscard]] std::vector<TokenPair> pairs() {
        std::vector<Part> open = {{0, size(left_), 0, size(right_)}};
        while (!open.empty()) {
            Part part = open.back();
            open.pop_back();
            trim(part);
            if (part.left == part.left_end || part.right == part.right_end) continue;
            const Place middle = split(part);
            open.push_back({part.left, middle.left, part.right, middle.right});
            open.push_back({middle.left, part.left_end, middle.right, part.right_end});
        }
        std::sort(pairs_.begin(), pairs_.end(), [](const TokenPair& a, const TokenPair& b) {
            return a.left < b.left;
        });
        return std::move(pairs_);
    }

  private:
    static Index size(Tokens tokens) { return static_cast<Index>(tokens.size()); }

    [[nodiscard]] bool equal(Index left, Index right) const {
        return left_[static_cast<std::size_t>(left)] == right_[static_cast<std::size_t>(right)];
    }

    void pair(Index left, Index right) {
        pairs_.push_back({static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(right)});
    }

    void trim(Part& part) {
        while (part.left < part.left_end && part.right < part.right_end &&
               equal(part.left, part.right)) {
            pair(part.left++, part.right++);
        }
        while (part.left < part.left_end && part.right < part.right_end &&
               equal(part.left_end - 1, part.right_end - 1)) {
            pair(--part.left_end, --part.right_end);
        }
    }

    // Where paths from both corners meet; never a corner itself, since the part is trimmed.
    [[nodiscard]] Place split(const Part& part) {
        const Index lowest = part.left - part.right_end;
        const Index highest = part.left_end - part.right;
        const Index from = part.left - part.right;
        const Index to = part.left_end - part.right_end;
        const bool is_odd = ((from - to) & 1) != 0;
        forward_.start(from, part.left);
        backward_.start(to, part.left_end);
        Place met;
        for (Index edits = 1;; ++edits) {
            forward_.widen(lowest, highest, part.left - 1);
            if (go_forward(part, is_odd, met)) return met;
            backward_.widen(lowest, highest, part.left_end + 1);
            if (go_backward(part, is_odd, met)) return met;
            if (edits >= edits_max_) return best_so_far(part);
        }
    }

    bool go_forward(const Part& part, bool meets, Place& met) {
        for (Index diagonal = forward_.last; diagonal >= forward_.first; diagonal -= 2) {
            Index left = std::max(forward_[diagonal - 1] + 1, forward_[diagonal + 1]);
            Index right = left - diagonal;
            while (left < part.left_end && right < part.right_end && equal(left, right)) {
                ++left;
                ++right;
            }
            forward_[diagonal] = left;
            if (meets && backward_.covers(diagonal) && backward_[diagonal] <= left) {
                met = {left, right};
                return true;
            }
        }
        return false;
    }

    bool go_backward(const Part& part, bool meets_forward, Place& met) {
        for (Index diagonal = backward_.last; diagonal >= backward_.first; diagonal -= 2) {
            Index left = std::min(backward_[diagonal - 1], backward_[diagonal + 1] - 1);
            Index right = left - diagonal;
            while (left > part.left && right > part.right && equal(left - 1, right - 1)) {
                --left;
                --right;
            }
            backward_[diagonal] = left;
            if (!meets_forward && forward_.covers(diagonal) && left <= forward_[diagonal]) {
                met = {left, right};
                return true;
            }
        }
        return false;
    }

    // The end of the path that came furthest, from either side.
    [[nodiscard]] Place best_so_far(const Part& part) {
        Place ahead{part.left, part.right};
        for (Index diagonal = forward_.last; diagonal >= forward_.first; diagonal -= 2) {
            Index left = std::min(forward_[diagonal], part.left_end);
            const Index right = std::min(left - diagonal, part.right_end);
            left = right + diagonal;
            if (left + right > ahead.left + ahead.right) ahead = {left, right};
        }
        Place behind{part.left_end, part.right_end};
        for (Index diagonal = backward_.last; diagonal >= backward_.first; diagonal -= 2) {
            Index left = std::max(backward_[diagonal], part.left);
            const Index right = std::max(left - diagonal, part.right);
            left = right + diagonal;
            if (left + right < behind.left + behind.right) behind = {left, right};
        }
        const Index gone = ahead.left + ahead.right - part.left - part.right;
        const Index left_to_go = part.left_end + part.right_end - behind.left - behind.right;
        return gone >= left_to_go ? ahead : behind;
    }

    Tokens left_;
    Tokens right_;
    Frontier forward_;
    Frontier backward_;
    Index edits_max_;
    std::vector<TokenPair> pairs_;
};

}  // namespace

std::vector<TokenPair> common_tokens(
    std::span<const std::uint64_t> left, std::span<const std::uint64_t> right
) {
    return Search(left, right).pairs();
}

}  // namespace spangate
