// Do the copies of an event agree, and does the evidence fit? See README.md.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "timeline/draft.h"

namespace spangate {
namespace {

// Operational and detail of one event are of the same encoding, and tell different things.
bool is_contradictory(const StoryEvent& event, const Tellings& tellings) {
    const ClassBits both = bit(EventClass::operational) | bit(EventClass::detail);
    if ((event.seen & both) != both || tellings.rank != 0) return false;
    const ClassBits json = tellings.json_classes & both;
    return (json == both || json == 0) && tellings.operational != tellings.detail_shared;
}

void check_tellings(Draft& draft) {
    Completeness& completeness = draft.timeline.completeness;
    for (std::uint32_t i = 0; i < draft.timeline.events.size(); ++i) {
        const Tellings& tellings = draft.ledger.tellings()[i];
        const StoryEvent& event = draft.timeline.events[i];
        if (tellings.has_conflict || is_contradictory(event, tellings)) {
            ++completeness.conflicts;
            draft.tell(
                FindingKind::conflict,
                Severity::warning,
                i,
                tellings.has_conflict
                    ? "copies of the event differ; the newest one is shown"
                    : "its operational and its detail record tell different things"
            );
        } else if (tellings.copies > 0) {
            completeness.duplicates += tellings.copies;
            draft.tell(
                FindingKind::duplicate,
                Severity::info,
                i,
                fmt::format(
                    "stored {} more, equal",
                    tellings.copies == 1 ? "once" : fmt::format("{} times", tellings.copies)
                )
            );
        }
    }
}

bool is_mismatch(EvidenceVerdict verdict) {
    return verdict == EvidenceVerdict::mismatch || verdict == EvidenceVerdict::unclaimed;
}

void check_evidence(Draft& draft) {
    Timeline& timeline = draft.timeline;
    const EvidenceReport& report = *draft.evidence;
    timeline.completeness.evidence_checked = report.tellings() -
                                             report.count(EvidenceVerdict::missing_evidence) -
                                             report.count(EvidenceVerdict::expired);
    // One of each event: that it does not fit says more than that it is not there.
    std::map<EventKey, const EvidenceFinding*> worst;
    for (const EvidenceFinding& finding : report.findings) {
        EventKey key{};
        if (finding.tenant_id != timeline.tenant_id || !read_hex(finding.event_id, key)) continue;
        const auto [known, is_new] = worst.try_emplace(key, &finding);
        if (!is_new && is_mismatch(finding.verdict)) known->second = &finding;
    }
    for (std::uint32_t i = 0; i < timeline.events.size() && !worst.empty(); ++i) {
        const auto found = worst.find(timeline.events[i].id);
        if (found == worst.end()) continue;
        const EvidenceFinding& finding = *found->second;
        const bool is_there = is_mismatch(finding.verdict);
        const bool is_told = draft.damaged_evidence.contains(i);
        if (!is_there && (is_told || !draft.is_settled(timeline.events[i]))) continue;
        // What operational and detail do not tell at all is a missing class, told already.
        const bool is_known = timeline.events[i].seen != bit(EventClass::evidence);
        if (!is_known) continue;
        if (is_there) ++timeline.completeness.evidence_mismatches;
        draft.tell(
            is_there ? FindingKind::evidence_mismatch : FindingKind::evidence_missing,
            is_there ? Severity::critical : Severity::warning,
            i,
            finding.text
        );
    }
}

}  // namespace

void check_copies(Draft& draft) {
    check_tellings(draft);
    if (draft.evidence != nullptr) check_evidence(draft);
}

}  // namespace spangate
