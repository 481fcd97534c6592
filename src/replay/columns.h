// Somebody else's text in columns of a terminal: made harmless first, then cut and filled.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spangate {

// Appends `text` in exactly `columns`: filled with blanks at its end, or cut with an ellipsis.
void append_left(std::string_view text, std::size_t columns, std::string& out);

// The same with the blanks before it: for figures.
void append_right(std::string_view text, std::size_t columns, std::string& out);

// In at most `columns`: cut with an ellipsis, not filled.
void append_cut(std::string_view text, std::size_t columns, std::string& out);

}  // namespace spangate
