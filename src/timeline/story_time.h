// The contract's times, RFC 3339 with nine digits and Z. A record has four of them: a general
// reader takes longer for these than for all the rest. Included by this room's .cc files alone.
#pragma once

#include <string_view>

#include "base/clock.h"

namespace spangate {

// 0: it is no time. Other forms of RFC 3339 are read as well.
[[nodiscard]] WallNanos story_time_from(std::string_view text);

}  // namespace spangate
