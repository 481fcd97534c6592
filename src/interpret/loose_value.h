// Client values of loose types (contract §7, conventions table): whole numbers as text or floats,
// flags as text, arrays as JSON text, texts in JSON quotes. Nothing here allocates outside the
// arena.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "model/span_view.h"

namespace spangate {

inline constexpr std::int64_t counter_max = (std::int64_t{1} << 53) - 1;

using ScalarText = std::array<char, 32>;

// The text of a scalar; empty for arrays, maps and bytes. Numbers are written into `buffer`.
[[nodiscard]] std::string_view scalar_text(const Value& value, ScalarText& buffer);

// The text of any value, in the arena unless the value is a text itself; arrays and maps as JSON.
// A text that is itself a JSON string is unquoted once.
[[nodiscard]] std::string_view text_of(const Value& value, Arena& arena);

[[nodiscard]] std::optional<std::int64_t> whole_number_of(const Value& value);
[[nodiscard]] std::optional<double> number_of(const Value& value);
[[nodiscard]] std::optional<bool> flag_of(const Value& value);

// `text` without surrounding JSON quotes, when it is one plain JSON string.
[[nodiscard]] std::string_view unquoted(std::string_view text, Arena& arena);

}  // namespace spangate
