// How much room text takes on a terminal, and how to make it fit. Texts are well-formed UTF-8
// without control characters: append_harmless() has been over them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spangate {

// Columns: wide characters take two, marks on a letter none.
[[nodiscard]] std::size_t display_width(std::string_view text);

// The longest beginning that takes at most so many columns.
[[nodiscard]] std::size_t bytes_within(std::string_view text, std::size_t columns);

// Cut with «…» when it does not fit.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t columns);

// The same, filled with blanks behind or before.
[[nodiscard]] std::string left_in(std::string_view text, std::size_t columns);
[[nodiscard]] std::string right_in(std::string_view text, std::size_t columns);

// As left_in(), but the middle goes when the text ends with what came out of it: « → 500 error».
[[nodiscard]] std::string shortened(const std::string& what, std::size_t columns);

}  // namespace spangate
