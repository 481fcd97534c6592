// The three-byte windows of the anchor pass (anchors.h): how keys of vendors, tokens and key blocks
// begin. Every row is three sets of bytes; a window matches where each byte is in its set. Rows are
// put into eight groups, one for each bit of a byte, so that two table look-ups a byte (its low
// and its high half) tell all groups at once. A group matches whatever its rows match, and some
// more: what visits an anchor looks again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "redact/vendor_keys.h"

namespace spangate::anchors {

using HalfTable = std::array<std::uint8_t, 16>;

// What one byte of a window may be, by group.
struct ByteTable {
    HalfTable low{};
    HalfTable high{};

    [[nodiscard]] constexpr std::uint8_t groups(unsigned char byte) const {
        return byte < 0x80 ? low[byte & 15U] & high[byte >> 4] : std::uint8_t{0};
    }
};

inline constexpr std::size_t window_bytes = 3;
using WindowTables = std::array<ByteTable, window_bytes>;
using Window = std::array<std::string_view, window_bytes>;

inline constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Besides the prefixes of vendor_keys.h.
inline constexpr std::array<Window, 7> windows = {{
    {"bB", "eE", "aA"},                                  // bearer
    {"bB", "aA", "sS"},                                  // basic
    {"-", "-", letters},                                 // PEM, --password
    {"e", "y", "J"},                                     // JWT
    {"0123456789", "Q", "~"},                            // a secret of Azure
    {"J", "Q", "Q"},                                     // a key of Azure
    {"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "/", "B"},  // a webhook of Slack
}};

// How often a byte stands in prose and JSON, roughly: a group that matches rare ones costs nothing.
constexpr std::size_t frequency(std::size_t byte) {
    if (byte >= 'a' && byte <= 'z') return 16;
    if (byte == ' ') return 64;
    return byte >= '0' && byte <= '9' ? 4 : 1;
}

// How often the bytes stand that the halves of a set stand for.
constexpr std::size_t closure_size(unsigned low, unsigned high) {
    std::size_t size = 0;
    for (std::size_t byte = 0; byte < 0x80; ++byte) {
        const bool is_in = (low >> (byte & 15U) & 1U) != 0 && (high >> (byte >> 4) & 1U) != 0;
        size += is_in ? frequency(byte) : 0;
    }
    return size;
}

// Each row goes where it makes its group grow least.
class WindowGroups {
  public:
    constexpr WindowGroups() {
        for (const Window& window : windows)
            take(window);
        for (const VendorKey& key : prefixed_keys) {
            const std::string_view end = key.prefix.substr(key.anchor - 2, window_bytes);
            take({end.substr(0, 1), end.substr(1, 1), end.substr(2, 1)});
        }
    }

    [[nodiscard]] constexpr WindowTables tables() const {
        WindowTables tables{};
        for (std::size_t group = 0; group < groups_.size(); ++group) {
            const auto bit = static_cast<std::uint8_t>(1U << group);
            for (std::size_t i = 0; i < window_bytes; ++i) {
                for (std::size_t half = 0; half < 16; ++half) {
                    if ((groups_[group].low[i] >> half & 1U) != 0) tables[i].low[half] |= bit;
                    if ((groups_[group].high[i] >> half & 1U) != 0) tables[i].high[half] |= bit;
                }
            }
        }
        return tables;
    }

  private:
    struct Group {
        std::array<unsigned, window_bytes> low{};  // one bit for each half
        std::array<unsigned, window_bytes> high{};

        constexpr void take_in(const Window& window) {
            for (std::size_t i = 0; i < window_bytes; ++i) {
                for (const char c : window[i]) {
                    low[i] |= 1U << (static_cast<unsigned char>(c) & 15U);
                    high[i] |= 1U << (static_cast<unsigned char>(c) >> 4);
                }
            }
        }

        [[nodiscard]] constexpr std::size_t size() const {
            std::size_t size = 1;
            for (std::size_t i = 0; i < window_bytes; ++i)
                size *= closure_size(low[i], high[i]);
            return size;
        }
    };

    constexpr void take(const Window& window) {
        std::size_t best = 0;
        std::size_t least = std::numeric_limits<std::size_t>::max();
        for (std::size_t group = 0; group < groups_.size(); ++group) {
            Group grown = groups_[group];
            grown.take_in(window);
            const std::size_t growth = grown.size() - groups_[group].size();
            if (growth < least) {
                least = growth;
                best = group;
            }
        }
        groups_[best].take_in(window);
    }

    std::array<Group, 8> groups_{};
};

inline constexpr WindowTables window_tables = WindowGroups().tables();

// Whether the pass stops at the third of these bytes.
constexpr bool is_window(std::string_view three) {
    return (window_tables[0].groups(static_cast<unsigned char>(three[0])) &
            window_tables[1].groups(static_cast<unsigned char>(three[1])) &
            window_tables[2].groups(static_cast<unsigned char>(three[2]))) != 0;
}

}  // namespace spangate::anchors
