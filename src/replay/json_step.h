// One step as a JSON object, the same in JSON and JSONL: replay.schema.json, `$defs/step`.
#pragma once

#include <cstdint>

#include "replay/json_stream.h"
#include "replay/step_view.h"

namespace spangate {

// The step's members, without the braces. Order never changes; what is not told is left out.
void write_step_members(
    const Timeline& timeline, const StepViews& views, std::uint32_t index, JsonStream& json
);

void write_finding(const Finding& finding, JsonStream& json);

// «1.5», of nanoseconds.
[[nodiscard]] double millis_of(WallNanos duration);

}  // namespace spangate
