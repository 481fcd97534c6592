// The page's own sources (src/replay/page/), from the binary, without indentation and the script's
// comments: every page carries them.
#pragma once

#include <string>
#include <string_view>

namespace spangate {

// The skeleton, with places to fill written as @@name@@.
[[nodiscard]] std::string_view page_markup();
[[nodiscard]] std::string_view page_style();
[[nodiscard]] std::string_view page_script();

// What the page may do: run this one script and use this one style sheet, both named by their
// hashes, and ask nobody for anything.
[[nodiscard]] const std::string& page_content_policy();

}  // namespace spangate
