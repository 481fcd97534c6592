// The session as plain markup: what stands in the file for readers without script, and for those
// who look into it with other tools.
#pragma once

#include <cstdint>
#include <vector>

#include "replay/html_output.h"
#include "replay/replay.h"
#include "replay/step_view.h"
#include "timeline/timeline.h"

namespace spangate {

// More rows would weigh more than the rest of the page; the text says how many are left out.
inline constexpr std::size_t html_text_rows_max = 2000;

// «Contains operational and detail …», as a sentence.
[[nodiscard]] std::string html_contents_sentence(const Timeline& timeline, const ReplayView& view);

// Totals, findings and a table of the steps. `rows` are indices, rising.
void write_html_text(
    const Timeline& timeline,
    const StepViews& views,
    const std::vector<std::uint32_t>& rows,
    HtmlOutput& out
);

}  // namespace spangate
