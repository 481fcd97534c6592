// The forms of texts that may stand in an operational record or unredacted in detail (contract §5).
#pragma once

#include <cstddef>
#include <string_view>

#include "model/id_form.h"

namespace spangate {

inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::size_t name_words_max = 6;

// The characters of an Id (model/id_form.h) and single blanks between them, at most 64 bytes and 6
// words.
[[nodiscard]] bool is_name(std::string_view text);

// A span's name that says what is done and not with what: `span_names` of the conventions table.
[[nodiscard]] bool is_operational_span_name(std::string_view text);

}  // namespace spangate
