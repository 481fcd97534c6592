// The bytes of a LoopState: little-endian, a version first, only what is in use.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "timeline/loop_state.h"

namespace spangate {

[[nodiscard]] std::string saved_loops(const LoopState& state);

// Any bytes are safe: what another version wrote, or nobody, is refused; `state` is then undefined.
[[nodiscard]] Status read_loops(std::string_view saved, LoopState& state);

}  // namespace spangate
