// `--evidence`: raw content for whoever has the right and gives a reason. In this order, or not at
// all:
//
//   which steps ─▶ audit records stored ─▶ evidence read, checked, opened
#pragma once

#include "app/reading_commands.h"
#include "app/reading_place.h"
#include "replay/replay.h"
#include "timeline/timeline.h"

namespace spangate {

enum class EvidenceAccess : std::uint8_t {
    granted,  // what was there stands in the view
    none_asked_for,
    refused,  // the caller may not read the topic; the steps say so
};

// Fills `view.evidence`. Evidence that is not what was committed to is not shown and becomes a
// finding. An error: nothing was read, because the audit record could not be stored, or the broker
// failed.
[[nodiscard]] Result<EvidenceAccess> show_evidence(
    const ReadingPlace& place,
    const ReplayArguments& arguments,
    Timeline& timeline,
    ReplayView& view
);

}  // namespace spangate
