// Sizes and durations as people write them: 64MiB, 200ms. Both are whole numbers with one unit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace spangate {

// Plain bytes, or with B, KB … TB (powers of 1000), KiB … TiB (powers of 1024).
[[nodiscard]] std::optional<Bytes> read_size(std::string_view text);

// With ms, s, m or h; only 0 may stand without a unit.
[[nodiscard]] std::optional<Millis> read_duration(std::string_view text);

// In the largest unit that divides the value: 20MiB, 1000 (bytes), 90s, 1h.
[[nodiscard]] std::string size_text(Bytes size);
[[nodiscard]] std::string duration_text(Millis duration);

}  // namespace spangate
