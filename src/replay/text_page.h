// Lines on a terminal: colours where they are wanted, text made harmless, cut or wrapped to the
// width. A colour never says anything that a letter or a word does not say too.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace spangate {

enum class Ink : std::uint8_t { plain, bold, dim, red, green, yellow, blue, magenta, cyan };

// Without what could steer a terminal (session/event_line.h), on one line.
[[nodiscard]] std::string harmless(std::string_view text);

class TextPage {
  public:
    static constexpr std::uint32_t columns_min = 60;

    // `out` outlives it.
    TextPage(std::ostream& out, std::uint32_t columns, bool has_colours);

    [[nodiscard]] std::uint32_t columns() const { return columns_; }

    // `text` as it is, within colour codes. Codes take no room: measure before.
    [[nodiscard]] std::string inked(Ink ink, std::string_view text) const;

    // As it is; the caller has measured and inked it.
    void line(std::string_view text = {});

    // Words of harmless `text` over as many lines as it takes, behind `indent` blanks; the first
    // line begins with `lead`, which is not wider than the indent.
    void wrapped(std::string_view lead, std::size_t indent, std::string_view text, Ink ink);

    // Text of many lines, each made harmless and none cut; JSON is laid out over lines.
    void content(std::size_t indent, std::string_view text);

  private:
    std::ostream& out_;
    const std::uint32_t columns_;
    const bool has_colours_;
};

}  // namespace spangate
