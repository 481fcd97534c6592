// ${env:NAME}, ${env:NAME:-default} and ${file:PATH} inside a scalar's text. Substitution comes
// after parsing, one scalar at a time, so that no value can add keys or structure; what was put in
// is not looked at again.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace spangate {

struct SubstitutedText {
    std::string text;
    bool has_substitution = false;  // true: `text` may hold a secret and is not for messages
};

// $$ stands for one $; a $ before anything else but { is itself. The default after :- holds when
// the variable is unset or empty, as in a shell. A file's one trailing line end is cut; relative
// paths are those of the process. The error says what is missing and never quotes a value.
[[nodiscard]] Result<SubstitutedText> substitute(std::string_view text);

// `text` such that substitute() gives it back.
[[nodiscard]] std::string escape_substitution(std::string_view text);

// A file of at most `bytes_max`; directories, devices without end and larger files are errors.
[[nodiscard]] Result<std::string> read_bounded_file(const std::string& path, std::size_t bytes_max);

}  // namespace spangate
