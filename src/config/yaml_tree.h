// A YAML document as a plain tree with places, so that rooms can read their tables without the YAML
// library. Scalars keep their text: whoever reads one says what it must be. Maps keep the
// document's order; a key that stands twice is a fault of the document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace spangate {

// 1-based, as editors count.
struct YamlPlace {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

struct YamlNode {
    enum class Kind : std::uint8_t { null, scalar, sequence, map };

    Kind kind = Kind::null;
    bool is_quoted = false;  // a quoted scalar is text, whatever it looks like
    YamlPlace place;
    std::string scalar;
    std::vector<YamlNode> items;                         // of a sequence
    std::vector<std::pair<YamlNode, YamlNode>> entries;  // of a map

    // Written out in the source file, because a pair of nodes asks for them while it is itself
    // incomplete.
    YamlNode();
    YamlNode(const YamlNode& other);
    YamlNode(YamlNode&& other) noexcept;
    YamlNode& operator=(const YamlNode& other);
    YamlNode& operator=(YamlNode&& other) noexcept;
    ~YamlNode();

    // The value under `key`, or null when this is no map or has no such key.
    [[nodiscard]] const YamlNode* find(std::string_view key) const {
        for (const auto& [name, value] : entries) {
            if (name.scalar == key) return &value;
        }
        return nullptr;
    }

    [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }

    [[nodiscard]] bool is_sequence() const { return kind == Kind::sequence; }

    [[nodiscard]] bool is_map() const { return kind == Kind::map; }
};

// Aliases and anchors are followed up to a bound on nodes, so that no document grows without end.
// `name` is told in messages: «name:line:column: what».
[[nodiscard]] Result<YamlNode> parse_yaml(
    std::string_view text, std::string_view name, std::uint32_t nodes_max = 1'000'000
);

}  // namespace spangate
