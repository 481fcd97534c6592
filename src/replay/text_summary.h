// What stands above and below the steps of the text view.
#pragma once

#include "replay/step_view.h"
#include "replay/text_page.h"

namespace spangate {

// «sess_8921  3 agents  47 steps  6m12s  $1.83 of $5.00  ✗2  loop L1 x6  COMPLETE (…)»
void write_text_header(const Timeline& timeline, TextPage& page);

// Worst first. Unless it is to list all, mere notes and what is too many are counted.
void write_text_findings(const Timeline& timeline, TextPage& page, bool lists_all);

// Totals, how complete the story is, and what the letters mean.
void write_text_footer(const Timeline& timeline, const ReplayView& view, TextPage& page);

// «gap», «loop L1».
[[nodiscard]] std::string finding_name(const Finding& finding);

[[nodiscard]] Ink ink_of(Severity severity);

}  // namespace spangate
