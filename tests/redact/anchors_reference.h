// The anchor pass as its header tells it, byte by byte: what the engines are held against, here and
// by the fuzz target.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "redact/anchor_windows.h"
#include "redact/anchors.h"

namespace spangate {

struct Anchors {
    std::vector<std::size_t> numbers;
    std::vector<std::size_t> pairs;
    std::vector<std::size_t> marks;

    friend bool operator==(const Anchors&, const Anchors&) = default;
};

inline Anchors reference_anchors(std::string_view text) {
    const auto has = [&text](std::size_t i, std::string_view bytes) {
        return bytes.find(text[i]) != std::string_view::npos;
    };
    const auto digit = [&](std::size_t i) {
        return has(i, "0123456789");
    };
    const auto numeric = [&](std::size_t i) {
        return has(i, "0123456789 ()-./");
    };
    const auto run_starts = [&](std::size_t i) {
        return digit(i) && (i == 0 || !digit(i - 1));
    };
    Anchors found;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i >= number_reach && run_starts(i - number_reach)) {
            bool is_number = true;
            for (std::size_t k = i - number_reach; k <= i; ++k)
                is_number = is_number && numeric(k);
            if (is_number) found.numbers.push_back(i);
        }
        const bool is_pair = i >= 1 && digit(i) && digit(i - 1) && !(i >= 2 && numeric(i - 2));
        if (is_pair) found.pairs.push_back(i);
        const bool is_third =
            i >= 6 && has(i, " ()-./") && has(i - 3, " ()-./") && has(i - 6, " ()-./");
        const bool is_window = i >= 2 && anchors::is_window(text.substr(i - 2, 3));
        if (has(i, "@%+:=\xA0") || is_third || is_window) found.marks.push_back(i);
    }
    return found;
}

inline Anchors engine_anchors(std::string_view text, AnchorEngine engine) {
    Anchors anchors;
    const auto take = [&anchors](const AnchorBlock& block) {
        for_each_anchor(
            block,
            [&](std::size_t at) { anchors.numbers.push_back(at); },
            [&](std::size_t at) { anchors.pairs.push_back(at); },
            [&](std::size_t at) { anchors.marks.push_back(at); }
        );
    };
    if (text.size() <= anchor_block_bytes) {
        take(anchors_of_short(text, engine));
        return anchors;
    }
    AnchorPass pass(text, engine);
    for (auto blocks = pass.next(); !blocks.empty(); blocks = pass.next()) {
        for (const AnchorBlock& block : blocks)
            take(block);
    }
    return anchors;
}

// The engines that this processor runs.
inline std::vector<AnchorEngine> engines() {
    std::vector<AnchorEngine> all = {AnchorEngine::portable};
    if (best_anchor_engine() != AnchorEngine::portable) all.push_back(AnchorEngine::ssse3);
    if (best_anchor_engine() == AnchorEngine::avx2) all.push_back(AnchorEngine::avx2);
    return all;
}

}  // namespace spangate
