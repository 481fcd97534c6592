// `--goto N`: one step with all that is known of it.
#pragma once

#include <cstdint>

#include "replay/step_view.h"
#include "replay/text_page.h"

namespace spangate {

void write_whole_step(
    const Timeline& timeline, const StepViews& views, std::uint32_t index, TextPage& page
);

}  // namespace spangate
