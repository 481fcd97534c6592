// Collects everything that is wrong with a conventions file, each with its place, so that its
// author sees all faults at once. Reads of the wrong kind give an empty value and leave a fault.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml_tree.h"

namespace spangate {

class TableFaults {
  public:
    explicit TableFaults(std::string_view file_name) : file_name_(file_name) {}

    void add(const YamlNode& at, std::string_view what);

    [[nodiscard]] bool empty() const { return lines_.empty(); }

    // One fault a line.
    [[nodiscard]] std::string text() const;

    // Refuses keys that are neither in `known` nor for people only (`about`, `title`, …).
    void expect_map(const YamlNode& node, std::initializer_list<std::string_view> known);

    [[nodiscard]] std::string text_of(const YamlNode& node);
    [[nodiscard]] std::optional<bool> flag_of(const YamlNode& node);
    [[nodiscard]] double number_of(const YamlNode& node);
    [[nodiscard]] std::int64_t integer_of(const YamlNode& node);

    // The items of a sequence; a lone scalar or map counts as a list of one.
    [[nodiscard]] std::vector<const YamlNode*> list_of(const YamlNode& node);
    [[nodiscard]] std::vector<std::string> texts_of(const YamlNode& node);

  private:
    static constexpr std::size_t lines_max = 100;

    std::string file_name_;
    std::vector<std::string> lines_;
    std::size_t left_out_ = 0;
};

}  // namespace spangate
