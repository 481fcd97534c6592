// `spangate guard --once`, and the guard over files: reads what is there, tells, writes nothing.
#pragma once

#include "app/commands.h"
#include "app/reading_place.h"

namespace spangate {

[[nodiscard]] ExitCode guard_once(const ReadingPlace& place);

}  // namespace spangate
