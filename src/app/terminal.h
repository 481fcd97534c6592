// What standard output is.
#pragma once

namespace spangate {

// A terminal that colours are welcome on: NO_COLOR (no-color.org) is unset or empty.
[[nodiscard]] bool wants_colours();

}  // namespace spangate
