#include "timeline/timeline.h"

#include <algorithm>

namespace spangate {

bool Completeness::is_complete() const {
    const bool has_all_classes =
        std::all_of(classes.begin(), classes.end(), [](const ClassCompleteness& facts) {
            return !facts.is_readable || facts.present >= facts.promised;
        });
    return has_all_classes && events_missing == 0 && events_explained == 0 && damaged == 0 &&
           evidence_mismatches == 0;
}

Severity Timeline::worst() const {
    Severity worst = Severity::info;
    for (const Finding& finding : findings)
        worst = std::max(worst, finding.severity);
    return worst;
}

}  // namespace spangate
